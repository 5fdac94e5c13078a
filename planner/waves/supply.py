"""What a plan may draw on: caps, slots, the line, and the room at the target."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from planner.estimate import GOODPUT
from planner.model import Inventory
from planner.settings import Settings, Window
from planner.units import GIB, TIB
from planner.waves.calendar import begin_of_work, bytes_by_hour, ends_after
from planner.waves.pins import wave_name
from planner.waves.problem import Caps, Link, Problem, Room, Slot


def slot_caps(settings: Settings) -> Caps:
    """Return what one wave takes."""
    caps = settings.caps
    return Caps(
        vms=caps.vms,
        size_bytes=round(caps.tib * TIB),
        cutovers=caps.cutovers,
        engineer_h=caps.engineer_hours,
        items_per_owner=caps.groups_per_owner,
        items_per_team=caps.groups_per_team,
        bytes_per_datastore=None if caps.tib_per_datastore is None else round(caps.tib_per_datastore * TIB),
        disks_per_host=caps.disks_per_host,
    )


def slots_of(
    windows: Sequence[Window], undated: int, caps: Caps, exit_day: date | None = None
) -> tuple[Slot, ...]:
    """Return a slot for each window, and undated ones behind them: late when a window before them is."""
    dated = [
        Slot(window.start_utc.timestamp(), window.hours, caps,
             f"{wave_name(at)} of {window.start_utc:%Y-%m-%d %H:%M} UTC",
             f"{exit_day}" if exit_day and ends_after(window, exit_day) else "")
        for at, window in enumerate(windows)
    ]  # fmt: skip
    late = next((slot.late for slot in dated if slot.late), "")
    return (*dated, *(Slot(None, 0.0, caps, wave_name(len(windows) + at), late) for at in range(undated)))


def line_of(
    settings: Settings, windows: Sequence[Window], first: int = 0, measured_bytes_s: float | None = None
) -> Link:
    """Return the line as a limit from slot ``first`` on; without a dated window there is none."""
    if not windows:
        return Link()
    line = settings.link
    begins = begin_of_work(settings) or windows[0].start_utc - timedelta(
        days=max(settings.waves.lead_days, 1)
    )
    if first:
        begins = windows[min(first, len(windows)) - 1].start_utc  # what is before is for the waves before
    full = line.rate_mbit * 1e6 / 8 * GOODPUT
    rates = bytes_by_hour(line, windows[0].start_utc, full)
    if measured_bytes_s is not None:
        rates = tuple(rate / (full * line.share) * measured_bytes_s for rate in rates)
    return Link(rates, line.reserve_mbit * 1e6 / 8, begins.timestamp())


def room(settings: Settings, target: Inventory | None) -> Room:
    """Return what is free at the target, the largest hosts of each cluster taken off."""
    said = settings.target
    vcpus = said.vcpus
    memory = None if said.memory_gib is None else round(said.memory_gib * GIB)
    storage = None if said.storage_tib is None else round(said.storage_tib * TIB)
    if target is None:
        return Room(vcpus, memory, storage)
    cores, ram = _hosts_left(target, said.spare_hosts)
    running = [vm for vm in target.vms if not vm.template]
    if vcpus is None and cores is not None:
        vcpus = max(cores * said.vcpus_per_core - sum(vm.cpus for vm in running), 0)
    if memory is None and ram is not None:
        memory = max(ram - sum(vm.memory_bytes for vm in running), 0)
    stores = [item for item in target.datastores if item.accessible is not False]
    if storage is None and stores and all(item.capacity_bytes for item in stores):
        storage = sum(item.free_bytes for item in stores)
    return Room(vcpus, memory, storage)


def _hosts_left(target: Inventory, spare: int) -> tuple[int | None, int | None]:
    """Return cores and memory of the hosts with each cluster's largest off; None when one says nothing."""
    by_cluster: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for host in target.hosts:
        if host.maintenance:
            continue
        by_cluster.setdefault((host.vcenter, host.cluster), []).append((host.cpus, host.memory_bytes))
    if not by_cluster or not all(cpus and memory for hosts in by_cluster.values() for cpus, memory in hosts):
        return None, None
    # A host outside a cluster protects nobody and is not taken off.
    left = [
        (sorted(size[part] for size in hosts)[: max(len(hosts) - spare, 0) if name[1] else None], part)
        for name, hosts in by_cluster.items()
        for part in (0, 1)
    ]
    return tuple(sum(sum(sizes) for sizes, at in left if at == part) for part in (0, 1))  # type: ignore[return-value]


def room_left(room: Room, taken: Problem) -> Room:
    """Return what of ``room`` the items of a problem leave."""
    vcpus, memory, storage = (
        None if free is None else max(free - used, 0)
        for free, used in (
            (room.vcpus, sum(item.vcpus for item in taken.items)),
            (room.memory_bytes, sum(item.memory_bytes for item in taken.items)),
            (room.storage_bytes, sum(item.target_bytes for item in taken.items)),
        )
    )
    return Room(vcpus, None if memory is None else int(memory), None if storage is None else int(storage))
