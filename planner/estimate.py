"""Estimates: how long a VM, a group or a wave seeds, and how long it is down, as P50 and P95.

The link carries rate x share x 0.85 (TCP goodput of about 85 % of line: liquidstate, netmath). A
day writes 3 % of what is used, a database 8 % (between VMware's and Platform9's rules of thumb).
P95 takes 70 % of the link and twice the churn. After the stop whole disks are compared at both
sites, one after the other: 1 GB/s, or half of it. All of it gives way to measured rates once a
pilot has run; where the source says churn or used bytes of a VM, that counts already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from planner.freezing import is_one_by_one, is_unfrozen
from planner.model import VM, Backing, Disk, Estimate, Sending, Volume

if TYPE_CHECKING:
    from planner.settings import Link, Policies, Settings

GOODPUT = 0.85
CHURN_PER_DAY = 0.03
CHURN_PER_DAY_DATABASE = 0.08
CASES = ((1.0, 1.0), (0.7, 2.0))  # (P50, P95): times the link, times the churn
COMPARE_BYTES_S = (1.0e9, 0.5e9)  # one core that hashes while it reads: (P50, P95)
_DAY_S = 86400.0
DELTA_PAUSE_S = 900.0  # between two deltas, where no plan says how often they come
# Minutes around the final delta, judgement until a pilot measured them: (P50, P95).
_STOP_MIN = (5.0, 10.0)
_BOOT_BATCH_MIN = (3.0, 6.0)


@dataclass(frozen=True, slots=True)
class WaveEstimate:
    """What a wave takes. ``converges`` is False when it writes faster than the link carries."""

    seed_h: Estimate
    downtime_min: Estimate
    converges: bool
    final_min: Estimate  # of the downtime: the last delta and what is copied cold
    churn_bytes_day: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What runs showed, in place of the rules of thumb; None = not measured.

    ``runs`` and ``disks`` are what it rests on. ``churn`` holds for VMs that nobody measured themselves;
    ``churn_bytes_day`` is by VM id.
    """

    link_bytes_s: float | None = None  # what migration got out of the line
    compare_bytes_s: float | None = None
    stop_min: float | None = None  # everything around the last copy and its comparison, but the start
    boot_batch_min: float | None = None
    churn: float | None = None  # times what was expected
    pass_s: float | None = None  # of the last pass over one disk, beyond its bytes
    churn_bytes_day: Mapping[str, float] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    disks: int = 0


@dataclass(frozen=True, slots=True)
class _Load:
    """Bytes of a wave: sent while it runs, sent after it stopped, written per second, compared."""

    warm_bytes: float
    cold_bytes: float
    churn_bytes_s: float
    compared_bytes: float


def goodput_bytes_s(link: Link) -> float:
    """Return the bytes per second that migration gets out of the link."""
    return link.rate_mbit * 1e6 / 8 * link.share * GOODPUT


def is_database(vm: VM) -> bool:
    """True when a person called the VM's tier a database."""
    return vm.tier.strip().casefold() in {"database", "db", "databases"}


def _used_bytes(vm: VM, disk: Disk, size_bytes: int) -> float:
    if disk.backing.is_rdm:
        return size_bytes  # a raw device says nothing about what is in use
    if disk.used_bytes is not None:
        return min(disk.used_bytes, size_bytes)
    if vm.used_bytes is None:
        return size_bytes
    provisioned = sum(item.size_bytes for item in vm.disks if not item.backing.is_rdm)
    return size_bytes * min(1.0, vm.used_bytes / provisioned) if provisioned else 0.0


def _load(volumes: Sequence[Volume], known: Measured, one_by_one: bool = False) -> _Load:
    warm = cold = 0.0
    by_vm: dict[str, float] = {}
    left: dict[str, float] = {}  # of each VM, in use on disks of whose changes there is no delta
    vms: dict[str, VM] = {}
    for volume in volumes:
        for item in volume.attachments:
            vms.setdefault(item.vm.id, item.vm)
        if volume.backing is Backing.RDM_PHYSICAL:
            cold += volume.size_bytes  # no snapshot, no change map: copied whole after the stop
            continue
        first = volume.attachments[0]
        used = _used_bytes(first.vm, first.disk, volume.size_bytes)
        bare = one_by_one and is_unfrozen(volume)
        if bare and not volume.left_out:
            cold += used  # the same
        else:
            warm += 0.0 if volume.sending is Sending.NEVER else used
        into = left if bare or volume.left_out else by_vm
        into[first.vm.id] = into.get(first.vm.id, 0.0) + used
    churn = 0.0
    factor = 1.0 if known.churn is None else known.churn
    for vm in vms.values():
        share = CHURN_PER_DAY_DATABASE if is_database(vm) else CHURN_PER_DAY
        said = vm.churn_bytes_day
        kept, spared = by_vm.get(vm.id, 0.0), left.get(vm.id, 0.0)
        # What is said is of all its disks together: their part goes by what is in use on them.
        part = kept / (kept + spared) if spared else 1.0
        expected = share * kept if said is None else said * part
        churn += known.churn_bytes_day.get(vm.id, expected * factor)
    compared = sum(volume.size_bytes for volume in volumes if not volume.left_out)
    return _Load(warm, cold, churn / _DAY_S, compared)


def churn_bytes_day(volumes: Sequence[Volume]) -> float:
    """Return what the VMs of volumes are expected to write a day, before anybody measured it."""
    return _load(volumes, Measured()).churn_bytes_s * _DAY_S


def seed_bytes(volumes: Sequence[Volume]) -> int:
    """Return what the first copy of volumes sends: bytes in use where known, else whole disks; RDMs whole.

    A disk that is never sent costs nothing.
    """
    load = _load(volumes, Measured())
    return round(load.warm_bytes + load.cold_bytes)


def copies(
    warm_bytes: float, churn_bytes_s: float, rate_bytes_s: float, pause_s: float = DELTA_PAUSE_S
) -> Iterator[float]:
    """Yield what each copy sends, the first one first: a delta carries what the one before let pass.

    Between two of them there are at least ``pause_s`` seconds.
    """
    left = warm_bytes
    while True:
        yield left
        left = min(warm_bytes, churn_bytes_s * max(left / rate_bytes_s, pause_s))


def _final_delta_bytes(load: _Load, rate: float, policies: Policies) -> float:
    """Return what is left to send after the stop, with the deltas before it that the policies want."""
    pause_s = 60.0 * policies.cycle_min or DELTA_PAUSE_S
    sent = copies(load.warm_bytes, load.churn_bytes_s, rate, pause_s)
    return next(islice(sent, policies.delta_cycles + 1, None))


def estimate_wave(
    volumes: Sequence[Volume],
    link: Link,
    policies: Policies,
    boot_batches: int,
    rates: Measured | None = None,
    *,
    one_by_one: bool = False,
) -> WaveEstimate:
    """Return seed hours and downtime minutes of volumes that cut over together, shared ones once.

    The same holds for one VM or one group: pass its volumes. ``rates`` stand in for the rules of thumb.
    ``one_by_one``: the source freezes single VMs, so disks that they share are in no snapshot.
    """
    known = rates or Measured()
    load = _load(volumes, known, one_by_one)
    full = known.link_bytes_s or goodput_bytes_s(link)
    stop = _STOP_MIN if known.stop_min is None else (known.stop_min, 2 * known.stop_min)
    batch = known.boot_batch_min
    boot = _BOOT_BATCH_MIN if batch is None else (batch, 2 * batch)
    speed = known.compare_bytes_s
    compare = (speed, speed / 2) if speed else COMPARE_BYTES_S
    passes = sum(not volume.left_out for volume in volumes)
    seeds, downs, finals = [], [], []
    for at, (slow, high) in enumerate(CASES):
        rate = full * slow
        busy = replace(load, churn_bytes_s=load.churn_bytes_s * high)
        seeds.append(round(busy.warm_bytes / rate / 3600, 3))
        final = _final_delta_bytes(busy, rate, policies) + busy.cold_bytes
        final_s = final / rate + (known.pass_s or 0.0) * passes
        around = stop[at] + boot[at] * boot_batches
        compare_s = load.compared_bytes / compare[at]
        finals.append(round(final_s / 60, 2))
        downs.append(round((final_s + compare_s) / 60 + around, 2))
    return WaveEstimate(
        Estimate(*seeds),
        Estimate(*downs),
        converges=load.churn_bytes_s < full,
        final_min=Estimate(*finals),
        churn_bytes_day=load.churn_bytes_s * _DAY_S,
    )


def estimate_planned(
    volumes: Sequence[Volume], settings: Settings, boot_batches: int, rates: Measured | None = None
) -> WaveEstimate:
    """Return the same with the link and policies of the settings, and as their source freezes VMs."""
    alone = is_one_by_one(settings, "source")
    return estimate_wave(volumes, settings.link, settings.policies, boot_batches, rates, one_by_one=alone)
