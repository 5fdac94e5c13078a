"""Generations never repeat, and the line is shared among the tasks at work by weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from migrate.movers.process import policy_of_share
from migrate.movers.task import Ends, Manner, Task
from migrate.movers.transfers import Generations, MovedTransfers, Shares
from migrate.replication.line import Line, Policy
from migrate.replication.passes import Mode
from migrate.transfers.ports import Copied, Moving, Wanted

_LINE = Policy(Line((1000.0,) * 168, ZoneInfo("UTC")))


def test_every_generation_is_newer_also_when_the_clock_goes_back() -> None:
    times = iter([5.0, 5.0, 1.0, 9.0])
    generations = Generations(clock=lambda: next(times))
    assert [generations.next() for _ in range(4)] == [5000, 5001, 5002, 9000]


def test_the_line_is_shared_by_weight_and_goes_to_who_is_left() -> None:
    shares = Shares(clock=lambda: 0.0)
    heavy, light = shares.enter(3.0), shares.enter(1.0)
    assert (shares.of(heavy, _LINE), shares.of(light, _LINE)) == (750.0, 250.0)
    shares.leave(heavy)
    assert shares.of(light, _LINE) == 1000.0


def test_nothing_is_held_back_without_a_line() -> None:
    shares = Shares(clock=lambda: 0.0)
    assert shares.of(shares.enter(1.0), Policy()) is None
    assert policy_of_share(None).line is None


@pytest.mark.parametrize("at_s", [0.0, 1e9, 1.7e9])
def test_a_share_is_a_line_of_that_rate_at_any_hour(at_s: float) -> None:
    line = policy_of_share(125.5).line
    assert line is not None
    assert line.rate_bytes_s(at_s) == 125.5


class Asked:
    """A mover that asks whether to stop, of each task once; ``heard`` is what it was told, by volume."""

    def __init__(self) -> None:
        self.heard: dict[str, bool] = {}

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        self.heard[task.volume] = stop()
        if task.wanted is None:
            return {"compared": {"source": "a", "target": "a"}}
        return {"copied": {"mode": "seed", "data_bytes": 0, "wire_bytes": 0, "seconds": 0.0}}


def test_movers_are_stopped_by_volume() -> None:
    asked = Asked()
    transfers = MovedTransfers(
        asked,
        Ends("/a", "/b"),
        Manner(1, 1 << 20),
        generations=Generations(),
        shares=Shares(),
        stop=lambda volume: volume in ("v1", "v3"),
    )
    for volume in ("v1", "v2"):
        copied = transfers.copy(Wanted(volume, 1, Mode.SEED, "p"), lambda _: None)
        assert copied == Copied(Mode.SEED, 0, 0, 0.0)
    assert transfers.compare("v3", 1, None, lambda _: None).equal
    assert asked.heard == {"v1": True, "v2": False, "v3": True}
