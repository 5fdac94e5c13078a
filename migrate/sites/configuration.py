"""What of a VM's configuration can be in the way of a move, as a site sees it now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

PERSISTENT = "persistent"


@dataclass(frozen=True, slots=True)
class Drive:
    """A CD or floppy drive. ``key`` is unique within its VM; ``media`` is empty for none."""

    key: str
    label: str
    connected: bool
    starts_connected: bool
    media: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A VM's configuration as far as remedies look at it.

    ``cbt`` is what was asked for, ``tracking`` whether it has taken effect: that takes a power-on or a
    snapshot's stun. ``modes`` is (disk key, mode) of every disk; ``snapshots`` counts everybody's.
    """

    hw_version: int = 19
    cbt: bool = True
    tracking: bool = True
    modes: tuple[tuple[str, str], ...] = ()
    drives: tuple[Drive, ...] = ()
    consolidation_needed: bool = False
    snapshots: int = 0


def plugged(drives: Iterable[Drive], states: Iterable[tuple[str, bool, bool]]) -> tuple[Drive, ...]:
    """Return the drives with (key, connected, connected at power-on) of the named ones changed."""
    said = {key: (connected, starts) for key, connected, starts in states}
    return tuple(
        replace(drive, connected=said[drive.key][0], starts_connected=said[drive.key][1])
        if drive.key in said
        else drive
        for drive in drives
    )
