"""The plans of a project: its versions, and what is different between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room

_LISTED = 200  # versions, the newest


def versions(room: Room) -> list[dict[str, Any]]:
    """Return the plans, the newest first: version, when, by whom, waves and VMs."""
    rows = room.project.rows(
        "SELECT version, at, who,"
        " (SELECT count(*) FROM plan_wave WHERE plan_wave.version = plan.version) AS waves,"
        " (SELECT coalesce(sum(vms), 0) FROM plan_wave WHERE plan_wave.version = plan.version) AS vms"
        " FROM plan ORDER BY version DESC LIMIT ?",
        _LISTED,
    )
    return [{name: row[name] for name in ("version", "at", "who", "waves", "vms")} for row in rows]


def diff(room: Room, before: int, after: int | None = None) -> dict[str, Any]:
    """Return what is different in plan ``after``, the newest by default, seen from plan ``before``."""
    from planner.compare import compare
    from tui.acts.editing import plan_named

    first, old = plan_named(room.project, before)
    last, new = plan_named(room.project, after)
    found = compare(old, new)
    said = {item.vm for item in found.remaps} | {item.vm for item in found.tasks}
    names = {vm.id: vm.name for plan in (old, new) for wave in plan.waves for vm in wave.vms if vm.id in said}
    return {"before": first, "after": last, "same": found.same, **found.as_dict(), "names": names}


WRITES: frozenset[str] = frozenset()
OPS = {"plans.versions": versions, "plans.diff": diff}
