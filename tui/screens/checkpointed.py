"""What came of a checkpoint that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.names import visible
from tui.dialogs.work import Work

if TYPE_CHECKING:
    from tui.jobs.job import Job
    from tui.screens.place import PlaceScreen


def say_checkpoint(place: PlaceScreen, job: Job) -> None:
    """Say which checkpoint was made, and close the box of its work; where none was made the box says why."""
    point = job.state.document
    if not isinstance(point, dict):
        return
    if isinstance(place.app.screen, Work):
        place.app.pop_screen()  # what it led to is under it
    called = f" {visible(str(point['name']), 60)!r}" if point.get("name") else ""
    place.say(f"✔ checkpoint {point['record']}{called}, {point['consistency']} consistent", "good")
