"""A real PostgreSQL on disks of a tap, its log of writes on a disk of its own, and what an image holds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from migrate.engine.private_postgres import programs
from planner.errors import NotFound
from tests.migrate.protection.databases.mounted import owned
from tests.migrate.protection.databases.session import Session
from tests.migrate.protection.databases.writing import Bounds
from tests.migrate.protection.scene import eventually

_LOGIN = "postgres"  # the server refuses to run as root
_OPTIONS = ("listen_addresses=", "max_wal_size=64MB", "checkpoint_timeout=1h", "shared_buffers=16MB")
_SQL = """
CREATE TABLE numbered (n int PRIMARY KEY, filling text NOT NULL);
CREATE TABLE counted (many int NOT NULL);
INSERT INTO counted VALUES (0);
CREATE EXTENSION amcheck;
"""


def cannot_run() -> str:
    """Return why there is no PostgreSQL here, empty when there is."""
    try:
        programs()
    except NotFound as error:
        return error.message
    return "" if os.geteuid() == 0 else "a server of another login needs root"


class Postgres:
    """A server over ``data`` and ``wal``, whose socket is in ``folder``; ``stop`` it."""

    def __init__(self, folder: Path, data: Path, wal: Path) -> None:
        self.folder, self._files, self.wal = folder, data / "files", wal / "files"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        self._server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the cluster and start it."""
        for folder in (self._files, self.wal):
            owned(folder, _LOGIN)
        self._run("initdb", "-D", str(self._files), "-X", str(self.wal), "-A", "trust", "-U", _LOGIN,
                  "--no-sync", "--wal-segsize=1", "--no-locale", "-E", "UTF8")  # fmt: skip
        self.start()
        self.ask(_SQL)

    def come_from(self, image_of: Postgres) -> None:
        """Make an image of a server ours: its link leads to the live log, and its process lives."""
        link = self._files / "pg_wal"
        assert link.readlink() == image_of.wal
        link.unlink()
        link.symlink_to(self.wal)
        (self._files / "postmaster.pid").unlink()

    def start(self) -> None:
        """Start the server on what is there, and return when it answers or has ended."""
        options = [
            word
            for option in (*_OPTIONS, f"unix_socket_directories={self.folder}")
            for word in ("-c", option)
        ]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(programs() / "postgres"), "-D", str(self._files), *options],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                user=_LOGIN, group=_LOGIN, extra_groups=(),
            )  # fmt: skip
        ready = [str(programs() / "pg_isready"), "-q", "-h", str(self.folder), "-U", _LOGIN, "-d", _LOGIN]
        server = self._server
        assert eventually(
            lambda: server.poll() is not None or not subprocess.run(ready, check=False).returncode
        )

    def stop(self) -> None:
        """Stop it at once, as if it had crashed."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(3)
            self._server.wait(60)

    def ask(self, statements: str) -> list[str]:
        """Return the lines that statements answer in a session of their own."""
        session = self.session()
        try:
            return session.ask(statements)
        finally:
            session.close()

    def session(self) -> Session:
        """Open a session."""
        words = [
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self.folder),
            "-U",
            _LOGIN,
            "postgres",
        ]
        return Session([str(programs() / "psql"), *words])

    @property
    def log(self) -> str:
        """What the server said."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def position(self) -> int:
        """Return where its log of writes is now."""
        return _position(self.ask("SELECT pg_current_wal_lsn();")[0])

    def begins_recovery(self) -> int:
        """Return where in the log of writes a recovery of what is there begins; asked before it starts."""
        said = self._run("pg_controldata", "-D", str(self._files)).splitlines()
        (line,) = [line for line in said if line.startswith("Latest checkpoint's REDO location:")]
        return _position(line.split()[-1])

    def wrong_with(self, bounds: Bounds) -> list[str]:
        """Return what is wrong with what is there."""
        held, counted = self.ask("SELECT count(*), min(n), max(n) FROM numbered; SELECT many FROM counted;")
        command = ["pg_amcheck", "-h", str(self.folder), "-U", _LOGIN, "--heapallindexed", "--all"]
        ran = _ran(*command)
        wrong = bounds.wrong_with(held, counted)
        return wrong if not ran.returncode else [*wrong, f"pg_amcheck: {(ran.stdout + ran.stderr).strip()}"]

    def _run(self, *command: str) -> str:
        ran = _ran(*command)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def _ran(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(programs() / program), *words], cwd="/", check=False, capture_output=True, text=True,
        user=_LOGIN, group=_LOGIN, extra_groups=(), timeout=120,
    )  # fmt: skip


def _position(text: str) -> int:
    """Return a place in the log of writes, as PostgreSQL prints it, as a number."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def commit(session: Session, number: int) -> None:
    """Commit a number; the transaction also counts it elsewhere."""
    session.ask(
        f"BEGIN; INSERT INTO numbered VALUES ({number}, repeat('{number} ', 40));"
        f" UPDATE counted SET many = many + 1; COMMIT;"
    )
