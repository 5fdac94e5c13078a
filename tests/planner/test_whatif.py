"""What if: settings and target as supposed, and what cannot be supposed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from planner.errors import BadInput, NotFound
from planner.model import Host
from planner.whatif import Change, Supposed, suppose
from tests.planner.sketch import estate, settings, vm

HERE = estate(vm("a", application="Shop"), vm("b", application="shop "), vm("c"))
THERE = estate(hosts=(Host("h1", "esx-1"), Host("h2", "esx-2")))


def supposed(said: dict[str, Any] | None = None, **more: Any) -> Supposed:
    return suppose(Change(**more), HERE, settings(**(said or {})), THERE)


def test_each_change_is_in_the_settings_or_the_target_and_nowhere_else() -> None:
    was = settings()
    assert supposed(link_mbit=400.0).settings.link.rate_mbit == 400.0
    assert supposed(caps_vms=7, caps_tib=2.5).settings.caps.model_dump(include={"vms", "tib"}) == {
        "vms": 7,
        "tib": 2.5,
    }
    assert supposed(exit_date=date(2027, 3, 31)).settings.waves.exit == date(2027, 3, 31)
    assert supposed(exclude_apps=("SHOP",)).settings.exclude == ("id-a", "id-b")
    (freeze,) = supposed(freezes=(("2026-12-18", "2027-01-04"),)).settings.freezes
    assert (freeze.start.day, freeze.end.day, freeze.zone) == (18, 5, "UTC"), "the last day is in it"
    night = {"windows": [{"start": "2026-12-17T22:00", "zone": "America/New_York"}]}
    (freeze,) = supposed(night, freezes=(("2026-12-18", "2026-12-18"),)).settings.freezes
    assert (freeze.start_utc.isoformat(), freeze.end_utc.isoformat()) == (
        "2026-12-18T05:00:00+00:00",
        "2026-12-19T05:00:00+00:00",
    )
    several = {"windows": [*night["windows"], {"start": "2026-12-24T22:00"}]}
    (freeze,) = supposed(several, freezes=(("2026-12-18", "2026-12-19T12:00"),)).settings.freezes
    assert (freeze.zone, freeze.end.isoformat()) == ("UTC", "2026-12-19T12:00:00")
    dropped = supposed(drop_hosts=("esx-2",))
    assert dropped.target is not None
    assert [host.id for host in dropped.target.hosts] == ["h1"]
    assert dropped.settings == was == settings()
    assert Change().nothing
    assert not Change(caps_vms=1).nothing


def test_a_host_is_no_matter_where_the_settings_say_what_is_free() -> None:
    found = supposed({"target": {"vcpus": 8}}, drop_hosts=("h1",))
    assert found.notes == ("target.vcpus of the settings counts, whatever hosts there are",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exclude_apps": ("x\x1b",)}, "no VM belongs to an application x"),
        ({"exclude_apps": ("",)}, "no VM belongs"),
        ({"drop_hosts": ("esx-9",)}, "the target has no host esx-9"),
        ({"freezes": (("2027-01-04", "2026-12-18"),)}, "ends before it starts"),
        ({"freezes": (("soon", "later"),)}, "what is supposed cannot be, at freezes"),
        ({"link_mbit": 0.0}, "at link.rate_mbit"),
    ],
)
def test_what_cannot_be_supposed_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        supposed(**change)


def test_without_a_target_no_host_can_be_dropped() -> None:
    with pytest.raises(NotFound, match="no inventory of the target"):
        suppose(Change(drop_hosts=("h1",)), HERE, settings(), None)
