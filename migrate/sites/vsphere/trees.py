"""Snapshots of a VM as its tree: whose each is, what it stands on, how long it has been there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from migrate.sites.removals import How
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import flag, many, moment, text

NAME = "wherry"
_STAMP = "wherry op "  # a description begins so; what follows is the op that took it
_MOST = 10_000  # vSphere allows 32 in a chain; a ring would never end


def stamped(op: str) -> str:
    """Return the description of a snapshot taken under ``op``."""
    return f"{_STAMP}{op}"


@dataclass(frozen=True, slots=True)
class Taken:
    """One snapshot. ``under`` are the ids of those it stands on, ``op`` is empty for other people's."""

    id: str
    name: str
    op: str
    quiesced: bool
    created: str
    under: tuple[str, ...] = ()

    @property
    def ref(self) -> Ref:
        """Its object."""
        return Ref("VirtualMachineSnapshot", self.id)


def tree(info: Any) -> tuple[Taken, ...]:
    """Return the snapshots in a VM's ``snapshot`` property, parents first."""
    return tuple(_below(many(info, "rootSnapshotList"), ()))


def ours(info: Any) -> dict[str, Taken]:
    """Return the snapshots in it that wherry took, by their ops.

    Of two of one op the older one is meant: the other came late, when the answer to the first was lost.
    """
    found: dict[str, Taken] = {}
    for one in tree(info):
        if one.op:
            found.setdefault(one.op, one)
    return found


def standing(info: Any, parts: Collection[str]) -> How | None:
    """Return what befell the snapshot of a VM that is one of these ids, None when it still stands.

    A VM has gone back behind it when the snapshot that it writes on is another one, and none on top of it.
    """
    taken = tree(info)
    mine = next((one for one in taken if one.id in parts), None)
    if mine is None:
        return How.REMOVED
    now = text(info, "currentSnapshot")
    behind = any(one.id == now and mine.id not in (one.id, *one.under) for one in taken)
    return How.REVERTED if behind else None


def _below(entries: list[Any], under: tuple[str, ...]) -> Iterator[Taken]:
    waiting = [(entry, under) for entry in entries]
    for _ in range(_MOST):
        if not waiting:
            return
        entry, above = waiting.pop(0)
        said = text(entry, "description")
        taken = Taken(
            text(entry, "snapshot"),
            text(entry, "name"),
            said.removeprefix(_STAMP) if said.startswith(_STAMP) else "",
            flag(entry, "quiesced") or False,
            moment(entry, "createTime"),
            above,
        )
        yield taken
        waiting += [(child, (*above, taken.id)) for child in many(entry, "childSnapshotList")]
