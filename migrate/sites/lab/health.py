"""What a scan of a guest's records means: well, or what exactly was lost."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.sites.lab.records import Scan
from migrate.sites.ports import Health


@dataclass(frozen=True, slots=True)
class GuestState:
    """What is known of a VM's records: acknowledged, found on its disks, and lost."""

    last_acknowledged: int
    last_written: int
    missing: int
    corrupt: int


def guest_state(found: Scan, acknowledged: int) -> GuestState:
    """Return the state of a guest; records beyond the last one found count as missing if known."""
    beyond = max(acknowledged, found.floor) - found.last
    return GuestState(acknowledged, found.last, found.missing + max(beyond, 0), found.corrupt)


def judge(found: Scan, acknowledged: int, fault: str) -> Health:
    """Return the health of a running guest; ``fault`` is why it stopped writing, empty = it did not."""
    problems = []
    known = max(acknowledged, found.floor)
    if found.last < known:
        problems.append(f"records {found.last + 1}..{known} lost")
    if found.corrupt:
        problems.append(f"{found.corrupt} records corrupt")
    if found.missing:
        problems.append(f"{found.missing} records missing")
    problems += [text for text in (found.fault, fault) if text]
    if problems:
        return Health(False, "; ".join(problems))
    plural = "disk" if found.disks == 1 else "disks"
    return Health(True, f"records {found.first}..{found.last} complete on {found.disks} {plural}")
