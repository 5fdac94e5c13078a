"""The guest's two disks behind a real tap that streams to a real receiver, each a process of its own.

What is asked of them is asked as a person would: by the tap's command line and its control socket.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from migrate.daemons.control import ControlClient
from migrate.daemons.registered import Register
from migrate.journal.image import Image
from migrate.journal.log import Log
from migrate.journal.store import FOLDER, Journals
from planner.errors import ProjectBusy, StepFailed
from planner.names import content_id
from tests.guest.journals import empty
from tests.guest.machine import agent_beside
from tests.guest.records import DISKS
from tests.migrate.replication.served import ALL, FAR, issuer

GROUP: Final = "guest"
_PATIENCE_S: Final = 120


class Tapped:
    """A tap in front of ``disks`` and a receiver, both of which can be killed; see ``experiment.Front``.

    The tap makes checkpoints of its own, too. With ``policy`` the guest is frozen for those asked for.
    """

    def __init__(
        self, folder: Path, disks: Sequence[Path], store: Path | None = None, policy: bool = False
    ) -> None:
        self._folder, self._disks, self._policy = folder, disks, policy
        self.store = store or folder / "store"
        self._sockets = Path(tempfile.mkdtemp(prefix="wherry-tap-"))  # a socket's path has to be short
        self.path = self._sockets / "nbd"
        keys = issuer(folder)
        self._ours, self._theirs = keys(ALL), keys(FAR)
        self._control = ControlClient(folder / "tap")
        self._port = 0
        self._begun: list[tuple[str, subprocess.Popen[str]]] = []
        self._targets = empty(folder, "-target")

    def begin(self) -> None:
        """Start the receiver and the tap, and return when the target has what the source has."""
        try:
            self.begin_receiver()
            self.begin_tap()
            self.checkpoint()
        except BaseException:
            self.end()
            raise

    def begin_receiver(self) -> None:
        """Start the receiver, again at its place when it was killed."""
        words = ["--store", str(self.store), "--keys", str(self._theirs)]
        words += ["--volumes", str(self._volumes()), "--listen", f"127.0.0.1:{self._port}"]
        self._receiver = self._begin("receiver", *words)
        self._port = int(self._hear(self._receiver).split()[0].rpartition(":")[2])

    def begin_tap(self) -> None:
        """Start the tap, again at its place when it was killed."""
        words = ["--state", str(self._folder / "tap"), "--group", GROUP, "--listen", f"unix:{self.path}"]
        words += [f"--disk={name}={disk}" for name, disk in zip(DISKS, self._disks, strict=True)]
        words += ["--to", f"127.0.0.1:{self._port}", "--keys", str(self._ours), "--site", FAR.site]
        words += ["--policy", str(self._written_policy())] if self._policy else []
        self._tap = self._begin("tap", *words, "--every", "2s", "--report", "1h")
        self._hear(self._tap)

    def kill_receiver(self) -> None:
        """Have the receiver die."""
        _end(self._receiver)

    def kill_tap(self) -> None:
        """Have the tap die."""
        _end(self._tap)

    def checkpoint(self) -> int:
        """Make a checkpoint at this instant, or at the next one that can be had, and return its number."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return int(self._control.ask("checkpoint", {"group": GROUP, "wait": True})["record"])
            except (StepFailed, ProjectBusy):  # the receiver died before it had it, or one is under way
                assert time.monotonic() < end, self.status()
                time.sleep(0.1)

    def status(self) -> dict[str, Any]:
        """Return how the tap says that it stands."""
        return dict(self._control.ask("status", {}))

    def wait_until_it_fails(self, why: str) -> None:
        """Return when the tap says that the receiver takes nothing, and why."""
        end = time.monotonic() + _PATIENCE_S
        while why not in (told := self.status())["why"]:
            assert time.monotonic() < end, told
            time.sleep(0.05)

    def settle(self) -> None:
        """Return when what was on its way is done and at the receiver."""
        writes = -1
        while writes != (writes := self.status()["writes"]):
            time.sleep(0.3)
        self.checkpoint()

    def end(self) -> None:
        """End the tap and then its receiver, in order; twice is not an error."""
        for _, process in sorted(self._begun, key=lambda begun: begun[0] != "tap"):
            if process.poll() is None:
                process.terminate()
                process.wait(_PATIENCE_S)
            _end(process)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def opened(self) -> Kept:
        """Open what the receiver kept."""
        return Kept(self.store, self._targets)

    def _volumes(self) -> Path:
        told = [{"id": n, "path": str(p), "group": GROUP} for n, p in zip(DISKS, self._targets, strict=True)]
        path = self._folder / "volumes.json"
        path.write_text(json.dumps({"volumes": told}))
        return path

    def _written_policy(self) -> Path:
        path = self._folder / "policy.toml"
        path.write_text(
            f'group = "{GROUP}"\nconsistency = "application"\nevery = "1d"\nfreeze_limit = "90s"\n'
            f'[[member]]\nname = "guest"\nagent = "{agent_beside(self.path)}"\nworth = "application"\n'
        )
        path.chmod(0o600)
        return path

    def _begin(self, *words: str) -> subprocess.Popen[str]:
        with (self._folder / f"{words[0]}.txt").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui.cli.entry", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self._begun.append((words[0], process))
        return process

    def _hear(self, process: subprocess.Popen[str]) -> str:
        """Return the first line of a process: it is ready then."""
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "\n".join(path.read_text("utf-8") for path in self._folder.glob("*.txt"))
        return line


class Kept:
    """The group's journal at the receiver, once that ended."""

    def __init__(self, store: Path, targets: Sequence[Path]) -> None:
        self.folder, self.replicas = store / FOLDER / content_id(GROUP), targets
        register = Register((name, path, GROUP) for name, path in zip(DISKS, targets, strict=True))
        self._journals = Journals(store, register.groups(), register)
        self._group = self._journals.group(GROUP)

    @property
    def log(self) -> Log:
        """Its log."""
        return self._group.log

    def image(self, record: int, number: int) -> Image:
        """Return a disk as it was at a checkpoint; close it."""
        return self._group.image(record, DISKS[number])

    def close(self) -> None:
        """Close the journal."""
        self._journals.close()


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait(30)
    if process.stdout is not None:
        process.stdout.close()
