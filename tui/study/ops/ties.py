"""Ties and hubs from the screens: decided on, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.errors import BadInput

if TYPE_CHECKING:
    from tui.acts.deciding import Decided
    from tui.study.room import Room


def _told(found: Decided) -> dict[str, Any]:
    return {
        "said": found.said,
        "vms": found.vms,
        "inventory": found.stored.id if found.stored else None,
        "count": found.count,
    }


def decide(room: Room, ruling: str, vms: list[str], why: str = "", port: int | None = None) -> dict[str, Any]:
    """Decide on a tie (accept, refuse, hard, order, apart) or on a hub (hub, no-hub)."""
    from planner.model import Ruling
    from tui.acts.deciding import decide as settle

    try:
        said = Ruling(ruling)
    except ValueError:
        raise BadInput(f"{ruling!r} is no decision", f"use one of: {', '.join(Ruling)}") from None
    return _told(settle(room.project, said, vms, why=why, port=port, inventory=room.inventory))


def forget(room: Room, vms: list[str], port: int | None = None) -> dict[str, Any]:
    """Take back what was decided on two VMs, or on one as a hub."""
    from tui.acts.deciding import forget as take_back

    return _told(take_back(room.project, vms, port))


WRITES = frozenset({"decide", "decide.forget"})
OPS = {"decide": decide, "decide.forget": forget}
