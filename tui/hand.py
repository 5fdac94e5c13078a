"""Planning by hand as the screens see it: what the study said last, each answer laid over the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.sized import size_of

Spread = tuple[float, float]  # P50, P95


@dataclass(frozen=True, slots=True)
class Takes:
    """What an edited wave takes as it stands."""

    seed_h: Spread
    downtime_min: Spread


@dataclass(frozen=True, slots=True)
class Laid:
    """A wave as it lies on the desk. ``limits`` are (limit, used, cap, whose); times ISO 8601 in UTC.

    The size is ``AtLeast`` where not all disks are known. ``whole`` says why it may be over its limits,
    empty when it is not.
    """

    wave: str
    slot: int
    start: str
    end: str
    groups: tuple[str, ...]
    vms: int
    size_bytes: int
    locked: bool
    limits: tuple[tuple[str, float, float, str], ...]
    violations: tuple[str, ...]
    whole: str = ""

    @property
    def fullest(self) -> tuple[str, float, float, str] | None:
        """The limit that is used most, None where there are none."""
        return max(self.limits, key=lambda one: one[1] / one[2] if one[2] else 0.0, default=None)


@dataclass(frozen=True, slots=True)
class Hand:
    """The plan that is edited. ``edited`` are waves unlike those saved; an emptied one is None."""

    plan: int
    outdated: bool  # somebody stored another plan meanwhile
    score: Mapping[str, float]
    difference: Mapping[str, float]
    unsaved: tuple[str, ...]  # what was done, the oldest first
    can_undo: bool
    can_redo: bool
    edited: Mapping[str, Takes | None]
    rows: Mapping[str, Laid]


def heard(before: Hand | None, answer: Mapping[str, Any]) -> Hand:
    """Return the plan after an answer of the study: whole when it says all waves, else laid over before."""
    rows = {row["wave"]: _laid(row) for row in answer["rows"]}
    if "gone" in answer and before is not None:
        kept = {wave: row for wave, row in before.rows.items() if wave not in answer["gone"]}
        rows = {**kept, **rows}
    return Hand(
        answer["plan"],
        answer["outdated"],
        answer["score"],
        answer["difference"],
        tuple(edit["did"] for edit in answer["unsaved"]),
        answer["can_undo"],
        answer["can_redo"],
        {wave: _takes(said) for wave, said in answer["edited"].items()},
        dict(sorted(rows.items(), key=lambda pair: pair[1].slot)),
    )


def _laid(row: Mapping[str, Any]) -> Laid:
    return Laid(
        row["wave"],
        row["slot"],
        row["start"],
        row["end"],
        tuple(row["groups"]),
        row["vms"],
        size_of(row["size_bytes"], row["sized"]),
        row["locked"],
        tuple((one["limit"], one["used"], one["cap"], one["whose"]) for one in row["limits"]),
        tuple(row["violations"]),
        row["whole"],
    )


def _takes(said: Mapping[str, Any] | None) -> Takes | None:
    if said is None:
        return None
    (seed, seed_late), (down, down_late) = said["seed_h"], said["downtime_min"]
    return Takes((seed, seed_late), (down, down_late))
