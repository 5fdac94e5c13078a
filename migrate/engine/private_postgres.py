"""A PostgreSQL of our own on a private socket, for the demonstration of a fleet and for tests.

It needs the distribution's server programs, listens on no network, and trusts whoever reaches its
socket, which lies in a directory that only its own login and ours can enter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from planner.errors import NotFound, Unreachable

_PORT = 54329
_LOGIN = "postgres"  # the server refuses to run as root
_ROLE = "wherry"


def programs() -> Path:
    """Return where the server's programs are, the newest version; raises NotFound."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0])
    )
    if found:
        return found[-1].parent
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    raise NotFound("PostgreSQL is not installed", "apt-get install postgresql, or use the embedded engine")


class PrivatePostgres:
    """One server with one database. Use it as a context manager: it and its files are gone afterwards."""

    def __init__(self) -> None:
        """Make the cluster; raises NotFound without the programs, Unreachable when it cannot be made."""
        self._programs = programs()
        self._root = Path(tempfile.mkdtemp(prefix="wherry-pg-"))
        self._as: dict[str, str] = {}
        if os.getuid() == 0:
            self._as = {"user": _LOGIN, "group": _LOGIN}
            shutil.chown(self._root, _LOGIN, _LOGIN)
        data = str(self._root / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", _ROLE, "-E", "UTF8", "--no-sync")
        self.start()
        self._run("createdb", "-h", str(self._root), "-p", str(_PORT), "-U", _ROLE, _ROLE)

    @property
    def url(self) -> str:
        """Where its database is."""
        return f"postgresql://{_ROLE}@/{_ROLE}?host={self._root}&port={_PORT}"

    def start(self) -> None:
        """Start the server and return when it answers."""
        words = f"-k {self._root} -p {_PORT} -c listen_addresses="
        log = str(self._root / "log")
        self._run("pg_ctl", "-D", str(self._root / "data"), "-w", "-l", log, "-o", words, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop the server: ``fast``, or ``immediate`` as if it had crashed."""
        self._run("pg_ctl", "-D", str(self._root / "data"), "-w", "-m", how, "stop")

    def close(self) -> None:
        """Stop it for good and remove its files."""
        try:
            self.stop("immediate")
        except Unreachable:
            pass  # it was stopped
        finally:
            shutil.rmtree(self._root, ignore_errors=True)

    def __enter__(self) -> PrivatePostgres:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _run(self, program: str, *arguments: str) -> None:
        with (self._root.parent / f"{self._root.name}.out").open("w+b") as out:
            Path(out.name).unlink()
            ended = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,  # no pipe: the server that pg_ctl leaves behind would hold it open
                stderr=out,
                check=False,
                timeout=120,
                **self._as,  # type: ignore[call-overload]
            )
            if ended.returncode:
                out.seek(0)
                said = out.read().decode("utf-8", "replace").strip().splitlines() or ["no word"]
                raise Unreachable(f"{program} failed: {said[-1]}", "look whether PostgreSQL is whole")
