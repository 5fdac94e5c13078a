"""Approvals from the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def approve(room: Room, waves: list[str], shown: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Approve waves of the newest plan by name; none named means none, unlike on the command line.

    ``shown`` has the digests that the person saw: nothing is approved when one is another by now.
    """
    from planner.errors import BadInput
    from tui.acts.approving import approve as give

    if not waves:
        raise BadInput("no wave was named", "mark the waves to approve")
    return [
        {"wave": item.wave, "fingerprint": item.fingerprint, "who": item.who, "at": item.at}
        for item in give(room.project, waves, shown)
    ]


WRITES = frozenset({"approve"})
OPS = {"approve": approve}
