"""Deviations that people caused: words against, levers pulled, findings waived, plans changed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from migrate.gates import words
from migrate.gates.words import Verdict, Word
from migrate.papers.deviations.found import Found, Strayed
from migrate.papers.moments import Moments
from migrate.rehearsals import book
from migrate.run.history import Event, Mode
from migrate.run.runbook import GO, HUMAN
from migrate.run.store import RunKind
from planner.store import settings, waivers
from planner.units import show_bytes

_MOST = 4  # entries of the settings, or names, that a sentence holds
_LONGEST = 40  # characters of a value in it


def retries(told: Moments) -> Found:
    """Another try that somebody asked for."""
    for one in told.of_events(Event.RETRY):
        who = one.detail.get("who")
        said = f"{who} asked for another try" if who else "the verb was run again, which is another try"
        yield Strayed(one.at, one.step, f"{said} at {told.title(one)}")


def overlooked(told: Moments) -> Found:
    """Snapshots of others that a person had the run go on beside."""
    for one in told.of_events(Event.OVERLOOKED):
        names = ", ".join(
            f"{told.vm_name(vm)} ({', '.join(ids)})" for vm, ids in one.detail["snapshots"].items()
        )
        said = f"{one.detail['who']} had foreign snapshots of {names} overlooked: {one.detail['reason']}"
        yield Strayed(one.at, "", said)


def human_steps(told: Moments) -> Found:
    """Steps that a person did, and programs for which a person stood in."""
    for one in told.of_events(Event.APPROVED, Event.DONE, Event.UNDONE):
        step = told.step(one)
        if step is None:
            continue
        if step.kind == HUMAN and one.event is Event.APPROVED:
            who = one.detail.get("who") or "a person"
            yield Strayed(one.at, one.step, f"{step.title} was done by {who}, by hand")
        elif step.kind == "hook" and one.detail.get("said"):
            yield Strayed(one.at, one.step, f"{step.title}: a person did it and said so, no program ran")


def against(told: Moments) -> Found:
    """Gates that somebody held or refused."""
    verbs = {Verdict.HOLD: "held", Verdict.REFUSE: "refused"}
    for word in _words(told):
        if verb := verbs.get(word.verdict):
            yield Strayed(word.at, word.gate, f"{word.who} {verb} the gate {word.gate}: {word.reason}")


def other_plan(told: Moments) -> Found:
    """Words and approvals on another plan than the run carries out."""
    for word in _words(told):
        if word.fingerprint != told.run.fingerprint:
            said = f"{word.who} said {word.verdict.value} at the gate {word.gate} on another plan"
            yield Strayed(word.at, word.gate, said)
    rows = told.project.rows(
        "SELECT who, at FROM approval WHERE wave = ? AND at > ? AND at <= ? AND fingerprint <> ? ORDER BY id",
        *(told.wave.name, told.run.at, told.until, told.run.fingerprint),
    )
    for row in rows:
        said = f"{row['who']} approved {told.wave.name} as another plan has it, while this run went on"
        yield Strayed(row["at"], "", said)


def unwitnessed(told: Moments) -> Found:
    """Words that have no line in the audit chain."""
    for word in words.unwitnessed(told.project):
        if word.run == told.run.id:
            said = f"the word of {word.who} at the gate {word.gate} has no line in the audit chain"
            yield Strayed(word.at, word.gate, said)


def by_policy(told: Moments) -> Found:
    """Gates that the approved plan passed."""
    for one in told.of_events(Event.APPROVED):
        if policy := one.detail.get("policy"):
            said = f"{told.title(one)} was passed by the policy {policy} of the approved plan, by no person"
            yield Strayed(one.at, one.step, said)


def turned_back(told: Moments) -> Found:
    """A run that was rolled back or aborted."""
    for one in told.of_events(Event.ROLLBACK, Event.ABORT):
        word = "rolled back" if Mode(one.event.value) is Mode.ROLLBACK else "aborted"
        yield Strayed(one.at, "", f"{one.detail.get('who') or 'somebody'} had the run {word}")


def pauses(told: Moments) -> Found:
    """Pauses that somebody asked for."""
    query = "SELECT who, at FROM control WHERE wave = ? AND kind = 'pause' AND at BETWEEN ? AND ? ORDER BY id"
    for row in told.project.rows(query, told.wave.name, told.run.at, told.until):
        yield Strayed(row["at"], "", f"{row['who']} paused the run")


def levers(told: Moments) -> Found:
    """Settings that were changed while the run went on; some of them count at once."""
    before: dict[str, Any] = settings.get(told.project, 0).model_dump(mode="json")
    for row in told.project.rows(
        "SELECT version, at, who, document FROM settings WHERE at <= ? ORDER BY version", told.until
    ):
        document = json.loads(row["document"])
        if row["at"] > told.run.at:
            changed = [*_changed(before, document)]
            if changed:
                more = len(changed) - _MOST
                named = "; ".join(changed[:_MOST]) + (f"; and {more} more" if more > 0 else "")
                said = f"{row['who']} changed the settings (version {row['version']}): {named}"
                yield Strayed(row["at"], "", said)
        before = document


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """Yield what differs in two documents of settings, by dotted name."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changed(old, new, f"{name}{key}.")
        elif isinstance(old, list | dict) or isinstance(new, list | dict):
            yield f"{name}{key}"
        else:
            yield f"{name}{key} from {_told(old)} to {_told(new)}"


def _told(value: object) -> str:
    text = "nothing" if value in (None, "") else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def repairs(told: Moments) -> Found:
    """Disks of the wave of which ``wherry verify --repair`` sent something again meanwhile."""
    volumes = {disk.volume: disk for disk in told.wave.disks}
    query = "SELECT at, who, subject, detail FROM audit WHERE act = 'verified' AND at BETWEEN ? AND ?"
    for row in told.project.rows(f"{query} ORDER BY seq", told.run.at, told.until):
        sent = json.loads(row["detail"]).get("repaired_bytes", 0)
        if sent and (disk := volumes.get(row["subject"])):
            holder = disk.attachments[0]
            said = f"{row['who']} had {show_bytes(sent)} of {told.vm_name(holder.vm)} {holder.label} repaired"
            yield Strayed(row["at"], "", said)


def waived(told: Moments) -> Found:
    """Findings on VMs of the wave that somebody accepts, with the last day of it."""
    members = {vm.id for vm in told.wave.vms}
    began = datetime.fromisoformat(told.run.at).date()
    for one in waivers.all_waivers(told.project):
        ended = one.withdrawn is not None and one.withdrawn.at < told.run.at
        if one.at > told.until or one.until < began or ended:
            continue
        names = [item.name for item in one.subjects if item.kind == "vm" and item.id in members]
        if names:
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            said = f"{one.check} was waived for {', '.join(names[:_MOST])}{more} by {one.who}: {one.sentence}"
            yield Strayed(one.at, "", said)


def unrehearsed(told: Moments) -> Found:
    """A cutover of what was never rehearsed, not as it is, or not cleanly."""
    went = told.last(GO, Event.APPROVED)
    if not went or told.run.kind is RunKind.FAILBACK:
        return
    if why := book.reminder(told.project, told.wave.name, told.run.fingerprint, went):
        yield Strayed(went, GO, why)


def _words(told: Moments) -> Iterator[Word]:
    for said in words.of_run(told.project, told.run.id).values():
        yield from said
