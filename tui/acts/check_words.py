"""What a check is: what it asks, why it matters, what to do and what that takes, as data and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.checks.check import Check


def described(check: Check) -> dict[str, Any]:
    """Return a check as a document."""
    from dataclasses import asdict

    body = asdict(check)
    severities = {how.value: said.value for how, said in check.severities.items()}
    return {**body, "severity": check.severity().value, "severities": severities, "family": check.family}


def work_words(check: Check) -> str:
    """Say what it takes to clear a finding of a check, empty when there is nothing to repair."""
    from planner.units import show_count

    if check.work is None:
        return ""
    parts = [
        check.work.takes(),
        "the VM has to be off" if check.work.outage else "while it runs",
        f"{show_count(check.work.lead_days, 'day')} before the seed",
        f"wherry does it itself: {check.work.fix}" if check.work.fix else "by hand",
    ]
    return ", ".join(parts)
