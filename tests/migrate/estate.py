"""A small wave for tests: two groups, a shared disk, a physical RDM, boot batches."""

from __future__ import annotations

from planner.model import Backing, BusSharing, Sending
from planner.plan import (
    PlannedAttachment,
    PlannedDisk,
    PlannedEstimate,
    PlannedGroup,
    PlannedNic,
    PlannedVM,
    Spread,
    Wave,
)
from planner.settings import Policies

MIB = 1024 * 1024


def vm(name: str, *, running: bool = True) -> PlannedVM:
    return PlannedVM(
        id=f"id-{name}",
        name=name,
        cpus=2,
        memory_bytes=2 << 30,
        guest_os="Debian 12",
        powered_on=running,
        nics=(
            PlannedNic(label="Network adapter 1", source="prod", target="prod-2", mac="00:50:56:00:00:01"),
        ),
    )


def disk(
    *holders: str,
    number: int = 0,
    size_bytes: int = 8 * MIB,
    source: Backing = Backing.VMDK,
    target: Backing = Backing.VMDK,
    source_lun: str = "",
    target_lun: str = "",
    send: Sending = Sending.ALWAYS,
) -> PlannedDisk:
    shared = len(holders) > 1
    return PlannedDisk(
        volume=f"id-{holders[0]}/200{number}",
        size_bytes=size_bytes,
        source=source,
        target=target,
        source_lun=source_lun,
        target_lun=target_lun,
        rule="test",
        send=send,
        send_why="" if send is Sending.ALWAYS else "swap",
        mind=() if send is Sending.ALWAYS else ("left out by decision, by ada: swap",),
        attachments=tuple(
            PlannedAttachment(
                vm=f"id-{holder}",
                disk=f"200{number}",
                label=f"Hard disk {number + 1}",
                unit=number,
                bus_sharing=BusSharing.VIRTUAL if shared else BusSharing.NONE,
                multi_writer=shared,
            )
            for holder in holders
        ),
    )


def wave(
    groups: dict[str, list[str]],
    disks: list[PlannedDisk],
    boot: list[list[str]],
    *,
    name: str = "W01",
    off: frozenset[str] = frozenset(),
    cycles: int = 1,
    stop_timeout_s: float = 30.0,
) -> Wave:
    return Wave(
        name=name,
        title=", ".join(groups),
        groups=tuple(
            PlannedGroup(name=group, vms=tuple(f"id-{member}" for member in members))
            for group, members in groups.items()
        ),
        vms=tuple(vm(member, running=member not in off) for members in groups.values() for member in members),
        boot=tuple(tuple(f"id-{member}" for member in batch) for batch in boot),
        disks=tuple(disks),
        policies=Policies(delta_cycles=cycles, stop_timeout_s=stop_timeout_s, probe_timeout_s=30.0),
        estimate=PlannedEstimate(seed_h=Spread(p50=1, p95=2), downtime_min=Spread(p50=5, p95=9)),
    )


def small_wave(size_bytes: int = 8 * MIB, cycles: int = 1) -> Wave:
    """Two VMs of one application: a database with a physical RDM, and a web server."""
    return wave(
        {"shop": ["db", "web"]},
        [
            disk("db", number=0, size_bytes=size_bytes),
            disk(
                "db",
                number=1,
                size_bytes=size_bytes,
                source=Backing.RDM_PHYSICAL,
                source_lun="naa.6000000000000001",
            ),
            disk("web", number=0, size_bytes=size_bytes),
        ],
        [["db"], ["web"]],
        cycles=cycles,
    )


def pair_wave() -> Wave:
    """A pair on a shared disk, and a VM of its own that is powered off."""
    return wave(
        {"cluster": ["a", "b"], "alone": ["c"]},
        [
            disk("a", number=0),
            disk("b", number=0),
            disk("a", "b", number=1),
            disk("c", number=0, target=Backing.RDM_VIRTUAL, target_lun="naa.6000000000000002"),
        ],
        [["a"], ["b"], ["c"]],
        name="W02",
        off=frozenset({"c"}),
    )


def left_out_wave() -> Wave:
    """A VM with a disk that is never sent and one that is sent once, and its neighbour that stays off."""
    return wave(
        {"shop": ["db", "web"]},
        [
            disk("db", number=0),
            disk("db", number=1, send=Sending.NEVER),
            disk("db", number=2, send=Sending.ONCE),
            disk("web", number=0),
        ],
        [["db"]],
        off=frozenset({"web"}),
        cycles=2,
    )


def many_wave(vms: int, disks_each: int = 2) -> Wave:
    """``vms`` VMs in groups of five, for measuring."""
    names = [f"vm{number:03d}" for number in range(vms)]
    groups = {f"app{start // 5}": names[start : start + 5] for start in range(0, vms, 5)}
    return wave(
        groups,
        [disk(name, number=number, size_bytes=40 << 30) for name in names for number in range(disks_each)],
        [names[0::5], [name for position, name in enumerate(names) if position % 5]],
    )
