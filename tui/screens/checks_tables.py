"""The three tables of Checks: checks that found something, VMs with how they came out, findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.text import count
from tui.theme import severity_mark, tally_tone, tally_words
from tui.widgets.column import Column

if TYPE_CHECKING:
    from planner.store.judged import CheckCount
    from planner.vocabulary import Vocabulary
    from tui.listing import Tally

_SEVERITIES = ("blocker", "warning", "info")
UNDECIDED = len(_SEVERITIES)  # weight of a check that found nothing and left something open


def _weighed(weight: int) -> str:
    return severity_mark(_SEVERITIES[weight]).text if weight < UNDECIDED else "? undecided"


def _weight_tone(weight: int) -> str:
    return severity_mark(_SEVERITIES[weight]).tone if weight < UNDECIDED else "dim"


def _some(number: int) -> str:
    return count(number) if number else "–"


def _dash(text: str) -> str:
    return visible(text) or "–"


def _open(tally: Tally | None) -> str:
    return "…" if tally is None else _some(tally[2])


def _accepted(waiver: str) -> str:
    return f"✔ {visible(waiver)}" if waiver else "–"


CHECKS = (
    Column(1, "severity", 11, _weighed, _weight_tone, keep=9, kind=""),
    Column(2, "check", 26, keep=8),
    Column(3, "title", 16, _dash, flex=True, keep=4),
    Column(4, "found", 7, _some, right=True, keep=7, kind="number"),
    Column(5, "accepted", 8, _some, right=True, keep=5, kind="number"),
    Column(6, "undecided", 9, _some, right=True, keep=6, kind="number"),
    Column(7, "about", 9, _dash, keep=1),
)
VMS = (
    Column(1, "name", 18, flex=True, keep=9),
    Column(10, "checks", 10, tally_words, tally_tone, keep=8),
    Column(10, "undecided", 9, _open, right=True, keep=6),
    Column(8, "wave", 5, _dash, keep=7),
    Column(4, "os", 20, _dash, keep=1),
    Column(2, "cluster", 12, _dash, keep=2),
)
FOUND = (
    Column(5, "severity", 10, _weighed, _weight_tone, keep=4),
    Column(6, "check", 22, keep=3),
    Column(1, "name", 20, keep=9),
    Column(11, "found", 16, flex=True, keep=8),
    Column(3, "wave", 5, _dash, keep=7),
    Column(4, "waiver", 8, _accepted, lambda waiver: "good" if waiver else "dim", keep=6),
)
OF_A_CHECK = (2, 3, 4, 5)  # columns of FOUND; what all rows share stands in the title
OF_A_VM = (0, 1, 3, 5)


@dataclass(frozen=True, slots=True)
class Listed:
    """A table of the place: its columns, what its rows are called, whose saved filters it knows."""

    columns: tuple[Column, ...]
    noun: str
    filters: str
    example: str


TABLES: Mapping[str, Listed] = {
    "checks": Listed(CHECKS, "check", "", "check~disks severity:blocker found>10"),
    "vms": Listed(VMS, "VM", "inventory", "os~win checks:blocked"),
    "found": Listed(FOUND, "finding", "findings", "name~crm wave:W03 waived:no"),
}


def check_words() -> Vocabulary:
    """Return what filters of checks may ask for: the columns, the severity by its word."""
    from planner.vocabulary import Choice
    from tui.widgets.vocabulary import vocabulary_of

    words = (*_SEVERITIES, "undecided")
    severity = Choice("severity", lambda row, seen: frozenset({words[row[1]]}), words)
    return vocabulary_of(CHECKS).also({"severity": severity})


def check_rows(
    counts: Iterable[CheckCount], titles: Mapping[str, Any], only: str
) -> tuple[tuple[Any, ...], ...]:
    """Return a row a check: id, weight, id, title, findings, accepted, undecided, about; gravest first.

    ``only`` is "blockers" that nobody accepted, "undecided", "waived", or "" for all.
    """
    rows: dict[str, list[Any]] = {}
    for item in counts:
        weight = UNDECIDED if item.severity is None else _SEVERITIES.index(item.severity.value)
        said = titles.get(item.check, {})
        row = rows.setdefault(
            item.check,
            [
                item.check,
                weight,
                item.check,
                said.get("title", ""),
                0,
                0,
                0,
                item.kind or said.get("about", ""),
                0,
            ],
        )
        row[1] = min(row[1], weight)
        row[4] += item.findings
        row[5] += item.waived
        row[6] += item.unknown
        row[8] += (item.findings - item.waived) * (weight == 0)
    place = {"blockers": 8, "undecided": 6, "waived": 5}.get(only)
    kept = (row for row in rows.values() if place is None or row[place])
    return tuple(tuple(row[:8]) for row in sorted(kept, key=lambda row: row[1]))


def is_wanted(tally: Tally | None, only: str) -> bool:
    """Return whether a VM with this tally is among those shown."""
    if tally is None:
        return False
    if only == "blockers":
        return tally[0] > 0
    if only == "undecided":
        return tally[2] > 0
    return any(tally)
