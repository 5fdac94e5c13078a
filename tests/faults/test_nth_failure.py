"""Every call of a small pass fails in turn, once and for ever: told, and the next try brings the disk.

In memory, where what a failed flush lost is really lost; real files are in ``test_wire_kill``.
"""

from __future__ import annotations

import errno
import threading
from collections import Counter

import pytest

from migrate.replication import receiver
from migrate.replication.passes import Mode, PassResult
from migrate.replication.progress import ProgressLog, VolumeState
from migrate.replication.sink import DiskSink
from planner.errors import NoSpace, StepFailed, WherryError
from tests.faults.failing import Failure, Story, Target
from tests.migrate.replication.model import KIB

FULL = {"write", "zero", "log append", "log replace"}
KINDS = FULL | {"source read", "source map", "target open", "target read", "target map", "flush", "log read"}


def tried(mode: Mode, overlap: bool, failure: Failure) -> str:
    """Fail one call, mend it and send again; returns what was wrong."""
    story = Story(mode, overlap=overlap)
    outcome, calls = story.send(failure)
    if not calls.failed:
        return ""
    if isinstance(outcome, PassResult):
        return "complete in spite of it"
    wanted = (OSError,) if failure.name.startswith("source") else (WherryError,)
    if not isinstance(outcome, wanted):
        return f"told as {outcome!r}"
    if failure.code == errno.ENOSPC and not isinstance(outcome, NoSpace):
        return f"told as {outcome!r}"
    if failure.name == "flush" and (calls.failed["flush"] != 1 or calls.counts["flush"] != failure.nth):
        return "flushed again after a flush failed"
    if story.lost():
        return f"acknowledged and lost: {story.lost()}"
    again, _calls = story.send()
    if not isinstance(again, PassResult):
        return f"not taken up: {again!r}"
    instead = again.mode is not mode
    if instead is not (failure.name == "flush" and mode is not Mode.COMPARE):
        return f"went on as {again.mode}"
    return "" if story.is_there() else "wrong in the end"


@pytest.mark.parametrize("overlap", [False, True], ids=["flushes between", "flushes beside"])
@pytest.mark.parametrize("mode", Mode)
def test_every_call_fails_once_and_for_ever(mode: Mode, overlap: bool) -> None:
    outcome, calls = Story(mode, overlap=overlap).send()
    assert isinstance(outcome, PassResult)
    wrong = {}
    count: Counter[str] = Counter()
    for name, number in calls.counts.items():
        for nth in range(1, number + 1):
            for code in (errno.EIO, errno.ENOSPC) if name in FULL else (errno.EIO,):
                for for_ever in (False, True):
                    failure = Failure(name, nth, for_ever, code)
                    count[name] += 1
                    if problem := tried(mode, overlap, failure):
                        wrong[failure] = problem
    print(f"{mode}: {sum(count.values())} failures of {sum(calls.counts.values())} calls: {dict(count)}")
    assert wrong == {}
    needed = KINDS - ({"target read"} if mode is not Mode.COMPARE else set())
    needed -= {"target map"} if mode is Mode.DELTA else set()
    needed -= {"zero"} if mode is Mode.COMPARE else set()
    needed -= {"source map"} if mode is not Mode.SEED else set()
    assert needed - set(calls.counts) == set()


class Beside(Target):
    """The flush that is under way when the fourth write fails half way fails after that, and loses it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.half_written = threading.Event()
        self.both = False

    def _put(self, name: str, data: bytes | memoryview, offset: int) -> None:
        try:
            super()._put(name, data, offset)
        except OSError:
            self.half_written.set()
            raise

    def flush(self) -> None:
        # the first is of what was before; how many more come until then is the threads' affair
        later = self.calls.failures and self.calls.counts["flush"] and not self.half_written.is_set()
        if later and self.half_written.wait(1.0):
            self.both = bool(self.pending)
            self.pending.clear()
            raise OSError(errno.EIO, "injected")
        super().flush()


def test_a_write_that_failed_is_doubtful_too_when_the_flush_beside_it_fails() -> None:
    """Half of a block was written, a whole grain of it, and the flush that was under way loses that."""
    story = Story(Mode.SEED, overlap=True, block_bytes=128 * KIB, make=Beside)
    story.send(Failure("write", 4))
    assert isinstance(story.target, Beside)
    assert story.target.both
    again, _calls = story.send()
    assert isinstance(again, PassResult)
    assert again.mode is Mode.COMPARE
    assert story.is_there()


def test_negative_control_a_flush_that_is_believed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgressLog, "poison", lambda _self, _runs: None)
    problems = [tried(Mode.SEED, False, Failure("flush", nth)) for nth in range(1, 4)]
    assert any(problems)


class Stubborn(DiskSink):
    """A mutant: tries a flush again that failed."""

    def commit(self) -> None:
        try:
            self._disk.flush()
        except OSError:
            self._disk.flush()


def test_negative_control_a_flush_that_is_tried_again_is_seen() -> None:
    story = Story(Mode.SEED, overlap=False)
    story.world.make_sink = Stubborn  # type: ignore[assignment]
    outcome, calls = story.send(Failure("flush", 2))
    assert isinstance(outcome, PassResult)  # so it says
    assert calls.counts["flush"] > 2
    assert not story.is_there()


def test_negative_control_a_resync_for_want_of_space_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def timid(state: VolumeState, hello: object) -> str:
        return "something failed" if state.current is not None else ""

    assert tried(Mode.SEED, True, Failure("write", 6, code=errno.ENOSPC)) == ""
    monkeypatch.setattr(receiver, "_must_compare", timid)
    assert tried(Mode.SEED, True, Failure("write", 6, code=errno.ENOSPC)) == "went on as compare"


def test_negative_control_a_failure_that_is_swallowed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def swallows(self: object, data: bytes) -> None:
        return

    monkeypatch.setattr("tests.faults.failing.Log.append", swallows)
    story = Story(Mode.SEED, overlap=False)
    outcome, _calls = story.send(Failure("write", 6))
    assert isinstance(outcome, StepFailed)
    assert story.world.acknowledged  # and yet nothing is held: the next try begins anew
    again, _calls = story.send()
    assert isinstance(again, PassResult)
    assert again.resumed_bytes == 0
