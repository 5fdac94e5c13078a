"""The tables that have filters, by the place they stand in, and what a filter there may ask for.

VMs of the inventory, findings (``planner.model.Finding``), and waves and what ties VMs: tables whose rows are
tuples, a key first, then a value for each field here, in this order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from planner.errors import NotFound
from planner.fields import TABLE_WORDS, said
from planner.model import Severity
from planner.names import visible
from planner.vocabulary import NO, YES, Choice, Field, Number, Text, Vocabulary, Words

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


def _text_at(at: int) -> Callable[[Any, Any], Words]:
    return lambda row, seen: said("" if row[at] is None else str(row[at]))


def _number_at(at: int) -> Callable[[Any, Any], int | None]:
    return lambda row, seen: row[at]


def _row_words(noun: str, *fields: tuple[str, str, str]) -> Vocabulary:
    """Return the vocabulary of rows: name, kind (text, number, size), meaning; bare words ask the first.

    A field without a kind has its place in the rows, and nobody asks for it.
    """
    words: dict[str, Field] = {}
    for at, (name, kind, meaning) in enumerate(fields, 1):
        if not kind:
            continue
        if kind == "text":
            words[name] = Text(meaning, _text_at(at))
        else:
            words[name] = Number(meaning, _number_at(at), is_size=kind == "size")
    return Vocabulary(words, bare=fields[0][0], noun=noun)


WAVE_WORDS = _row_words(
    "wave",
    ("wave", "text", "name"),
    ("title", "text", "title"),
    ("groups", "number", "move groups"),
    ("vms", "number", "VMs"),
    ("data", "size", "data, as far as it is known"),
    ("window", "text", "when its window opens, empty where it has none"),
    ("downtime", "", ""),
    ("limits", "", ""),
    ("state", "text", "planned, approved, replicating, ..."),
    ("approved", "text", "who approved it"),
    ("checks", "", ""),
    ("broken", "number", "rules it breaks"),
    ("edit", "text", "● where it was edited and not saved"),
)
GROUP_WORDS = _row_words(
    "group",
    ("group", "text", "name"),
    ("vms", "number", "VMs"),
    ("data", "size", "data"),
    ("wave", "text", "its wave"),
    ("out", "size", "traffic a day to other groups"),
    ("in", "size", "traffic a day from other groups"),
    ("tie", "number", "how strongly it is held together: 0 to 3"),
    ("cross", "number", "ties to groups in other waves"),
    ("hub", "text", "yes for what serves all, else no"),
)
TIE_WORDS = _row_words(
    "tie",
    ("vm", "text", "the VM that needs"),
    ("needs", "text", "the VM that is needed"),
    ("tie", "text", "hard, soft, order or apart"),
    ("kind", "text", "volume, clone, ft, vapp, rule, dependency or person"),
    ("port", "number", "port"),
    ("traffic", "size", "traffic a day"),
    ("sure", "number", "how sure it is, in percent"),
    ("state", "text", "found, accepted, refused or added"),
    ("crosses", "text", "yes when its ends move in different waves, else no"),
    ("group", "text", "the group of the VM that needs"),
    ("other", "text", "the group of the VM that is needed"),
    ("why", "text", "reason"),
    ("evidence", "text", "what it is known from"),
    ("decided", "text", "who decided on it, when and why"),
)
HUB_WORDS = _row_words(
    "hub",
    ("vm", "text", "the VM"),
    ("users", "number", "VMs that need it"),
    ("traffic", "size", "traffic that was seen"),
    ("ports", "text", "ports it is needed on"),
    ("verdict", "text", "yes or no once a person decided"),
    ("why", "text", "reasons"),
)
OVERSIZED_WORDS = _row_words(
    "oversized group",
    ("group", "text", "name"),
    ("vms", "number", "VMs"),
    ("cap", "number", "VMs that the caps allow"),
    ("data", "size", "data"),
    ("datacap", "size", "data that the caps allow"),
)
CYCLE_WORDS = _row_words(
    "circle",
    ("circle", "text", "the groups that wait for each other"),
    ("groups", "number", "groups"),
    ("later", "text", "the group that waits, of the tie that is cheapest to drop"),
    ("earlier", "text", "the group it waits for"),
    ("sure", "number", "how sure that tie is, in percent"),
)
SUGGESTION_WORDS = _row_words(
    "suggestion",
    ("application", "text", "name"),
    ("sure", "number", "how sure it is, in percent"),
    ("vms", "number", "VMs"),
    ("new", "number", "VMs that belong to no application yet"),
    ("why", "text", "reasons"),
)
NAME_WORDS = _row_words(
    "name",
    ("name", "text", "name or address as it was imported"),
    ("state", "text", "unknown, several, settled or 'not ours'"),
    ("traffic", "size", "traffic that was seen"),
    ("talks", "number", "conversations"),
    ("facts", "number", "facts of application lists"),
    ("means", "text", "VMs it could be or is settled to be"),
)
REHEARSAL_WORDS = _row_words(
    "wave",
    ("wave", "text", "name"),
    ("name", "text", "title"),
    ("vms", "number", "VMs"),
    ("window", "text", "when its window opens, empty where it has none"),
    ("rehearsed", "text", "when it was rehearsed last, in UTC"),
    ("cutover", "number", "minutes from its cutover to its commit, P95 of the runs"),
    ("fits", "number", "runs that fitted its window, in percent"),
    ("verdict", "text", "clean, never, changed since, ..."),
)
PROGRESS_WORDS = _row_words(
    "wave",
    ("wave", "text", "name"),
    ("name", "text", "title"),
    ("groups", "number", "move groups"),
    ("vms", "number", "VMs"),
    ("data", "size", "data, as far as it is known"),
    ("state", "text", "planned, approved, replicating, ..."),
    ("cutover", "text", "when its window opens, empty where it has none"),
    ("free", "number", "VMs that no blocker holds, in percent"),
    ("steps", "number", "steps that are done, in percent"),
    ("now", "text", "what it waits for or does"),
)
ACT_WORDS = replace(
    _row_words(
        "act",
        ("at", "text", "when, in UTC: at:2027-01-09*"),
        ("wave", "text", "the wave, empty where it is of none"),
        ("who", "text", "login of the person, or of whom the engine acted for"),
        ("kind", "text", "step, gate, run, rehearsal, plan or other"),
        ("act", "text", "done, failed, approve, rollback, ..."),
        ("what", "text", "what was done"),
        ("run", "number", "number of the run"),
    ),
    bare="what",
)
LANE_WORDS = _row_words(
    "lane",
    ("name", "text", "the wave, group or VM"),
    ("phase", "text", "seeding, delta, in sync, paused, failed, ..."),
    ("share", "number", "how much of what is under way is done, in percent"),
    ("moved", "", ""),
    ("rate", "size", "bytes a second"),
    ("left", "", ""),
    ("rpo", "number", "age of the newest whole copy in minutes"),
    ("changed", "size", "what the last whole round found changed"),
    ("tries", "number", "tries in vain"),
    ("note", "text", "why it is late, waits or failed"),
)
STEP_WORDS = replace(
    _row_words(
        "step",
        ("status", "text", "done, started, failed, rests, held, waits, due, pending, ..."),
        ("no", "number", "its place in the runbook"),
        ("step", "text", "title"),
        ("at", "text", "when it last began or ended, in UTC"),
        ("said", "text", "its evidence, or why it failed or waits"),
    ),
    bare="step",
)
NEED_WORDS = replace(
    _row_words(
        "need",
        ("severity", "text", "blocker, gate, warning or info"),
        ("what", "text", "what needs a person"),
        ("helps", "text", "what helps"),
        ("where", "text", "the place where that is"),
    ),
    bare="what",
)
TABLES: dict[str, Vocabulary] = {  # whose rows are tuples
    "waves": WAVE_WORDS,
    "groups": GROUP_WORDS,
    "ties": TIE_WORDS,
    "hubs": HUB_WORDS,
    "oversized": OVERSIZED_WORDS,
    "cycles": CYCLE_WORDS,
    "suggestions": SUGGESTION_WORDS,
    "names": NAME_WORDS,
    "rehearsals": REHEARSAL_WORDS,
    "progress": PROGRESS_WORDS,
    "needs": NEED_WORDS,
    "acts": ACT_WORDS,
    "lanes": LANE_WORDS,
    "steps": STEP_WORDS,
}
PLACES: dict[str, Vocabulary] = {"inventory": TABLE_WORDS, "findings": FINDING_WORDS, **TABLES}


def words_of(place: str) -> Vocabulary:
    """Return what filters of a place may ask for; raises NotFound."""
    if place not in PLACES:
        raise NotFound(f"no table of {visible(place, 40)} has filters", f"use one of: {', '.join(PLACES)}")
    return PLACES[place]
