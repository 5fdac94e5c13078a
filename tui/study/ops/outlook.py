"""What a project as a whole looks like: the line, data and churn, and what people have not decided yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.settings import Settings
    from tui.study.room import Room

_NAMED = 50  # hubs and groups that are told by name


def outlook(room: Room) -> dict[str, Any]:
    """Return the line with what has to go through it, hubs nobody decided on, groups above the caps.

    ``sized`` = all disks are known; else there is more to copy than the bytes say.
    """
    from planner.estimate import churn_bytes_day, seed_bytes
    from planner.graph import hubs
    from planner.graph.oversized import above_caps
    from planner.sending import as_decided
    from planner.sized import holds_all
    from planner.volumes import volumes

    at = room.situation
    every = as_decided(volumes(at.inventory), at.settings)
    undecided = [hub.vm for hub in hubs(at.inventory, at.settings) if not hub.verdict]
    large = above_caps(room.known.groups, at.inventory, at.settings)
    plan = room.plan
    return {
        "line": _line(at.settings),
        "windows": len(at.settings.windows) + len(at.settings.recurring),
        "bytes": sum(volume.size_bytes for volume in every),
        "seed_bytes": seed_bytes(every),
        "sized": all(holds_all(vm, at.inventory.gaps) for vm in at.inventory.vms),
        "churn_bytes_day": churn_bytes_day(every),
        "hubs": [room.known.vms[vm].name for vm in undecided[:_NAMED]],
        "hubs_count": len(undecided),
        "oversized": [group.name for group in large[:_NAMED]],
        "oversized_count": len(large),
        "old_settings": plan is not None and plan.plan.settings != at.settings.fingerprint,
    }


def _line(settings: Settings) -> dict[str, Any]:
    from planner.estimate import goodput_bytes_s

    link = settings.link
    return {
        "rate_mbit": link.rate_mbit,
        "share": link.share,
        "hours": len(link.hours),
        "reserve_mbit": link.reserve_mbit,
        "goodput_bytes_s": goodput_bytes_s(link),
    }


WRITES: frozenset[str] = frozenset()
OPS = {"outlook": outlook}
