"""The way from an empty project to papers for the change board, step by step, and how far one has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui.session import View
from tui.text import plural
from tui.widgets.column import Column


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``done`` is None while nobody knows; ``act`` is the action that goes on with it."""

    title: str
    why: str
    act: str
    keys: str
    done: bool | None


def first_steps(view: View, outlook: Mapping[str, Any] | None) -> tuple[Step, ...]:
    """Return all steps in their order; ``outlook`` is None while it is not known."""
    has, plan = view.inventory_id is not None, view.plan
    hubs = None if outlook is None else int(outlook["hubs_count"])
    waiting = [wave for wave in view.waves if wave.name not in view.approvals]
    return (
        Step("import an estate", "a workbook, a folder of csv, a vCenter, or a sample", "import", "i", has),
        Step("look at what stands in the way", _way_words(view), "go.checks", "9", _is_looked_at(view)),
        Step("confirm shared services", _hub_words(has, hubs, plan is not None), "go.dependencies", "3 h",
             has if plan is not None or not has else None if hubs is None else not hubs),
        Step("link and windows", "how fast the line is, and when systems may stand still", "go.settings", "0",
             view.settings > 0),
        Step("plan", "waves that keep together what talks, and their bounds", "go.waves", "4 p",
             plan is not None),
        Step("rehearse", "every wave many times on a simulated twin, with faults", "go.rehearse", "5",
             "rehearse" in view.acts),
        Step("approve", _approval_words(view, len(waiting)), "go.waves", "4 A",
             plan is not None and not waiting),
        Step("export", "papers for the change board, files for other tools", "export", "e", view.exported),
    )  # fmt: skip


def _is_looked_at(view: View) -> bool | None:
    if view.inventory_id is None:
        return False
    if view.plan is not None:
        return True  # whoever plans has seen what stays behind
    return None if view.blocked is None else not view.blocked


def _way_words(view: View) -> str:
    if view.inventory_id is None or view.blocked is None:
        return "checks find what would fail, each with its remedy"
    return (
        f"{plural(view.blocked, 'VM')} blocked; mend, waive or exclude them" if view.blocked else "nothing is"
    )


def _hub_words(has: bool, hubs: int | None, planned: bool) -> str:
    if has and hubs and planned:
        return f"{plural(hubs, 'VM')} nobody confirmed; the plan takes them for some"
    if not has or hubs is None:
        return "what everybody needs ties nobody together, and moves last"
    if not hubs:
        return "none is left to confirm"
    return f"{plural(hubs, 'VM')} {'looks' if hubs == 1 else 'look'} like one: say yes or no"


def _approval_words(view: View, waiting: int) -> str:
    if view.plan is None or not waiting:
        return "what was agreed is sealed by a fingerprint"
    return f"{plural(waiting, 'wave')} not approved yet"


def is_next(steps: tuple[Step, ...], at: int) -> bool:
    """Return whether a step is the first that is not done."""
    return next((i for i, step in enumerate(steps) if step.done is not True), -1) == at


# key, state, number and title, why, keys
COLUMNS = (
    Column(1, "", 1, lambda state: "✔" if state == "done" else "▸" if state == "next" else "·",
           lambda state: {"done": "good", "next": "accent"}.get(state, "dim"), keep=9),
    Column(2, "step", 34, keep=8),
    Column(4, "key", 4, tone=lambda keys: "accent", keep=7),
    Column(3, "", 30, tone=lambda text: "dim", flex=True, keep=6),
)  # fmt: skip


def rows_of(steps: tuple[Step, ...]) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return the steps as rows of a table."""
    return tuple(
        (
            step.title,
            "done" if step.done else "next" if is_next(steps, at) else "unknown" if step.done is None else "",
            f"{at + 1} {step.title}",
            step.why,
            step.keys,
        )
        for at, step in enumerate(steps)
    )
