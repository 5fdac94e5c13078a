"""What came of a booted copy, and the box that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes
from tui.text import line, stack

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
    lines += [line((f"▲ {visible(disk, 80)} is in no checkpoint", "warn")) for disk in said["unproved"]]
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
