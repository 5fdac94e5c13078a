"""Ids across several vCenters: one rule for a workbook that holds several and for merged inventories.

The first vCenter keeps its ids; everything of a later one has the vCenter's id and a slash in front.
Ids of one vCenter are unique within it only: two of them have a ``vm-42`` each.
"""

from __future__ import annotations

from collections.abc import Iterable

_NAMELESS = "unknown"


class Naming:
    """The prefixes of ids, by vCenter, in the order in which vCenters are met. "" is one of its own."""

    def __init__(self, vcenters: Iterable[str] = ()) -> None:
        self._order: dict[str, None] = dict.fromkeys(vcenters)

    @property
    def vcenters(self) -> tuple[str, ...]:
        """The vCenters in order."""
        return tuple(self._order)

    def prefix(self, vcenter: str) -> str:
        """Return what stands before the ids of a vCenter: nothing for the first one."""
        self._order.setdefault(vcenter)
        return "" if vcenter == next(iter(self._order)) else f"{vcenter or _NAMELESS}/"

    def named(self, vcenter: str, bare: str) -> str:
        """Return the id of an object that its vCenter calls ``bare``."""
        return self.prefix(vcenter) + bare


def bare(vcenter: str, name: str) -> str:
    """Return an id without its vCenter in front."""
    return name.removeprefix(f"{vcenter or _NAMELESS}/")
