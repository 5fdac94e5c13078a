"""Storage that fails at any one call of short histories: what was acknowledged stays.

A sync that fails is the worst: the kernel may forget the pages, show them all the same, and call the next
sync a success. So the log refuses everything from then on, and an opening reads from the medium.
"""

from __future__ import annotations

import errno
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from migrate.journal.log import JournalFailed, Log
from migrate.journal.writes import Write
from planner.errors import WherryError
from tests.migrate.journal.crashes import goes_on, histories
from tests.migrate.journal.model import World
from tests.migrate.journal.mutants import opened_as
from tests.migrate.journal.storage import Power, SimulatedFiles, survived

SEED = 11


class Fault(Power):
    """At one moment the call fails."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.fails_at = fails_at

    def moment(self) -> None:
        super().moment()
        if self.moments == self.fails_at + 1:
            raise OSError(errno.EIO, "injected")


class FailingFiles(SimulatedFiles):
    """Forgets what a failed sync was to write, shows it all the same, and calls the next sync a success."""

    def __init__(self) -> None:
        super().__init__()
        self._forgotten: dict[int, bytes] = {}

    def sync(self, number: int) -> None:
        if number in self._forgotten:
            return
        try:
            super().sync(number)
        except OSError:
            segment = self._segment(number)
            rng = random.Random(len(segment.seen))
            segment.durable = self._forgotten[number] = bytes(
                survived(rng, segment.durable, bytes(segment.seen))
            )
            raise

    def create(self, number: int) -> None:
        super().create(number)
        self._forgotten.pop(number, None)

    def lose_power(self, rng: random.Random) -> None:
        super().lose_power(rng)
        self._forgotten.clear()

    def settle(self, number: int) -> None:
        if number in self._forgotten:
            self._segment(number).seen = bytearray(self._forgotten.pop(number))
        super().settle(number)


class FailingWorld(World):
    storage = FailingFiles


def lived(make: Callable[[], World], history: tuple[str, ...], fails_at: int) -> tuple[World, OSError | None]:
    """Live a history to its end, or to the call of its last operation that fails."""
    rng, world = random.Random(SEED), make()
    for operation in history[:-1]:
        world.do(operation, rng)
    world.files.power = Fault(fails_at)
    try:
        world.do(history[-1], rng)
    except OSError as error:
        world.files.power = Power()
        return world, error
    return world, None


def refuses(call: Callable[[], Any]) -> bool:
    try:
        call()
    except JournalFailed:
        return True
    return False


def after(world: World, rng: random.Random) -> str:
    """Return what is wrong when life goes on after a failed call, empty when nothing is."""
    try:
        if world.log.failed:
            for call in (lambda: world.log.append([Write(0, 0, 1)]), world.log.commit, world.log.trim):
                if not refuses(call):
                    return "a log that failed goes on"
            world.crash(rng, power=rng.random() < 0.5)
            world.reopen()
        else:
            world.do("promote", rng)  # a replica failed; it is done again from its beginning
        if wrong := world.wrong():
            return wrong
        goes_on(world, rng)
        return world.wrong()
    except (WherryError, AssertionError, OSError, LookupError) as error:
        return f"{type(error).__name__}: {error}"


def enumerated(make: Callable[[], World], tried: list[tuple[str, ...]], met: Counter[str]) -> str:
    """Let every call of the last operation of each history fail once; return what is wrong first."""
    for history in tried:
        fails_at = 0
        while True:
            world, error = lived(make, history, fails_at)
            if error is None:
                break
            met[history[-1]] += 1
            met["the log failed" if world.log.failed else "a replica failed"] += 1
            if wrong := after(world, random.Random(f"{history} {fails_at}")):
                return f"{wrong}: call {fails_at} of {' '.join(history)}"
            fails_at += 1
    return ""


def test_any_call_that_fails_loses_nothing() -> None:
    met: Counter[str] = Counter()
    wrong = enumerated(FailingWorld, random.Random(4).sample(histories(), 80), met)
    print(dict(met))
    assert wrong == ""
    assert met["the log failed"] > 200
    assert met["a replica failed"] > 10


@pytest.mark.soak
def test_every_call_that_fails_loses_nothing() -> None:
    met: Counter[str] = Counter()
    assert enumerated(FailingWorld, histories(), met) == ""
    print(dict(met))


class _Trying(Log):
    """Tries a call again that failed."""

    def _guarded(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except OSError:
            return call()


class _Going(Log):
    """Goes on after a failure as if nothing had been."""

    def _check(self) -> None:
        self._failed = ""


@pytest.mark.parametrize("kind", [_Trying, _Going])
def test_negative_control(kind: type[Log]) -> None:
    class Wrong(FailingWorld):
        def __init__(self) -> None:
            super().__init__(opened_as(kind))

    tried = [history for history in histories(2) if history[-1] in {"commit", "rotate"}]
    found = ""
    for history in tried:
        for fails_at in range(6):
            world, _error = lived(Wrong, history, fails_at)
            found = found or after(world, random.Random(fails_at))
    print(found)
    assert found
