"""Items: what groups weigh in a wave together, and which slots they may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from planner.estimate import Measured, WaveEstimate, estimate_planned, seed_bytes
from planner.model import VM, Inventory, MoveGroup, Volume
from planner.settings import Settings, Window
from planner.sized import holds_all
from planner.volumes import datastore_of
from planner.waves.calendar import begin_of_work, closed_slots
from planner.waves.constraints import kin
from planner.waves.hand import Hand
from planner.waves.lookup import Lookup
from planner.waves.problem import Item
from planner.waves.supply import slot_caps
from planner.waves.words import criticality

_LONGEST_H = 24.0 * 3650
_CALM = 10  # so many warnings, or one blocker, are a risk of one half


# By groups with their VMs: what they weigh together, by the rates that were measured then.
Weights = dict[tuple[tuple[str, tuple[str, ...]], ...], tuple[Measured | None, Item]]


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier plan said: the slot of each VM it held, and the VMs whose wave is under way."""

    slot_of: Mapping[str, int]
    frozen: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """Everything a problem is built from. ``first`` is the first slot its items may have.

    ``standing`` is the slot each VM has when nothing is searched: a plan that is looked at or edited.
    """

    inventory: Inventory
    settings: Settings
    lookup: Lookup
    everyone: tuple[MoveGroup, ...]  # the groups of all tracks, so that names can be told from typing errors
    hubs: frozenset[str]
    target: Inventory | None = None
    before: Before | None = None
    first: int = 0
    rates: Measured | None = None
    hand: Hand = field(default_factory=Hand)
    standing: Mapping[str, int] | None = None
    weights: Weights = field(default_factory=dict, repr=False, compare=False)

    @property
    def names(self) -> Mapping[str, str]:
        """VM id → name of everybody who moves."""
        return {vm: self.lookup.vms[vm].name for group in self.everyone for vm in group.vms}

    def vms(self, group: MoveGroup) -> list[VM]:
        """Return the VMs of a group."""
        return [self.lookup.vms[vm] for vm in group.vms]

    def sized(self, group: MoveGroup) -> bool:
        """Return whether all disks of a group are known, each with a size."""
        return all(holds_all(vm, self.inventory.gaps) for vm in self.vms(group))

    def owner(self, vm: VM) -> str:
        """Return who owns a VM, empty when nobody said."""
        return vm.owner or self.settings.owners.get(vm.application, "")


def sources_of(volumes: Sequence[Volume]) -> tuple[Counter[str], Counter[str]]:
    """Return bytes read by datastore and disks read by host."""
    stores: Counter[str] = Counter()
    hosts: Counter[str] = Counter()
    for volume in volumes:
        first = volume.attachments[0]
        if name := datastore_of(first.disk.path):
            stores[" in ".join(part for part in (name, first.vm.datacenter) if part)] += volume.size_bytes
        if first.vm.host:
            hosts[first.vm.host] += 1
    return stores, hosts


def _sources(volumes: Sequence[Volume], settings: Settings) -> tuple[Counter[str], Counter[str]]:
    """Return what ``sources_of`` does, as far as caps ask for it."""
    caps = settings.caps
    if caps.tib_per_datastore is None and caps.disks_per_host is None:
        return Counter(), Counter()
    stores, hosts = sources_of(volumes)
    return (
        stores if caps.tib_per_datastore is not None else Counter(),
        hosts if caps.disks_per_host is not None else Counter(),
    )


def commonest(said: Sequence[str]) -> str:
    """Return what is said most often, by name among equals; empty when nobody says anything."""
    counts = Counter(name for name in said if name)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""


def _takes(groups: Sequence[MoveGroup], ask: Ask) -> WaveEstimate:
    volumes = [volume for group in groups for volume in ask.lookup.volumes(group)]
    return estimate_planned(volumes, ask.settings, 1, ask.rates)


def weigh(groups: Sequence[MoveGroup], ask: Ask) -> Item:
    """Return what groups weigh together; of the same ones it is worked out once."""
    key = tuple((group.name, group.vms) for group in groups)
    found = ask.weights.get(key)
    if found is None or found[0] is not ask.rates:
        found = ask.weights[key] = ask.rates, _weighed(groups, ask)
    return found[1]


def _owners(groups: Sequence[MoveGroup], ask: Ask) -> tuple[tuple[str, int], ...]:
    """Return how many of the groups each owner has, as each of them would count alone."""
    found = Counter(commonest([ask.owner(vm) for vm in ask.vms(group)]) for group in groups)
    return tuple(sorted((owner, count) for owner, count in found.items() if owner))


def _teams(owners: Sequence[tuple[str, int]], settings: Settings) -> tuple[tuple[str, int], ...]:
    found: Counter[str] = Counter()
    for owner, count in owners:
        if team := settings.teams.get(owner):
            found[team] += count
    return tuple(sorted(found.items()))


def _weighed(groups: Sequence[MoveGroup], ask: Ask) -> Item:
    vms = [vm for group in groups for vm in ask.vms(group)]
    volumes = [volume for group in groups for volume in ask.lookup.volumes(group)]
    takes = _takes(groups, ask)
    risk = sum(ask.lookup.risk(group) for group in groups)
    owner = commonest([ask.owner(vm) for vm in vms])
    owners = _owners(groups, ask) if len(groups) > 1 else ()
    kins = [kin(group, ask.vms(group)) for group in groups]
    stores, hosts = _sources(volumes, ask.settings)
    size = sum(volume.size_bytes for volume in volumes)
    return Item(
        name=groups[0].name if len(groups) == 1 else commonest([item.application for item in kins]),
        vms=len(vms),
        size_bytes=size,
        seed_bytes=seed_bytes(volumes),
        churn_bytes_day=takes.churn_bytes_day,
        downtime_h=takes.downtime_min.p50 / 60,
        engineer_h=len(vms) * ask.settings.waves.vm_hours,
        risk=risk / (risk + _CALM),
        criticality=max((criticality(vm.criticality) for vm in vms), default=0.0),
        groups=len(groups),
        owner=owner,
        team=ask.settings.teams.get(owner, ""),
        owners=owners,
        teams=_teams(owners, ask.settings),
        application=commonest([item.application for item in kins]),
        environment=commonest([item.environment for item in kins]),
        vcpus=sum(vm.cpus for vm in vms),
        memory_bytes=sum(vm.memory_bytes for vm in vms),
        target_bytes=size,
        datastores=tuple(sorted(stores.items())),
        hosts=tuple(sorted(hosts.items())),
    )


def fit_together(groups: Sequence[MoveGroup], ask: Ask) -> bool:
    """True when the groups do not exceed the caps of a wave together."""
    caps, item = slot_caps(ask.settings), weigh(groups, ask)
    return (
        item.vms <= (caps.vms or item.vms)
        and item.size_bytes <= (caps.size_bytes or item.size_bytes)
        and item.engineer_h <= (caps.engineer_h or item.engineer_h)
        and item.groups <= (caps.cutovers or item.groups)
        and all(count <= (caps.items_per_owner or count) for _, count in item.by_owner)
        and all(count <= (caps.items_per_team or count) for _, count in item.by_team)
        and all(size <= (caps.bytes_per_datastore or size) for _, size in item.datastores)
        and all(count <= (caps.disks_per_host or count) for _, count in item.hosts)
    )


def _earliest(groups: Sequence[MoveGroup], ask: Ask, windows: Sequence[Window]) -> int:
    """Return the first slot that leaves time for the tasks of the groups, and for their seed after them."""
    begins = begin_of_work(ask.settings)
    days = max(ask.lookup.lead_days(group) for group in groups)
    if begins is None or not days:
        return ask.first
    seed_h = min(_takes(groups, ask).seed_h.p95, _LONGEST_H)
    ready = begins + timedelta(days=days, hours=seed_h)
    return max(ask.first, sum(window.start_utc < ready for window in windows))


def placed(
    item: Item, groups: Sequence[MoveGroup], ask: Ask, windows: Sequence[Window], slots: int, pin: int | None
) -> Item:
    """Return the item with the slots it may have: its pin alone, or what tasks and freezes leave.

    What held the item before does not count.
    """
    if pin is not None:
        return replace(item, earliest=0, allowed=None, pinned=pin, pilot=False)
    closed: frozenset[int] = frozenset()
    if ask.settings.freezes:
        names = {group.name for group in groups}
        for vm in (vm for group in groups for vm in ask.vms(group)):
            names |= {vm.id, vm.name, vm.application, ask.owner(vm)}
        closed = closed_slots(windows, ask.settings.freezes, names - {""})
    return replace(
        item,
        earliest=_earliest(groups, ask, windows),
        allowed=frozenset(range(slots)) - closed if closed else None,
        pinned=None,
        pilot=False,
    )
