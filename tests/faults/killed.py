"""One story of two sides, forked from one process that has everything loaded, and a look at every disk.

Somebody dies or fails in it, or several; whoever died comes again and the pass is sent again. After each
death what the receiver's logs promise is compared with what is there, in the end everything is.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode
from migrate.replication.progress import ProgressLog
from migrate.sites.ports import Extent
from planner.errors import WherryError
from tests.faults.crossings import Arm
from tests.faults.twosides import RECEIVER, STORY, TAIL, MakeSink, receive, send

ATTEMPTS = 12
DEFECT = 9  # the code of a process that met what it did not expect
Deaths = Callable[[], tuple[int, float] | None]  # whom to kill, and how long from now


class _Looking(LogFile):
    """A log that is looked at, and not mended by that."""

    def replace(self, data: bytes) -> None: ...
    def set_aside(self, data: bytes) -> None:
        raise AssertionError("the progress log is damaged")


class Trial:
    """One story in a folder of its own."""

    def __init__(self, template: Path, root: Path, areas: list[Extent], make_sink: MakeSink | None) -> None:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(template, root)
        self.root = root
        self.wrong: list[str] = []
        self.kills = self.resumed = self.deduped = self.compared = 0
        self.struck = False  # somebody died or failed
        self.counts: dict[int, Counter[str]] = {}
        self._areas = areas
        self._make_sink = make_sink
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._receiver = 0

    def play(self, side: int | None, arm: Arm | None, deaths: Deaths) -> None:
        """Play all of it, one side armed; ``deaths`` tells whom to kill when, attempt by attempt."""
        try:
            self._start(arm if side == RECEIVER else None)
            for number in range(len(STORY)):
                self._bring(number, side, arm, deaths)
            self._end()
            for name, source in {stage.volume: stage.source for stage in STORY}.items():
                self._look(name, source, "in the end")
        finally:
            self._listening.close()
            if self._receiver:
                os.kill(self._receiver, signal.SIGKILL)
                os.waitpid(self._receiver, 0)

    def _bring(self, number: int, side: int | None, arm: Arm | None, deaths: Deaths) -> None:
        """Bring one pass, again and again until it is there."""
        root, port = self.root, self._listening.getsockname()[1]
        for attempt in range(ATTEMPTS):
            mine = arm if side == number and attempt == 0 else None
            sender = self._fork(lambda mine=mine: send(root, port, number, mine, self._areas))  # type: ignore[misc]
            if (death := deaths()) is not None:
                whom, after_s = death
                time.sleep(after_s)
                os.kill(self._receiver if whom == RECEIVER else sender, signal.SIGKILL)
            status = self._await(sender)
            self._hear(number)
            if status == DEFECT:
                self.wrong.append(f"pass {number}: {self._last_words()}")
            if status == 0:
                self._take_result(number)
                return
            if side == RECEIVER and arm is not None and arm.for_ever and attempt == 1:
                self._end()
                self._start(None)
            self._look_at_promises()
        self.wrong.append(f"pass {number} does not come to an end: {self._last_words()}")

    def _await(self, sender: int) -> int:
        """Wait for a sender, start receivers that end meanwhile, and return the sender's code."""
        while True:
            pid, raw = os.waitpid(-1, 0)
            status = os.waitstatus_to_exitcode(raw)
            self.kills += status == -signal.SIGKILL
            self.struck |= status == -signal.SIGKILL
            if pid == sender:
                return status
            if status == DEFECT:
                self.wrong.append(f"the receiver: {self._last_words()}")
            self._hear(RECEIVER)
            self._look_at_promises()
            self._start(None)

    def _take_result(self, number: int) -> None:
        said = json.loads((self.root / "result.json").read_text())
        self.resumed += said["resumed"] > 0
        self.deduped += said["deduped"] > 0
        self.compared += said["mode"] == "compare" and STORY[number].mode is not Mode.COMPARE
        self._look(STORY[number].volume, STORY[number].source, f"after pass {number}")

    def _look(self, name: str, source: str, when: str) -> None:
        """Compare a replica with what it is to be, zeros behind it."""
        wanted = (self.root / source).read_bytes() + bytes(TAIL)
        if (self.root / name).read_bytes() != wanted:
            self.wrong.append(f"{name} is wrong {when}")

    def _look_at_promises(self) -> None:
        """Compare what the receiver's logs say is held with what is there."""
        for name in ("v", "w"):
            state = ProgressLog(_Looking(self.root / "store", name), name).state
            there = (self.root / name).read_bytes()
            if state.current is not None:
                wanted = self._content(state.current.pass_id)
                for run in state.current.held:
                    if there[run.offset : run.end] != wanted[run.offset : run.end]:
                        self.wrong.append(f"{name} does not hold {run} of pass {state.current.pass_id}")
            if state.done is not None:
                source = next(item.source for item in STORY if item.pass_id == state.done.pass_id)
                self._look(name, source, f"though pass {state.done.pass_id} is done")

    def _content(self, pass_id: str) -> bytes:
        return (self.root / next(item.source for item in STORY if item.pass_id == pass_id)).read_bytes()

    def _fork(self, work: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                work()
                os._exit(0)
            except (WherryError, OSError) as error:
                (self.root / "defect").write_text(f"{type(error).__name__}: {error}")
                os._exit(3)
            except BaseException as error:  # noqa: BLE001 - told to the one who forked
                (self.root / "defect").write_text(f"{type(error).__name__}: {error}")
                os._exit(DEFECT)
        return pid

    def _start(self, arm: Arm | None) -> None:
        self._receiver = self._fork(lambda: receive(self.root, self._listening, arm, self._make_sink))

    def _end(self) -> None:
        os.kill(self._receiver, signal.SIGTERM)
        status = os.waitstatus_to_exitcode(os.waitpid(self._receiver, 0)[1])
        self._receiver = 0
        self.kills += status == -signal.SIGKILL
        self.struck |= status == -signal.SIGKILL
        self._hear(RECEIVER)
        if status > 0:
            self.wrong.append(f"the receiver ended with {status}: {self._last_words()}")

    def _last_words(self) -> str:
        path = self.root / "defect"
        return path.read_text() if path.exists() else "nothing is known of it"

    def _hear(self, side: int) -> None:
        """Take what a process wrote down of its crossings, if it came to that."""
        path = self.root / f"crossings{side}"
        if not path.exists():
            return
        said = json.loads(path.read_text())
        path.unlink()
        self.counts.setdefault(side, Counter()).update(said["counts"])
        self.wrong += said["wrong"]
        self.struck |= said["struck"]
