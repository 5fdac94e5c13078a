"""Findings for the screens: checks explained, waivers on several of them at once, tasks before a wave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def checks(room: Room) -> dict[str, dict[str, Any]]:
    """Return every check by id, the project's own too: what it asks, why it matters and what helps."""
    from planner.checks.registry import all_checks
    from planner.readiness import rules_file
    from tui.acts.check_words import described, work_words

    own = rules_file(room.project.root)  # the estate itself is not needed, and may not be read yet
    every = (*all_checks(), *(rule.check for rule in (own.as_rules() if own else ())))
    return {check.id: {**described(check), "takes": work_words(check)} for check in every}


def waive(
    room: Room, found: dict[str, list[str]], reason: str, owner: str, until: str
) -> list[dict[str, Any]]:
    """Accept findings by check and ids of what they are about: one waiver a check, all or none."""
    from tui.acts.waiving import waive_several

    given = waive_several(room.project, found, reason=reason, owner=owner, until=until, at=room.situation)
    return [{"id": waiver.id, "check": waiver.check, "count": len(waiver.subjects)} for waiver in given]


def waivers(room: Room, check: str, kind: str, subject: str) -> list[dict[str, Any]]:
    """Return the waivers in force that cover a finding, the one that lasts longest first."""
    from planner.readiness import today
    from planner.store.waivers import all_waivers

    day = today()
    covering = [
        waiver
        for waiver in all_waivers(room.project)
        if waiver.check == check
        and waiver.holds(day)
        and any((item.kind, item.id) == (kind, subject) for item in waiver.subjects)
    ]
    return [
        {"id": waiver.id, "sentence": waiver.sentence, "count": len(waiver.subjects), "who": waiver.who}
        for waiver in sorted(covering, key=lambda waiver: waiver.until, reverse=True)
    ]


def tasks(room: Room, wave: str) -> list[dict[str, Any]]:
    """Return the tasks before a wave, in the plan's order."""
    from migrate.run.waves import find_wave
    from migrate.tasks import wave_tasks
    from planner.export.printout import task_how
    from tui.acts.ticking import told

    found = find_wave(room.project, wave).wave
    return [
        {**told(found, item), "over": item.state.is_over, "words": item.words, "how": task_how(item.task)}
        for item in wave_tasks(room.project, found)
    ]


def tick(room: Room, wave: str, task: str, note: str = "") -> dict[str, Any]:
    """Tick off a task that a person did."""
    from migrate.run.waves import find_wave
    from tui.acts.ticking import tick as made

    _, what = made(room.project, find_wave(room.project, wave).wave, task, note)
    return {"what": what}


WRITES = frozenset({"findings.waive", "findings.tick"})
OPS = {
    "findings.checks": checks,
    "findings.waive": waive,
    "findings.waivers": waivers,
    "findings.tasks": tasks,
    "findings.tick": tick,
}
