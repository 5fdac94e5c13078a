"""Waivers: findings accepted until a day, with a reason and an owner, and taken back; each is audited."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.checks.waivers import Subject, Waiver
    from planner.model import Finding
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
    from planner.errors import BadInput
    from planner.readiness import situation

    if not check_id:
        raise BadInput("waive needs the id of a check", "see 'wherry check' for findings and their checks")
    if names and where:
        raise BadInput("names and --where were both given", "give one of them")
    why, who_answers, day = _terms(reason, owner, until)
    subjects = _chosen(project, at or situation(project), check_id, tuple(names), where)
    return _give(project, check_id, subjects, why, who_answers, day, where or "")


def waive_several(
    project: Project,
    found: Mapping[str, Sequence[str]],
    *,
    reason: str | None,
    owner: str | None,
    until: str | None,
    at: Situation | None = None,
) -> tuple[Waiver, ...]:
    """Accept findings of several checks, each on objects by id: one waiver a check, all of them or none.

    Raises as ``waive`` does.
    """
    from planner.readiness import situation

    why, who_answers, day = _terms(reason, owner, until)
    at = at or situation(project)
    chosen = {check: _chosen(project, at, check, tuple(names), None) for check, names in found.items()}
    return tuple(_give(project, check, subjects, why, who_answers, day) for check, subjects in chosen.items())


def _give(
    project: Project,
    check_id: str,
    subjects: tuple[Subject, ...],
    why: str,
    owner: str,
    day: date,
    where: str = "",
) -> Waiver:
    from migrate import audit
    from planner.effects import Effect
    from planner.store.waivers import give

    waiver = give(
        project,
        check=check_id,
        subjects=subjects,
        reason=why,
        owner=owner,
        until=day,
        who=audit.person(),
        where=where,
    )
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "waive",
        check_id,
        {"waiver": waiver.id, "subjects": [item.id for item in subjects], "owner": owner,
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


def _terms(reason: str | None, owner: str | None, until: str | None) -> tuple[str, str, date]:
    why = _said(reason, "--reason", "why the finding is accepted")
    who_answers = _said(owner, "--owner", "who answers for it")
    return why, who_answers, last_day(_said(until, "--until", "until which day, like 2027-03-31"))


def _said(value: str | None, option: str, what: str) -> str:
    from planner.errors import BadInput

    if not value or not value.strip():
        raise BadInput(f"a waiver needs {option}", f"say {what}")
    return value.strip()


def last_day(text: str) -> date:
    """Return the last day of a waiver; raises BadInput for what is no day, or one that is over."""
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


def _chosen(
    project: Project, at: Situation, check_id: str, names: tuple[str, ...], where: str | None
) -> tuple[Subject, ...]:
    from planner.checks.check import About
    from planner.checks.waivers import chosen
    from planner.errors import BadInput
    from planner.selection import read_filter, seen

    check = at.check(check_id)
    whole = check.about is About.ESTATE
    if where is not None and check.about is not About.VM:
        raise BadInput(f"{check_id} is not about VMs but about {check.about.value}s", "name them")
    if not names and where is None and not whole:
        raise BadInput("waive needs names or a filter", "name VMs, or choose them by --where FILTER")
    if where is None:
        findings = _findings(project, at, check_id)
        return chosen(check_id, findings, names, (lambda found: True) if whole else None)
    wanted = read_filter(project, where)
    known = seen(project, at.inventory, wanted)
    matching = {vm.id for vm in at.inventory.vms if wanted.matches(vm, known)}

    def is_wanted(found: Finding) -> bool:
        return found.subject_kind == About.VM.value and found.subject in matching

    return chosen(check_id, _findings(project, at, check_id), names, is_wanted)


def _findings(project: Project, at: Situation, check_id: str) -> Sequence[Finding]:
    """Return what a check finds: what it said last while that holds, else it is asked."""
    from planner.errors import NotFound
    from planner.readiness import judge, today
    from planner.store import judged

    try:
        return judged.findings(project, check=check_id)
    except NotFound:
        return judge(at, today()).findings
