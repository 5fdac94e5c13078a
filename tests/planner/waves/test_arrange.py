"""Two tracks: plain groups, shared services behind them, and services that somebody put among the plain."""

from __future__ import annotations

from typing import Any

import pytest

from planner.errors import Blocked
from planner.units import TIB
from tests.planner.sketch import disk, estate, vm
from tests.planner.waves.laid import SATURDAYS, desk, homes, made

SERVED = estate(
    vm("a"), vm("b"), vm("c"), vm("d"), vm("dc", tier="directory"), vm("ns", tier="directory")
)  # fmt: skip
TWO: dict[str, Any] = {"caps": {"vms": 2}}
EARLY: dict[str, Any] = {**TWO, "pins": [{"what": "dc", "wave": "W01"}]}


@pytest.mark.parametrize("more", [{}, {"windows": SATURDAYS}])
def test_a_service_pinned_among_plain_groups_takes_of_their_caps(more: dict[str, Any]) -> None:
    found = made(SERVED, **EARLY, **more)
    where = homes(found)
    assert where["dc"] == "W01"
    assert all(len(wave.vms) <= 2 for wave in found.waves)
    assert where["ns"] > max(where[name] for name in "abcd")
    assert found.score.hard_violations == 0
    assert found.score.waves == 4


def test_a_service_pinned_behind_the_plain_groups_shares_the_wave_of_services() -> None:
    where = homes(made(SERVED, caps={"vms": 4}, pins=[{"what": "dc", "wave": "W02"}]))
    assert {where[name] for name in "abcd"} == {"W01"}
    assert where["dc"] == where["ns"] == "W02"


def test_a_service_pinned_into_a_wave_that_is_full_by_pins_is_refused() -> None:
    pins = [{"what": name, "wave": "W01"} for name in ("a", "b", "dc")]
    with pytest.raises(Blocked, match=r"no plan can keep every rule: \w+ is pinned to W01"):
        made(SERVED, caps={"vms": 2}, pins=pins)


def test_a_service_pinned_among_plain_groups_sends_over_the_same_line() -> None:
    """The line carries one of the two until the first window."""
    slow = {"rate_mbit": 13.0, "share": 1.0}
    large = estate(vm("a", disk(size_bytes=TIB)), vm("dc", disk(size_bytes=TIB), tier="directory"))
    more: dict[str, Any] = {"link": slow, "windows": SATURDAYS, "pins": [{"what": "dc", "wave": "W01"}]}
    where = homes(made(large, **more))
    assert (where["dc"], where["a"] > "W01") == ("W01", True)


def test_edits_count_a_service_among_plain_groups_with_them() -> None:
    laid = desk(SERVED, made(SERVED, **EARLY), **EARLY)
    mate = next(name for name, wave in homes(made(SERVED, **EARLY)).items() if wave == "W01" and name != "dc")
    outside = next(name for name in "abcd" if name != mate)
    assert laid.move(outside, "W01").refused == ("W01 holds 3 VMs, its cap is 2",)
    assert laid.move(mate, "W03").refused == ()  # dc in the first wave does not end it for plain groups
    assert laid.move(outside, "W04").refused == (
        f"shared services move last, from W04 on: {outside} cannot be behind them",
    )
    assert laid.why("dc").held == ("dc is pinned to W01 in the settings",)
