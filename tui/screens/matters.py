"""What needs a person, as rows that can be gone to: the heaviest first, alike ones in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from planner.model import Severity
from planner.names import visible
from tui.session import View
from tui.text import plural
from tui.theme import severity_mark
from tui.widgets.column import Column

# key, severity, what, what helps, where that is, the thing to go to there, and how heavy it is: 0 most
Matter = tuple[str, str, str, str, str, tuple[str, str], int]
COLUMNS = (
    Column(1, "severity", 9, lambda severity: severity_mark(severity).text,
           lambda severity: severity_mark(severity).tone, keep=4, sorts=6),
    Column(2, "what", 30, visible, flex=True, keep=9),
    Column(3, "what helps", 44, visible, lambda text: "dim", keep=1, name="helps"),
    Column(4, "where", 12, keep=5),
)  # fmt: skip
_WEIGHTS = {"blocker": 0, "gate": 1, "warning": 2, "info": 3}
_NAMED = 4  # things of one kind that a line names
_CHECKS = 6  # checks with blockers that have a line of their own
_BROKEN = (
    ("hard_violations", "blocker", "tie that must hold is broken", "ties that must hold are broken"),
    ("order_violations", "warning", "tie of order is broken", "ties of order are broken"),
    ("latency_violations", "warning", "tie is too slow across the line", "ties are too slow across the line"),
)
RISK = 0.05  # of not ending in its window, from which on a wave is told


def matters(view: View, outlook: Mapping[str, Any] | None) -> tuple[Matter, ...]:
    """Return everything that needs a person; ``outlook`` is None while it is not known."""
    if view.status is None:
        return ()
    found = [*_of_waves(view), *_of_checks(view), *_of_plan(view), *(_of_outlook(outlook) if outlook else ())]
    return tuple(sorted(found, key=lambda row: row[6]))


def _matter(severity: str, text: str, hint: str, where: str, kind: str, key: str) -> Matter:
    return (
        f"{kind} {key} {text}", severity, text, hint, where, (kind, key), _WEIGHTS.get(severity, 9),
    )  # fmt: skip


def _of_waves(view: View) -> Iterator[Matter]:
    """What the read model says, waves that wait for the same in one line."""
    status = view.status
    waiting = {wave.name for wave in status.waves if wave.state == "planned"} if status else set()
    silent: list[str] = []
    for need in status.needs if status else ():
        wave = getattr(need, "wave", "")
        if wave in waiting and need.severity == "info":
            silent.append(wave)
        elif wave:
            yield _matter(need.severity, need.text, need.hint, "Waves", "wave", wave)
        elif view.inventory_id is None:
            yield _matter(
                need.severity, need.text, f"press i, or {need.hint}", "Inventory", "place", "inventory"
            )
        else:
            yield _matter(need.severity, need.text, f"p in Waves, or {need.hint}", "Waves", "place", "waves")
    if len(silent) == 1:
        hint = f"A in Waves, or wherry plan approve {silent[0]}"
        yield _matter("info", f"{silent[0]} is not approved", hint, "Waves", "wave", silent[0])
    elif silent:
        text = f"{plural(len(silent), 'wave')} are not approved: {_named(silent)}"
        yield _matter("info", text, "A in Waves, or wherry plan approve", "Waves", "wave", silent[0])


def _of_checks(view: View) -> Iterator[Matter]:
    """Blockers by check, the rest in a line each."""
    blocking = [
        item for item in view.counts if item.severity is Severity.BLOCKER and item.findings > item.waived
    ]
    blocking.sort(key=lambda item: item.waived - item.findings)
    for item in blocking[:_CHECKS]:
        text = (
            f"{plural(item.findings - item.waived, item.kind if item.kind != 'vm' else 'VM')}: {item.check}"
        )
        yield _matter("blocker", text, item.remedy, "Checks", "check", item.check)
    if more := blocking[_CHECKS:]:
        text = f"{plural(len(more), 'more check')} with blockers: {_named(item.check for item in more)}"
        yield _matter("blocker", text, "each with its remedy in Checks", "Checks", "check", more[0].check)
    warning = [
        item for item in view.counts if item.severity is Severity.WARNING and item.findings > item.waived
    ]
    if warning:
        many = sum(item.findings - item.waived for item in warning)
        text = f"{plural(many, 'warning')} of {plural(len(warning), 'check')}"
        yield _matter("warning", text, "each with its remedy in Checks", "Checks", "check", warning[0].check)
    if unsure := [item for item in view.counts if item.unknown]:
        text = f"{plural(len(unsure), 'check')} could not be decided everywhere"
        hint = "a source that says more, such as vCenter itself, decides them"
        yield _matter("info", text, hint, "Checks", "check", unsure[0].check)


def _of_plan(view: View) -> Iterator[Matter]:
    """What the plan itself breaks or risks."""
    if view.plan is None:
        return
    card = json.loads(view.plan.card)
    for name, severity, one, several in _BROKEN:
        if many := card.get(name):
            text = f"{many} {one if many == 1 else several}"
            yield _matter(severity, text, "why this plan in Waves", "Waves", "place", "waves")
    late = sorted(
        (wave for wave in view.waves if (wave.overrun or 0) >= RISK), key=lambda w: -(w.overrun or 0)
    )
    if late:
        worst = late[0]
        text = f"{worst.name} does not end in its window with a probability of {worst.overrun:.0%}"
        text += f", {plural(len(late) - 1, 'more wave')} of {RISK:.0%} or more" if len(late) > 1 else ""
        yield _matter("warning", text, "[ and ] move groups in Waves", "Waves", "wave", worst.name)
    if share := card.get("cut_share"):
        text = f"{share:.1%} of the traffic between groups crosses waves"
        text += f", {card['stretch_gb']:,.0f} GB over the line" if card.get("stretch_gb") else ""
        yield _matter(
            "info", text, "hot ties are marked in Dependencies", "Dependencies", "place", "dependencies"
        )


def _of_outlook(outlook: Mapping[str, Any]) -> Iterator[Matter]:
    """What people have not decided yet."""
    if outlook["old_settings"]:
        text = "the plan was made on older settings"
        yield _matter("warning", text, "p in Waves, or wherry plan", "Waves", "place", "waves")
    if many := outlook["hubs_count"]:
        text = f"{plural(many, 'shared service')} nobody confirmed: {_named(outlook['hubs'], many)}"
        hint = "h in Dependencies, or wherry deps hub NAME --yes"
        yield _matter("gate", text, hint, "Dependencies", "place", "dependencies")
    if many := outlook["oversized_count"]:
        text = f"{plural(many, 'move group')} above the caps: {_named(outlook['oversized'], many)}"
        hint = "o in Dependencies shows the cheapest cut"
        yield _matter("warning", text, hint, "Dependencies", "group", outlook["oversized"][0])


def _named(names: Iterable[str], many: int | None = None) -> str:
    known = list(names)
    more = (many or len(known)) - _NAMED
    return ", ".join(known[:_NAMED]) + (f" and {more} more" if more > 0 else "")
