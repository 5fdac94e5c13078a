"""Waivers from the screens: findings accepted and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.checks.waivers import Waiver
    from tui.study.room import Room


def _told(waiver: Waiver) -> dict[str, Any]:
    from dataclasses import asdict

    from planner.readiness import today

    return {**asdict(waiver), "state": waiver.state(today())}


def listed(room: Room) -> list[dict[str, Any]]:
    """Return all waivers, those that ended too."""
    from planner.store.waivers import all_waivers

    return [_told(waiver) for waiver in all_waivers(room.project)]


def waive(
    room: Room,
    check: str,
    reason: str,
    owner: str,
    until: str,
    names: list[str] | None = None,
    where: str | None = None,
) -> dict[str, Any]:
    """Accept findings of a check, on objects by name or id or on the VMs of a filter."""
    from tui.acts.waiving import waive as give

    given = give(
        room.project, check, names or (), where, reason=reason, owner=owner, until=until, at=room.situation
    )
    return _told(given)


def unwaive(room: Room, waiver: int, reason: str) -> dict[str, Any]:
    """Take a waiver back."""
    from tui.acts.waiving import withdraw

    return _told(withdraw(room.project, waiver, reason))


WRITES = frozenset({"waive", "unwaive"})
OPS = {"waivers": listed, "waive": waive, "unwaive": unwaive}
