"""Waivers: findings accepted until a day, with a reason and an owner, and taken back; each is audited."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.checks.waivers import Subject, Waiver
    from planner.readiness import Situation
    from planner.store.project import Project


def waive(
    project: Project,
    check_id: str | None,
    names: Sequence[str] = (),
    where: str | None = None,
    *,
    reason: str | None,
    owner: str | None,
    until: str | None,
    at: Situation | None = None,
) -> Waiver:
    """Accept the findings of a check on objects by name or id, or on all VMs that match a filter.

    ``at`` is the situation when it is known. Raises BadInput for what is missing, wrong or has no finding.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.readiness import situation
    from planner.store.waivers import give

    if not check_id:
        raise BadInput("waive needs the id of a check", "see 'wherry check' for findings and their checks")
    if names and where:
        raise BadInput("names and --where were both given", "give one of them")
    why = _said(reason, "--reason", "why the finding is accepted")
    who_answers = _said(owner, "--owner", "who answers for it")
    day = _last_day(_said(until, "--until", "until which day, like 2027-03-31"))
    subjects = _chosen(at or situation(project), check_id, tuple(names), where)
    waiver = give(
        project,
        check=check_id,
        subjects=subjects,
        reason=why,
        owner=who_answers,
        until=day,
        who=audit.person(),
        where=where or "",
    )
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "waive",
        check_id,
        {"waiver": waiver.id, "subjects": [item.id for item in subjects], "owner": who_answers,
         "until": day.isoformat(), "reason": why},
    )  # fmt: skip
    return waiver


def withdraw(project: Project, number: int, reason: str | None) -> Waiver:
    """Take a waiver back: its findings count again. Raises NotFound, and BadInput without a reason."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import waivers

    why = _said(reason, "--reason", "why the waiver is taken back")
    waiver = waivers.withdraw(project, number, audit.person(), why)
    audit.note(project, Effect.EDIT_PLAN, "waive --withdraw", f"waiver {number}", {"why": why})
    return waiver


def _said(value: str | None, option: str, what: str) -> str:
    from planner.errors import BadInput

    if not value or not value.strip():
        raise BadInput(f"a waiver needs {option}", f"say {what}")
    return value.strip()


def _last_day(text: str) -> date:
    from planner.errors import BadInput
    from planner.names import visible
    from planner.readiness import today

    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{visible(text, 40)!r} is not a date", "write it like 2027-03-31") from error
    if day < today():
        raise BadInput(f"{day.isoformat()} is over", "give the last day on which it is accepted")
    return day


def _chosen(at: Situation, check_id: str, names: tuple[str, ...], where: str | None) -> tuple[Subject, ...]:
    from planner.checks.check import About
    from planner.checks.waivers import chosen
    from planner.errors import BadInput
    from planner.fields import Seen
    from planner.model import Finding
    from planner.query import parse
    from planner.readiness import judge, today

    check = at.check(check_id)
    whole = check.about is About.ESTATE
    if where is not None and check.about is not About.VM:
        raise BadInput(f"{check_id} is not about VMs but about {check.about.value}s", "name them")
    if not names and where is None and not whole:
        raise BadInput("waive needs names or a filter", "name VMs, or choose them by --where FILTER")
    findings = judge(at, today()).findings
    if where is None:
        return chosen(check_id, findings, names, (lambda found: True) if whole else None)
    wanted = parse(where)
    seen = Seen.of(at.inventory)
    matching = {vm.id for vm in at.inventory.vms if wanted.matches(vm, seen)}

    def is_wanted(found: Finding) -> bool:
        return found.subject_kind == About.VM.value and found.subject in matching

    return chosen(check_id, findings, names, is_wanted)
