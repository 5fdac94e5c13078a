"""A vCenter watched for a while: an inventory at every look, and rates that grow surer.

A look that fails for want of a connection is told and the watch goes on; what a person has to settle
(a refused login, a changed certificate) ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from planner.errors import Unreachable
from planner.model import VM, Datastore, Inventory, Power
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.collector import PAGE, Collector, Report
from planner.sources.vcenter.rates import Rates, Sampler
from planner.sources.vcenter.refresh import Refresher, with_rates
from planner.sources.vcenter.session import Session


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw. ``changed`` leaves figures aside that move by themselves (see ``steady``).

    ``missed`` is the error of the looks since the last one that failed, None when none did.
    """

    inventory: Inventory
    changed: bool
    rates: Rates
    missed: Unreachable | None = None


def _now() -> datetime:
    return datetime.now(UTC)


def watch(
    login: Login,
    every_s: float,
    for_s: float | None = None,
    *,
    report: Report | None = None,
    page: int = PAGE,
    clock: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> Generator[Look, None, None]:
    """Yield a look now and every ``every_s`` seconds, until ``for_s`` have passed (None: for ever).

    Closing the generator logs out. The first look raises as ``read_vcenter`` does; later ones raise
    BadInput only, and Unreachable when the vCenter stays away for five looks.
    """
    begun = clock()
    rates = Rates()
    last: Inventory | None = None
    missed: Unreachable | None = None
    failures = 0
    with Session(login) as session:
        collector = Collector(session, page=page, report=report, sleep=sleep)
        refresher, sampler = Refresher(session, collector, clock), Sampler(collector)
        try:
            while True:
                try:
                    seen = refresher.look()
                    rates.add(sampler.look([vm.id for vm in seen.vms if vm.power is Power.ON]))
                except Unreachable as error:
                    failures += 1
                    if last is None or failures >= 5:
                        raise
                    missed = error
                else:
                    changed = last is None or steady(seen) != steady(last)
                    last, failures = seen, 0
                    told = replace(seen, notes=(*seen.notes, *sampler.notes))
                    yield Look(with_rates(told, rates.churn_bytes_day), changed, rates, missed)
                    missed = None
                if for_s is not None and (clock() - begun).total_seconds() + every_s > for_s:
                    return
                sleep(every_s)
        finally:
            refresher.close()


def steady(inventory: Inventory) -> Inventory:
    """Return the inventory without the figures that move by themselves: times, use, free space."""
    return replace(
        inventory,
        taken_at="",
        vms=tuple(_steady_vm(vm) for vm in inventory.vms),
        datastores=tuple(_steady_store(store) for store in inventory.datastores),
    )


def _steady_store(store: Datastore) -> Datastore:
    return replace(store, free_bytes=0, provisioned_bytes=None)


def _steady_vm(vm: VM) -> VM:
    parts = vm.guest.partitions
    return replace(
        vm,
        used_bytes=None,
        churn_bytes_day=None,
        disks=tuple(replace(disk, used_bytes=None) for disk in vm.disks),
        snapshots=tuple(replace(snapshot, size_bytes=None) for snapshot in vm.snapshots),
        guest=replace(
            vm.guest,
            heartbeat="",
            partitions=None if parts is None else tuple(replace(part, free_bytes=None) for part in parts),
        ),
    )
