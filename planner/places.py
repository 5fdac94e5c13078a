"""The tables that have filters, by the place they stand in, and what a filter there may ask for.

VMs of the inventory, findings (``planner.model.Finding``) and waves (``planner.store.plan_waves.WaveRow``).
"""

from __future__ import annotations

from planner.errors import NotFound
from planner.fields import TABLE_WORDS, said
from planner.model import Severity
from planner.names import visible
from planner.vocabulary import NO, YES, Choice, Number, Text, Vocabulary

FINDING_WORDS = Vocabulary(
    {
        "name": Text("name of what it is about", lambda row, seen: said(row.subject_name)),
        "id": Text("id of what it is about", lambda row, seen: said(row.subject)),
        "kind": Text("what it is about: vm, host, cluster, ...", lambda row, seen: said(row.subject_kind)),
        "check": Text("id of the check", lambda row, seen: said(row.check)),
        "family": Text("family of the check", lambda row, seen: said(row.check.partition(".")[0])),
        "severity": Choice(
            "severity",
            lambda row, seen: frozenset({row.severity.value}),
            tuple(severity.value for severity in Severity),
        ),
        "message": Text("what was found", lambda row, seen: said(row.message)),
        "remedy": Text("what to do", lambda row, seen: said(row.remedy)),
        "waived": Choice("a waiver in force covers it", lambda row, seen: YES if row.waiver else NO),
        "waiver": Text("the waiver's sentence", lambda row, seen: (row.waiver,) if row.waiver else ()),
        "wave": Text(
            "wave of the VM, or none", lambda row, seen: seen.placed.get(row.subject, ())[:1], "none"
        ),
    },
    noun="finding",
)
WAVE_WORDS = Vocabulary(
    {
        "wave": Text("name or title", lambda row, seen: (row.name, row.title or None)),
        "start": Text(
            "day in UTC on which its window opens, none where it has no window",
            lambda row, seen: (row.window.start_utc.date().isoformat(),) if row.window else (),
            "none",
        ),
        "groups": Number("move groups", lambda row, seen: row.groups),
        "vms": Number("VMs", lambda row, seen: row.vms),
        "size": Number("data", lambda row, seen: row.size_bytes, is_size=True),
        "tasks": Number("tasks before it", lambda row, seen: row.tasks),
        "effort": Number("minutes of work before it", lambda row, seen: row.effort_min),
        "downtime": Number("minutes of downtime, P95", lambda row, seen: round(row.downtime_min[1])),
    },
    bare="wave",
    noun="wave",
)
PLACES: dict[str, Vocabulary] = {
    "inventory": TABLE_WORDS,
    "findings": FINDING_WORDS,
    "waves": WAVE_WORDS,
}


def words_of(place: str) -> Vocabulary:
    """Return what filters of a place may ask for; raises NotFound."""
    if place not in PLACES:
        raise NotFound(f"no table of {visible(place, 40)} has filters", f"use one of: {', '.join(PLACES)}")
    return PLACES[place]
