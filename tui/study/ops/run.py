"""Runs from the screens: paused, gone on with, brought up to date. The engine does it, and nobody waits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.run.execute import Purpose
    from tui.study.room import Room


def pause(room: Room, wave: str) -> dict[str, Any]:
    """Ask whoever drives a wave to stop; return whether it waited for its go."""
    from tui.acts import conducting

    held = conducting.pause(room.project, wave)
    return {"wave": held.wave, "waits": held.waits}


def resume(room: Room, wave: str) -> dict[str, Any]:
    """Go on with a wave where it stands, the way it went."""
    from tui.acts.going_on import way_on

    name, purpose = way_on(room.project, wave)
    return _ordered(room, name, purpose)


def sync(room: Room, wave: str, reverse: bool = False) -> dict[str, Any]:
    """Bring the copies of a wave up to date now and prove them; ``reverse`` those of its way home."""
    from migrate.run.execute import Purpose, concerned

    purpose = Purpose.REVERSE if reverse else Purpose.REPLICATE
    return _ordered(room, concerned(room.project, wave, purpose).name, purpose)


def _ordered(room: Room, wave: str, purpose: Purpose) -> dict[str, Any]:
    from planner.errors import Blocked
    from tui.acts.ordering import ALONE, give

    if os.environ.get(ALONE):
        raise Blocked(
            f"no process may be left behind here, so nobody would carry out {purpose.value} {wave}",
            f"leave, and run 'wherry {purpose.value} {wave} --live', or take {ALONE} away",
        )
    said: list[str] = []
    order = give(room.project, wave, purpose, tell=said.append)
    return {"wave": wave, "purpose": purpose.value, "order": order.id, "said": said}


WRITES = frozenset({"run.pause", "run.resume", "run.sync"})
OPS = {"run.pause": pause, "run.resume": resume, "run.sync": sync}
