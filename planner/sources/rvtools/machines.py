"""What vInfo, vCPU, vMemory and vTools say of each VM besides its devices.

A cell that is blank is unknown. Numeric words are those of version 3.10, which wrote the number of
an enumeration's value instead of its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.model import Compute, Guest, Management, Partition, Power
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.identity import Roster
from planner.sources.rvtools.joins import Owners
from planner.units import MIB

_POWER = {
    "poweredon": Power.ON,
    "on": Power.ON,
    "poweredoff": Power.OFF,
    "off": Power.OFF,
    "suspended": Power.SUSPENDED,
}
_TOOLS_SPELLED = {
    "toolsok": "toolsOk",
    "toolsold": "toolsOld",
    "toolsnotrunning": "toolsNotRunning",
    "toolsnotinstalled": "toolsNotInstalled",
    "notrunning": "toolsNotRunning",
    "notinstalled": "toolsNotInstalled",
}
# 0 is low, and also what an unset one was written as: unknown.
_LATENCY = {"0": "", "1": "normal", "2": "medium", "3": "high", "4": "custom"}
_HEARTBEATS = frozenset({"green", "yellow", "red", "gray"})


def power(word: str) -> Power:
    """Return the power state for a word in any case."""
    return _POWER.get(word.casefold(), Power.UNKNOWN)


def tools_status(word: str) -> str:
    """Return the status of VMware Tools as vSphere spells it, other words as they are."""
    return _TOOLS_SPELLED.get(re.sub(r"[^a-z]", "", word.casefold()), word)


def hardware(word: str) -> int | None:
    """Return the hardware version of ``vmx-19`` or ``19``, None when unknown."""
    digits = re.search(r"\d+", word)
    return int(digits[0]) if digits and len(digits[0]) < 4 else None


@dataclass(slots=True)
class Processor:
    """What vCPU says, by VM position."""

    count: dict[int, int] = field(default_factory=dict)
    hot_add: dict[int, bool | None] = field(default_factory=dict)
    reservation_mhz: dict[int, int | None] = field(default_factory=dict)
    limit_mhz: dict[int, int | None] = field(default_factory=dict)

    @classmethod
    def read(cls, sheet: Sheet | None, owners: Owners) -> Processor:
        """Return what the sheet says; nothing when there is none."""
        found = cls()
        if sheet is None:
            return found
        counts, added = sheet.wholes("cpus"), sheet.flags("hotadd")
        reserved, limits = sheet.wholes("reservation"), sheet.wholes("limit")
        for row, at in owners.match(sheet):
            if (count := counts[row]) is not None:
                found.count[at] = count
            found.hot_add[at] = added[row]
            found.reservation_mhz[at] = reserved[row]
            found.limit_mhz[at] = limits[row]
        return found


@dataclass(slots=True)
class Memory:
    """What vMemory says, by VM position."""

    size_bytes: dict[int, int | None] = field(default_factory=dict)
    hot_add: dict[int, bool | None] = field(default_factory=dict)
    reservation_bytes: dict[int, int | None] = field(default_factory=dict)
    limit_bytes: dict[int, int | None] = field(default_factory=dict)
    locked: dict[int, bool | None] = field(default_factory=dict)

    @classmethod
    def read(cls, sheet: Sheet | None, owners: Owners) -> Memory:
        """Return what the sheet says; nothing when there is none."""
        found = cls()
        if sheet is None:
            return found
        sizes, added = sheet.sizes("sizemb"), sheet.flags("hotadd")
        reserved, limits = sheet.sizes("reservation"), sheet.wholes("limit")
        locked = sheet.flags("memoryreservationlockedtomax")
        for row, at in owners.match(sheet):
            limit = limits[row]
            found.size_bytes[at] = sizes[row]
            found.hot_add[at] = added[row]
            found.reservation_bytes[at] = reserved[row]
            found.limit_bytes[at] = limit if limit is None or limit < 0 else limit * MIB
            found.locked[at] = locked[row]
        return found


@dataclass(slots=True)
class Tools:
    """What vTools says, by VM position."""

    status: dict[int, str] = field(default_factory=dict)
    version: dict[int, str] = field(default_factory=dict)
    heartbeat: dict[int, str] = field(default_factory=dict)
    sync: dict[int, bool | None] = field(default_factory=dict)

    @classmethod
    def read(cls, sheet: Sheet | None, owners: Owners) -> Tools:
        """Return what the sheet says; nothing when there is none."""
        found = cls()
        if sheet is None:
            return found
        states = list(map(tools_status, sheet.texts("tools", "toolsstatus")))
        versions, beats = sheet.texts("toolsversion"), sheet.folded("heartbeatstatus")
        sync = sheet.flags("synctime")
        for row, at in owners.match(sheet):
            found.status[at] = states[row]
            found.version[at] = versions[row]
            found.heartbeat[at] = beats[row]
            found.sync[at] = sync[row]
        return found


def computes(roster: Roster, processor: Processor, memory: Memory) -> list[Compute]:
    """Return how each VM is run, by position."""
    info = roster.sheet
    latency = [_LATENCY.get(word, word) for word in info.folded("latencysensitivity")]
    modes, secure = info.texts("minrequiredevcmodekey"), info.flags("efisecureboot")
    uuids = info.flags("enableuuid", "diskenableuuid")
    return [
        Compute(
            cpu_hot_add=processor.hot_add.get(at),
            memory_hot_add=memory.hot_add.get(at),
            cpu_reservation_mhz=processor.reservation_mhz.get(at),
            cpu_limit_mhz=processor.limit_mhz.get(at),
            memory_reservation_bytes=memory.reservation_bytes.get(at),
            memory_limit_bytes=memory.limit_bytes.get(at),
            memory_locked=memory.locked.get(at),
            latency_sensitivity=latency[row],
            evc_mode=modes[row] or None,
            secure_boot=secure[row],
            enable_uuid=uuids[row],
        )
        for at, row in enumerate(roster.rows)
    ]


def guests(roster: Roster, tools: Tools, partitions: dict[int, tuple[Partition, ...]]) -> list[Guest]:
    """Return what each guest reports, by position."""
    info = roster.sheet
    running, beats = info.texts("osaccordingtothevmwaretools"), info.folded("heartbeat")
    return [
        Guest(
            running_os=running[row],
            tools_version=tools.version.get(at, ""),
            heartbeat=_heartbeat(tools.heartbeat.get(at, ""), beats[row]),
            time_sync=tools.sync.get(at),
            partitions=partitions.get(at),
        )
        for at, row in enumerate(roster.rows)
    ]


def _heartbeat(*said: str) -> str:
    return next((word for word in said if word in _HEARTBEATS), "")


def managements(
    roster: Roster, priorities: dict[tuple[str, str], str], backups: Sequence[str]
) -> list[Management]:
    """Return who else holds a string on each VM; ``priorities`` are those of clusters by (vCenter, name).

    vInfo says the priority in force; whether it differs from the cluster's is known with vCluster.
    """
    info = roster.sheet
    said, roles = info.texts("harestartpriority"), info.texts("ftrole")
    clusters = info.texts("cluster")
    found = []
    for at, row in enumerate(roster.rows):
        common = priorities.get((roster.identities[at].vcenter, clusters[row]), "")
        own = said[row].casefold()
        found.append(
            Management(
                restart_priority=("" if own == common else own) if own and common else None,
                last_backup=backups[row],
                fault_tolerance_role=roles[row],
            )
        )
    return found
