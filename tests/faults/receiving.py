"""A real ``wherry receiver`` of its own process, behind a line, and ``wherry send`` to it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from migrate.keys import authority
from migrate.keys.names import Holder, Role
from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
from tests.faults.path import Line
from tests.tui.cli.command import Ran, wherry


class Site:
    """A folder with keys, a source, the targets ``v`` and ``w``, and a receiver that serves them."""

    def __init__(self, root: Path, size_bytes: int) -> None:
        self.root = root
        self.source, self.target = root / "source.img", root / "v.img"
        authority.create(root / "keys", "p1")
        for site, role in (("dc1", Role.SENDER), ("dc2", Role.RECEIVER)):
            authority.issue(root / "keys", Holder("p1", site, role), 30, root / f"{site}.pem")
        self.size_bytes = size_bytes
        for path in (self.target, root / "w.img"):
            path.touch()
        self.renew()
        self.line = Line(0)
        self.start()

    def renew(self) -> None:
        """Make another source, and targets that hold nothing."""
        self.source.write_bytes(os.urandom(self.size_bytes))
        for path in (self.target, self.root / "w.img"):
            os.truncate(path, 0)  # the same file: it is registered
            os.truncate(path, self.size_bytes)

    def start(self) -> None:
        """Start the receiver anew; the line leads to it from then on."""
        with (self.root / "receiver.log").open("ab") as log:
            self.receiver = subprocess.Popen(
                [sys.executable, "-m", "tui.cli.entry", "receiver", "--store", str(self.root / "store"),
                 "--keys", str(self.root / "dc2.pem"), "--register", f"v={self.target}",
                 "--register", f"w={self.root / 'w.img'}", "--listen", "127.0.0.1:0"],
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.receiver.stdout is not None
        said = self.receiver.stdout.readline()
        assert said, self.log()
        self.line.to = int(said.split()[0].rpartition(":")[2])

    def command(self, name: str, *more: str) -> list[str]:
        """Return the words of a ``wherry send`` over the line."""
        return ["send", str(self.source), f"127.0.0.1:{self.line.port}", "--volume", "v", "--site", "dc2",
                "--keys", str(self.root / "dc1.pem"), "--pass-id", name, "--json", "--live",
                *more]  # fmt: skip

    def send(self, name: str, *more: str) -> Ran:
        """Send the source as ``v``, in this process."""
        return wherry(*self.command(name, *more))

    def connect(self, timeout_s: float = 20.0) -> TlsChannel:
        """Return a channel to the receiver with keys of a sender, past the line."""
        return connect_tls("127.0.0.1", self.line.to, TlsKeys(self.root / "dc1.pem"), "dc2", timeout_s)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End the receiver and return its exit code."""
        self.receiver.send_signal(number)
        return self.receiver.wait(60)

    def rss_mib(self) -> float:
        """Return the memory of the receiver that is resident now."""
        return rss_mib(self.receiver.pid)

    def is_equal(self) -> bool:
        """Tell whether the target is what the source is."""
        return digest(self.source) == digest(self.target)

    def log(self) -> str:
        """Return what the receivers said so far."""
        return (self.root / "receiver.log").read_text("utf-8")

    def close(self) -> None:
        """Take everything down."""
        self.line.close()
        self.receiver.kill()
        self.receiver.communicate()


def digest(path: Path) -> str:
    """Return a digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
