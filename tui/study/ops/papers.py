"""Papers for the screens: which there are, and how one begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def listed(room: Room) -> list[dict[str, Any]]:
    """Return every format: its name, what it is, the files it makes, whether it may hold some waves alone."""
    from planner.export.formats import BUNDLES, FORMATS, OF_WAVES

    return [
        {
            "name": name,
            "title": one.title,
            "files": [f"{FORMATS[part].name}{FORMATS[part].suffix}" for part in BUNDLES.get(name, (name,))],
            "of_waves": name in OF_WAVES,
        }
        for name, one in FORMATS.items()
    ]


def preview(room: Room, format: str) -> tuple[str, ...]:
    """Return the first lines of a text format of the newest plan."""
    from planner.store import plans
    from tui.acts.exporting import first_lines

    stored = room.plan or plans.latest(room.project)  # which says that there is none
    return first_lines(room.project, stored.plan, room.situation, room.readiness, format)


WRITES: frozenset[str] = frozenset()
OPS = {"papers": listed, "papers.preview": preview}
