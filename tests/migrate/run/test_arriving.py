"""Sites that are away when an order is taken up again are waited for as long as its steps would be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from migrate.clock import SimulatedClock
from migrate.run.arriving import enter, patient_until_s
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History
from migrate.run.patience import Spent
from planner.errors import Unreachable
from tests.migrate.estate import small_wave


class Away:
    """Sites that answer from a moment on."""

    def __init__(self, clock: SimulatedClock, from_s: float) -> None:
        self._clock, self._from_s = clock, from_s
        self.asked = 0

    @contextmanager
    def open(self) -> Iterator[str]:
        self.asked += 1
        if self._clock.at_s < self._from_s:
            raise Unreachable("nobody answers", "wait")
        yield "sites"


@pytest.mark.parametrize(("until_s", "comes"), [(300.0, True), (100.0, False), (0.0, False)])
def test_they_are_waited_for_as_long_as_steps_rest(until_s: float, comes: bool) -> None:
    clock = SimulatedClock()
    away = Away(clock, 200.0)
    with ExitStack() as at_end:
        if comes:
            assert enter(at_end, away.open, until_s, lambda: False, clock) == "sites"
            return
        with pytest.raises(Unreachable):
            enter(at_end, away.open, until_s, lambda: False, clock)
    assert clock.at_s == pytest.approx(until_s, abs=5)
    assert away.asked >= 1


def test_a_pause_ends_it() -> None:
    clock = SimulatedClock()
    with ExitStack() as at_end:
        assert enter(at_end, Away(clock, 1e9).open, 900.0, lambda: clock.at_s > 20.0, clock) is None
    assert clock.at_s < 21.0


def test_only_what_failed_since_a_person_asked_counts() -> None:
    history = History(compose(small_wave()))
    assert patient_until_s(history, 0.0) == 0.0
    for event, detail in (
        (Event.INTENT, {}),
        (Event.FAILED, Spent(1000.0, 20.0, 90.0, 1004.0).as_json()),
    ):
        history.append(Entry("check", event, 1, detail))
    assert patient_until_s(history, 999.0) == 1070.0
    assert patient_until_s(history, 1001.0) == 0.0, "a verb given anew is told at once"
    history.append(Entry("check", Event.RETRY))
    assert patient_until_s(history, 0.0) == 0.0
