"""The forms of 4 Waves and what is shown before a signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from textual.content import Content

from planner.names import visible
from planner.sized import show_size
from tui.dialogs.form import Ask
from tui.text import count, fit, line, plural, short_time, stack, window_start

if TYPE_CHECKING:
    from planner.store.plan_waves import WaveRow
    from planner.store.plans import PlanHead
    from tui.hand import Hand
    from tui.session import View

_EFFORTS = (
    ("quick", "quick: a first look"),
    ("normal", "normal"),
    ("thorough", "thorough: the best to be had"),
)
_LISTED = 200
_LATE = 0.05


def plan_asks(plan: PlanHead | None) -> Sequence[Ask]:
    """Return what is asked before planning; as the plan there is was made."""
    effort = plan.effort if plan is not None and plan.effort in dict(_EFFORTS) else "normal"
    seed = plan.seed if plan is not None and plan.seed is not None else 1
    return (
        Ask("effort", "How long to look for better waves", effort, choices=_EFFORTS),
        Ask(
            "seed",
            "Seed: the same one gives the same plan on any machine",
            str(seed),
            needed=True,
            judge=_whole,
        ),
    )


def what_if_asks() -> Sequence[Ask]:
    """Return what may be supposed."""
    return (
        Ask("link", "The line has this rate", placeholder="400Mbit/s", judge=_rate),
        Ask("drop_hosts", "The target is without these hosts", placeholder="esx-07, esx-08"),
        Ask("freezes", "Nothing cuts over in between", placeholder="2026-12-18 2027-01-04, …", judge=_spans),
        Ask("exclude_apps", "These applications stay", placeholder="names, parted by commas"),
        Ask("caps_vms", "VMs a wave takes at the most", judge=_number),
        Ask("caps_tib", "TiB a wave takes at the most", judge=_amount),
        Ask("exit_date", "The source must be empty by", placeholder="2027-03-31", judge=_day),
        Ask("effort", "How long to look", "quick", choices=_EFFORTS),
    )


def supposed(said: Mapping[str, str]) -> dict[str, Any]:
    """Return what was filled in, as the order for it takes it."""
    return {
        "link": said["link"],
        "drop_hosts": _names(said["drop_hosts"]),
        "freezes": [_span(part) for part in _names(said["freezes"])],
        "exclude_apps": _names(said["exclude_apps"]),
        "caps_vms": int(said["caps_vms"]) if said["caps_vms"] else None,
        "caps_tib": float(said["caps_tib"]) if said["caps_tib"] else None,
        "exit_date": date.fromisoformat(said["exit_date"]) if said["exit_date"] else None,
        "effort": said["effort"],
    }


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _span(text: str) -> tuple[date, date]:
    start, end = text.split()
    return date.fromisoformat(start), date.fromisoformat(end)


def _rate(text: str) -> str:
    from planner.units import parse_rate

    parse_rate(text)
    return ""


def _spans(text: str) -> str:
    try:
        return (
            ""
            if all(start <= end for start, end in map(_span, _names(text)))
            else "a freeze ends before it starts"
        )
    except ValueError:
        return f"{visible(text, 40)!r} is no list of freezes: write 2026-12-18 2027-01-04"


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return f"{visible(text, 40)!r} is no day: write 2027-03-31"
    return ""


def _whole(text: str) -> str:
    return (
        ""
        if text.isdecimal() and int(text) < 2**31
        else f"{visible(text, 40)!r} is no seed: write 0 to 2147483647"
    )


def _number(text: str) -> str:
    return "" if text.isdecimal() and int(text) >= 1 else f"{visible(text, 40)!r} is no number: write 50"


def _amount(text: str) -> str:
    try:
        good = 0 < float(text) < float("inf")
    except ValueError:
        good = False
    return "" if good else f"{visible(text, 40)!r} is no amount: write 8"


def describe_approval(view: View, waves: Sequence[str], who: str, hand: Hand | None = None) -> Content:
    """Return what is signed: the plan, each wave with its digest, and what speaks against it.

    ``hand`` is the plan as it lies on the desk, None when nobody laid it out.
    """
    assert view.plan is not None
    lines = [
        line(("plan ", "dim"), f"{view.plan.version}  ", (view.plan.fingerprint[:16], "dim")),
        line(("by   ", "dim"), visible(who)),
        line("Changing a wave voids its approval; changing another one does not."),
    ]
    if hand is not None and hand.unsaved:
        many = plural(len(hand.unsaved), "edit")
        lines.append(line(("▲ ", "warn"), f"{many} not saved {_is(hand)} no part of what is approved"))
    score = view.plan.score
    if broken := score.hard_violations + score.order_violations + score.latency_violations:
        lines.append(line(("✖ ", "bad"), f"the plan breaks {plural(broken, 'rule')}: o shows which kinds"))
    if view.tallies is None:
        running = "checks are running" if view.judging == "running" else "checks are not current"
        lines.append(line(("▲ ", "warn"), f"{running}; blockers are not known before they are done"))
    lines.append(line(""))
    same = hand if hand is not None and hand.plan == view.plan.version else None
    rows = [row for row in view.waves if row.name in set(waves)]
    for row in rows[:_LISTED]:
        when = window_start(row.window) if row.window else "no window"
        lines.append(line((fit(visible(row.name), 6), "accent"), fit(when, 18), f"{count(row.vms)} VMs, "
                          f"{show_size(row.size_bytes) if row.size_bytes else 'size unknown'}  ",
                          (row.fingerprint[:16], "dim")))  # fmt: skip
        if given := view.approvals.get(row.name):
            words = f"✔ approved already by {visible(given.who)}, {short_time(given.at)}"
            lines.append(line("      ", (words, "good")))
        lines += [line("      ", ("▲ ", "warn"), said) for said in _against(view, row)]
        lines += [line("      ", ("✖ ", "bad"), visible(said, 300)) for said in _broken(same, row.name)]
    if len(rows) > _LISTED:
        lines.append(line((f"and {plural(len(rows) - _LISTED, 'more wave')}", "dim")))
    return stack(lines)


def _is(hand: Hand) -> str:
    return "is" if len(hand.unsaved) == 1 else "are"


def _broken(hand: Hand | None, name: str) -> tuple[str, ...]:
    """Return the rules that a wave breaks, where it lies on the desk as it was saved."""
    if hand is None or name in hand.edited or name not in hand.rows:
        return ()
    return hand.rows[name].violations


def _against(view: View, row: WaveRow) -> list[str]:
    """Return what should be known before a wave is signed."""
    found = []
    if view.tallies is not None and (blockers := view.wave_tallies.get(row.name, (0, 0, 0))[0]):
        found.append(f"{plural(blockers, 'blocker')} open: see 9 Checks")
    if row.unsized:
        found.append(f"not all disks of {plural(row.unsized, 'VM')} are known")
    if row.window is None:
        found.append("it has no window: it may cut over at any time")
    elif row.downtime_min[1] > row.window.hours * 60:
        found.append("the P95 of its downtime is longer than its window")
    if row.overrun is not None and row.overrun >= _LATE:
        found.append(f"{row.overrun:.0%} of draws do not end in its window")
    if row.tasks:
        found.append(f"{plural(row.tasks, 'task')} to be done before it")
    return found
