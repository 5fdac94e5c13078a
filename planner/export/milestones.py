"""The days around a cutover and what each is for, counted from the day of the window."""

from __future__ import annotations

MILESTONES: tuple[tuple[int, str], ...] = (
    (-28, "scope frozen, owners confirmed, change request raised"),
    (-21, "blockers cleared, networks and storage at the target mapped"),
    (-14, "seeding started, rehearsal in an isolated network"),
    (-7, "go or no-go 1: lag, capacity, sign-offs; DNS TTL lowered, firewall rules in place"),
    (-3, "VMs frozen: no snapshots, no new disks, backups moved; users told"),
    (-1, "fresh backup, media disconnected, snapshots gone, last delta fits the window"),
    (1, "backup and monitoring run at the target"),
    (3, "hypercare ends"),
    (14, "deletion at the source may begin"),
    (28, "source deleted, LUNs released"),
)


def day_name(offset: int) -> str:
    """Return ``T-7`` or ``T+3``."""
    return f"T{offset:+d}"
