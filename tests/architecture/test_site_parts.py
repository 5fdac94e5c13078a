"""The parts of a vCenter's site are put together in one class: none may take a name of another."""

from __future__ import annotations

from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.seen import Showing
from migrate.sites.vsphere.site import VsphereSite


def _own(part: type) -> set[str]:
    return {name for name in vars(part) if not name.startswith("__")}


def test_no_part_has_a_name_of_another() -> None:
    parts = [one for one in VsphereSite.__mro__[1:] if issubclass(one, Part) and one is not Part]
    assert len(parts) > 10
    clashes = {
        (name, one.__name__, other.__name__)
        for number, one in enumerate(parts)
        for other in parts[:number]
        for name in _own(one) & _own(other)
    }
    assert clashes == set()
    # the one that hears of every act does so in place of all
    assert {name for part in parts for name in _own(part) & _own(Part)} == {"act"}
    assert "act" in _own(Showing)
