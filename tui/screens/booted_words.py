"""What came of a booted copy, and the box that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes
from tui.text import count, line, plural, stack

if TYPE_CHECKING:
    from textual.content import Content

    from tui.jobs.job import Job
    from tui.screens.place import PlaceScreen


def show_booted(place: PlaceScreen, job: Job) -> None:
    """Show what came of a job that booted a copy; where it failed its own box says why."""
    from tui.dialogs.reader import Reader
    from tui.dialogs.work import Work

    if isinstance(job.state.document, dict):
        if isinstance(place.app.screen, Work):
            place.app.pop_screen()  # what it led to is under it
        place.app.push_screen(Reader(visible(job.state.title), stack(describe_booted(job.state.document))))


def address_lines(said: Mapping[str, Any] | None, *, findings: bool = True) -> list[Content]:
    """Return how many addresses were looked for at the target, and who is in the way of whom."""
    if said is None:
        return []
    lines = []
    for kind, of in (("IP", "ips"), ("MAC", "macs")):
        one = said[of]
        why = f"  {visible(one['why'], 300)}" if one["why"] else f"  by {visible(said['by'], 120)}"
        looked = f"{plural(one['looked'], f'{kind} address')} looked for, "
        if one["found"] is None:
            lines.append(line(("? ", "warn"), looked, ("whether in use is unknown", "warn"), (why, "dim")))
        else:
            mark = ("✖ ", "bad") if one["found"] else ("✔ ", "good")
            lines.append(line(mark, looked, f"{count(one['found'])} in use", (why, "dim")))
    for one in said["conflicts"] if findings else ():
        others = ", ".join(visible(name, 60) for name in one["others"][:3])
        what = f"{visible(one['vm'], 60)} gets the {one['kind']} address {visible(one['address'], 60)}"
        lines.append(line((f"✖ {what}, which {others} has too", "bad")))
    return lines


def describe_booted(said: Mapping[str, Any]) -> list[Content]:
    """Return what came of a booted copy: the verdict, each probe, and what no checkpoint proves."""
    verdict = ("✔ the copy is well", "good") if said["clean"] else ("▲ not all is well", "warn")
    lines = [line(verdict, (f"  {show_bytes(said['copied_bytes'])} copied", "dim"))]
    if said["failure"]:
        lines.append(line((f"✖ {visible(said['failure'], 300)}", "bad")))
    marks = {True: ("✔", "good"), False: ("✖", "bad"), None: ("·", "dim")}
    lines += [
        line(marks[probe["ok"]], f" {visible(probe['name'], 60)}  {visible(probe['detail'], 200)}")
        for probe in said["probes"]
    ]
    lines += address_lines(said.get("addresses"))
    unproved = said.get("unproved_disks") or said["unproved"]  # older reports have no names
    lines += [line((f"▲ {visible(disk, 80)} is in no checkpoint", "warn")) for disk in unproved]
    if not said["removed"]:
        lines.append(
            line(
                (
                    "✖ not all of the copy could be removed: 'wherry rehearse WAVE --depth boot --cleanup'",
                    "bad",
                )
            )
        )
    return lines
