"""What the panels of Overview say: where every VM stands, the next window, the line and what goes through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from textual.content import Content

from planner.names import visible
from planner.sized import size_of
from planner.units import show_bytes, show_duration, show_rate
from tui.session import View
from tui.text import bar, count, line, plural, short_time, size_cell, spread_minutes, stack, window_span

_OVER = {"committed", "rolled back", "failed", "aborted"}
_DAY_S = 86_400


def standing(view: View, width: int) -> Content:
    """Return the panel "where every VM stands" for that many cells of width."""
    status = view.status
    if status is None:
        return line((view.not_yet, "dim"))
    if not status.inventory_source and not status.vms:
        return stack(
            [
                line(("No inventory yet.", "warn")),
                line("Import a workbook, a vCenter or a sample: press ", ("i", "accent")),
                line("or, on the command line,"),
                line(("  wherry discover FILE", "accent")),
                line(("This screen follows by itself.", "dim")),
            ]
        )
    whole = max(max((number for _, number in status.stages), default=0), 1)
    lines = [
        line(f"{stage:<11}{count(number):>8}  ", (bar(number, whole, width - 22), "accent"))
        for stage, number in status.stages
    ]
    notes: list[tuple[str, str] | str] = []
    if view.blocked is not None:
        notes.append((f"✖ {view.blocked} blocked", "bad") if view.blocked else ("✔ none blocked", "good"))
    elif view.judging == "running":
        notes.append(("? checks are running", "dim"))
    elif view.inventory_id is not None:
        notes.append(("? checks are not current", "warn"))
    if view.plan is not None:
        unplanned = view.plan.unplanned
        notes.append((f"  {count(unplanned)} unplanned", "warn" if unplanned else "dim"))
    if undecided := sum(item.unknown > 0 for item in view.counts):
        notes.append((f"  ? {plural(undecided, 'check')}{' undecided' * (width >= 52)}", "dim"))
    lines += [line(*notes)] if notes else []
    lines.append(
        line((f"from {visible(status.inventory_source)}, {short_time(status.inventory_taken_at)}", "dim"))
    )
    return stack(lines)


def next_window(view: View, now: datetime) -> Content:
    """Return the panel "next window"."""
    if view.plan is None:
        return stack(
            [
                line(("No plan yet.", "warn")),
                line("Make one: press ", ("4", "accent"), " then ", ("p", "accent"), ", or"),
                line(("  wherry plan", "accent")),
            ]
            if view.status is not None and view.status.vms
            else [line(("nothing planned", "dim"))]
        )
    states = {item.name: item.state for item in view.status.waves} if view.status else {}
    coming = [
        (wave.window, wave)
        for wave in view.waves
        if wave.window is not None and states.get(wave.name) not in _OVER and wave.window.end_utc > now
    ]
    if not coming:
        return stack(
            [
                line(("No window ahead.", "dim")),
                line("Without one a wave may cut over at any time."),
                line("Set windows: press ", ("0", "accent"), ", or"),
                line(("  wherry settings edit", "accent")),
            ]
        )
    window, wave = min(coming, key=lambda item: item[0].start_utc)
    risk = f"  {wave.overrun:.0%} risk of overrun" if wave.overrun is not None else ""
    fits = wave.downtime_min[1] <= window.hours * 60
    ahead = (window.start_utc - now).total_seconds()
    approval = view.approvals.get(wave.name)
    return stack(
        [
            line((f"{visible(wave.name)}  {visible(wave.title)}", "accent")),
            line(window_span(window)),
            line(f"opens in {show_duration(ahead)}" if ahead > 0 else ("◆ open now", "warn")),
            line(f"downtime P50 / P95  {'?' if wave.unsized else spread_minutes(*wave.downtime_min)}"),
            line(("✖ P95 is longer than the window" + risk, "bad") if not fits else
                 ("? not all disks are known", "warn") if wave.unsized else
                 ("✔ fits the window" + risk, "good")),
            line((f"✔ approved by {visible(approval.who)}", "good"))
            if approval
            else line(("○ not approved: ", "warn"), f"wherry plan approve {visible(wave.name)}"),
        ]
    )  # fmt: skip


def the_line(view: View, outlook: Mapping[str, Any] | None) -> Content:
    """Return the panel of the line: how fast it is, how much goes through it, what stays torn meanwhile."""
    if outlook is None:
        words = view.not_yet if view.status is None else "not worked out yet"
        return line(
            (words if view.inventory_id is not None or view.status is None else "no inventory yet", "dim")
        )
    link, churn = outlook["line"], outlook["churn_bytes_day"]
    rate = link["goodput_bytes_s"]
    hours = f", {plural(link['hours'], 'rule')} of hours" if link["hours"] else ""
    busy = churn / (rate * _DAY_S)
    lines = [
        line((show_rate(rate), "accent"), f" of {link['rate_mbit']:g} Mbit/s ({link['share']:.0%}{hours})"),
        line(("all disks   ", "dim"), size_cell(size_of(outlook["bytes"], outlook["sized"]))),
        line(("first copy  ", "dim"), size_cell(size_of(outlook["seed_bytes"], outlook["sized"])),
             (f"  {show_duration(outlook['seed_bytes'] / rate)}", "dim")),
        line(("a day       ", "dim"), f"{show_bytes(round(churn))},",
             (f" {busy:.0%} of it", "bad" if busy >= 1 else "warn" if busy >= 0.5 else "dim")),
    ]  # fmt: skip
    if link["reserve_mbit"]:
        lines.append(line(("kept free   ", "dim"), f"{link['reserve_mbit']:g} Mbit/s"))
    card = json.loads(view.plan.card) if view.plan is not None else {}
    if (share := card.get("cut_share")) is not None:
        lines.append(line(("cut         ", "dim"), f"{share:.1%} of traffic"))
    if (torn := card.get("stretch_gb")) is not None:
        lines.append(line(("stretched   ", "dim"), f"{torn:,.0f} GB over the line"))
    if not outlook["windows"]:
        lines.append(line(("no windows are set: 0", "warn")))
    return stack(lines)
