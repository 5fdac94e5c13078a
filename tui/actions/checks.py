"""Actions of 9 Checks: what is shown of the findings, accepting them, and the work they make."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("checks",)


def _view(name: str, key: str, title: str, do: str, twin: str = "check", foot: str = "") -> Action:
    return Action(f"checks.{name}", key, title, do, _HERE, twin=twin, needs=("inventory",), foot=foot)


def _edit(name: str, key: str, title: str, foot: str) -> Action:
    return Action(f"checks.{name}", key, title, name, _HERE, Effect.EDIT_PLAN, "waive", ("inventory",), foot)


CHECKS = (
    _edit("waive", "w", "accept findings until a day …", "accept"),
    _edit("unwaive", "x", "end a waiver, its findings count …", "end waiver"),
    Action("checks.tasks", "t", "tasks before a wave, and ticking them", "tasks", _HERE, twin="remedy",
           needs=("plan",), foot="tasks"),
    _view("turn", "b", "by check, or by VM", "turn", foot="by VM"),
    _view("blockers", "o", "only blockers, or all", "only('blockers')", foot="blockers"),
    _view("undecided", "n", "only what is undecided, or all", "only('undecided')"),
    _view("waived", "a", "only what is accepted, or all", "only('waived')", "waive"),
    _view("run", "c", "run the checks again now", "run_checks"),
)  # fmt: skip
