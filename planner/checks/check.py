"""What a check is, and how one is written.

A check is a function over one VM that yields a sentence for every finding and ``None`` where the
source does not say enough to decide. The decorator gives it id, severity, reason and remedy.
Severities weigh a move by wherry, which copies what it cannot follow live after the VM has stopped:
a blocker is what it cannot move at all as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.checks.estate import Estate
from planner.model import VM, Severity

Ask = Callable[[VM, Estate], Iterator[str | None]]


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked for, why it matters and what to do. ``id`` starts with its family."""

    id: str
    title: str
    severity: Severity
    why: str
    remedy: str
    family: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with the function that asks it. ``of_movable`` is False for the few about the rest."""

    check: Check
    ask: Ask
    of_movable: bool = True


def rule(
    rules: list[Rule],
    check_id: str,
    severity: Severity,
    title: str,
    *,
    why: str,
    remedy: str,
    of_movable: bool = True,
) -> Callable[[Ask], Ask]:
    """Return a decorator that adds a function to a family's rules as a check."""

    def add(ask: Ask) -> Ask:
        family = check_id.partition(".")[0]
        rules.append(Rule(Check(check_id, title, severity, why, remedy, family), ask, of_movable))
        return ask

    return add
