"""A real MariaDB on disks of a tap, its redo log on a disk of its own, and what an image of it holds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.guest.system import tool
from tests.migrate.protection.databases.session import Session
from tests.migrate.protection.databases.writing import Bounds
from tests.migrate.protection.scene import eventually

_SQL = """
CREATE DATABASE shop; USE shop;
CREATE TABLE numbered (n int PRIMARY KEY, filling text NOT NULL) ENGINE=InnoDB;
CREATE TABLE counted (many int NOT NULL) ENGINE=InnoDB;
CREATE TABLE noted (n int PRIMARY KEY, filling text NOT NULL) ENGINE=MyISAM;
INSERT INTO counted VALUES (0);
"""
_HELD = """
SELECT CONCAT_WS('|', count(*), min(n), max(n)) FROM shop.numbered;
SELECT many FROM shop.counted; SELECT count(*) FROM shop.noted;
"""


def cannot_run() -> str:
    """Return why there is no MariaDB here, empty when there is."""
    missing = [name for name in ("mariadbd", "mariadb-install-db", "mysql") if tool(name) is None]
    return f"{missing[0]} is not installed" if missing else ""


class MariaDB:
    """A server over ``data`` and ``log``, whose socket is in ``folder``; ``stop`` it."""

    def __init__(self, folder: Path, data: Path, log: Path) -> None:
        self.folder, self._files, self._redo = folder, data / "files", log / "files"
        folder.mkdir(exist_ok=True)
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "socket"

    def make(self) -> None:
        """Make the tables of the server and ours, and start it."""
        fresh = MariaDB(
            self.folder, self.folder, self.folder / "redo"
        )  # a thousand syncs: not through the tap
        for each in (fresh._files, fresh._redo):
            each.mkdir(parents=True)
        made = [*fresh._command("mariadb-install-db"), "--auth-root-authentication-method=normal"]
        subprocess.run([*made, "--skip-test-db"], check=True, capture_output=True, timeout=120)
        shutil.move(fresh._files, self._files)
        shutil.move(fresh._redo, self._redo)
        self.start()
        self.ask(_SQL)

    def start(self) -> None:
        """Start the server on what is there, and return when it answers or has ended."""
        more = [f"--socket={self.socket}", f"--pid-file={self.folder / 'pid'}", "--skip-networking"]
        more += [f"--tmpdir={self.folder}", "--myisam-recover-options=OFF"]  # what is broken is to be seen
        with (self.folder / "said").open("ab") as said:
            self._server = subprocess.Popen(
                [*self._command("mariadbd"), *more], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        server = self._server
        assert eventually(lambda: server.poll() is not None or self.socket.exists())

    def stop(self) -> None:
        """Stop it at once, as if it had crashed."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(60)

    def session(self) -> Session:
        """Open a session."""
        return Session(["mysql", "--no-defaults", "--batch", "--skip-column-names", "--unbuffered",
                        f"--socket={self.socket}", "--user=root"])  # fmt: skip

    def ask(self, statements: str) -> list[str]:
        """Return the lines that statements answer in a session of their own."""
        session = self.session()
        try:
            return session.ask(statements)
        finally:
            session.close()

    def wrong_with(self, bounds: Bounds) -> list[str]:
        """Return what is wrong with what is there."""
        checked = self.ask("CHECK TABLE shop.numbered, shop.counted, shop.noted EXTENDED;")
        assert len(checked) >= 3, checked
        wrong = [" ".join(line.split("\t")) for line in checked if not line.endswith("\tOK")]
        held, counted, noted = self.ask(_HELD)
        wrong += bounds.wrong_with(held, counted)
        if int(noted) not in (int(counted), int(counted) - 1):
            wrong.append(f"{counted} numbers are counted and {noted} noted")
        return wrong

    @property
    def log(self) -> str:
        """What the server said."""
        return (self.folder / "said").read_text("utf-8", "replace")

    def _command(self, program: str) -> list[str]:
        """Return how a program is called; options that make it small are the same for all."""
        return [tool(program) or program, "--no-defaults", "--user=root", f"--datadir={self._files}",
                f"--innodb-log-group-home-dir={self._redo}", "--innodb-log-file-size=8M",
                "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=1"]  # fmt: skip


def commit(session: Session, number: int) -> None:
    """Commit a number; the transaction counts it elsewhere, and a table without transactions notes it."""
    filling = f"repeat('{number} ', 40)"
    session.ask(
        f"BEGIN; INSERT INTO shop.numbered VALUES ({number}, {filling});"
        f" UPDATE shop.counted SET many = many + 1; COMMIT;"
        f" INSERT INTO shop.noted VALUES ({number}, {filling});"
    )
