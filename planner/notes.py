"""Notes: what a plan says beside its waves, one sentence each, to be read before it is signed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from planner.edits import MERGED
from planner.estimate import Measured
from planner.graph import hubs, unknown_ends
from planner.graph.cuts import Cut
from planner.graph.oversized import oversized
from planner.model import VM, Inventory, MoveGroup, Power, Tie
from planner.names import visible
from planner.plan import PlannedVM, Wave
from planner.settings import Settings
from planner.units import show_bytes, show_count, show_duration, show_rate

PARTING = "to part the group "  # begins the notes that propose a cut
_NAMED = 3  # VMs that one note names
_LARGEST = 300  # VMs of a group up to which a plan looks for cuts itself
_AFTER = {
    True: "both sides fit the caps then",
    None: "both sides may fit the caps then, not all disks are known",
    False: "a side is above the caps even then",
}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # names that a shell takes as they are


def estimate_notes(wave: Wave, converges: bool) -> tuple[str, ...]:
    """Return what is wrong with the time a wave takes."""
    notes = []
    if not converges:
        notes.append(f"{wave.name} writes faster than the link carries: its deltas will not get smaller")
    down_s = wave.estimate.downtime_min.p95 * 60
    if wave.window and down_s > wave.window.hours * 3600:
        notes.append(
            f"{wave.name} may be down for {show_duration(down_s)} (P95), longer than its window of "
            f"{wave.window.hours:g} h; give it a longer window, or set smaller caps"
        )
    return tuple(notes)


def _some(vms: Sequence[VM | PlannedVM]) -> str:
    named = ", ".join(visible(vm.name, 40) for vm in vms[:_NAMED])
    return named + (", ..." if len(vms) > _NAMED else "")


def _bare(inventory: Inventory, members: Sequence[VM]) -> list[str]:
    """Return which VMs are planned without disks or adapters, and whether that is known."""
    notes = []
    for kind, what, lost, bare in (
        ("disks", "disks", "nothing is copied for them", [vm for vm in members if not vm.disks]),
        ("nics", "network adapters", "they are built without any", [vm for vm in members if not vm.nics]),
    ):
        if bare and kind in inventory.gaps:
            notes.append(
                f"the inventory does not say what {what} {len(bare)} VMs have: as planned now, {lost}; "
                f"discover again with a source that lists {what} before anything is approved"
            )
        elif bare and kind == "disks":
            notes.append(f"{len(bare)} VMs have no disks in the inventory ({_some(bare)}): {lost}")
    return notes


def _left_behind(inventory: Inventory, planned: set[str]) -> list[str]:
    needed = {
        item.target
        for item in inventory.dependencies
        if item.tie in (Tie.HARD, Tie.ORDER) and item.source in planned and item.target not in planned
    }
    stay = [vm for vm in inventory.vms if vm.id in needed]
    if not stay:
        return []
    return [
        f"VMs in waves need {len(stay)} VMs that are in no wave ({_some(stay)}): make sure that they can be "
        "reached from the target, or plan them too"
    ]


def _unconfirmed(inventory: Inventory, settings: Settings) -> list[str]:
    names = {vm.id: vm for vm in inventory.vms}
    found = [names[hub.vm] for hub in hubs(inventory, settings) if not hub.verdict]
    if not found:
        return []
    return [
        f"{show_count(len(found), 'VM')} nobody confirmed ({_some(found)}) are taken for shared services: "
        "see 'wherry deps hubs'"
    ]


def _unmapped(members: Sequence[VM], settings: Settings) -> list[str]:
    """Return the networks of VMs that the settings give no target."""
    networks = dict.fromkeys(nic.network for vm in members for nic in vm.nics if nic.network)
    found = [visible(network, 40) for network in networks if network not in settings.networks]
    if len(found) < 2:
        return [f"network {name} has no map; its target is the network of the same name" for name in found]
    more = ", ..." if len(found) > _NAMED else ""
    return [
        f"{len(found)} networks have no map ({', '.join(found[:_NAMED])}{more}); "
        "their targets are the networks of the same names"
    ]


def _unmatched(inventory: Inventory, settings: Settings, vms: Set[str]) -> list[str]:
    """Return which networks that move whole and which ends of a freeze mean nobody, so that neither holds."""
    networks = {nic.network for vm in inventory.vms for nic in vm.nics}
    notes = [
        f"waves.whole_networks names {visible(name)}, and no VM is on a network of that name"
        for name in settings.waves.whole_networks
        if name not in networks
    ]
    if only := [name for freeze in settings.freezes for name in freeze.only if name not in vms]:
        said = {vm.application for vm in inventory.vms} | {vm.owner for vm in inventory.vms}
        said |= {*settings.owners.values()}
        notes += [
            f"a freeze is for {visible(name)} only, which is no VM, application or owner there is: it keeps "
            "nobody out"
            for name in dict.fromkeys(only)
            if name not in said
        ]
    return notes


def input_notes(inventory: Inventory, settings: Settings, planned: set[str]) -> list[str]:
    """Return what the settings name and the inventory lacks, and what nobody said."""
    known = {vm.name for vm in inventory.vms} | {vm.id for vm in inventory.vms}
    notes = [
        f"{part} names {visible(name)}, which the inventory does not hold"
        for part, names in (("exclude", settings.exclude), ("shared_services", settings.shared_services))
        for name in names
        if name not in known
    ]
    notes += _unmatched(inventory, settings, known)
    notes += _unconfirmed(inventory, settings)
    notes += _left_behind(inventory, planned)
    if missing := unknown_ends(inventory):
        notes.append(f"dependencies name {len(missing)} VMs that the inventory does not hold; left aside")
    members = [vm for vm in inventory.vms if vm.id in planned]
    notes += _bare(inventory, members)
    notes += _unmapped(members, settings)
    if unknown := sum(vm.power is Power.UNKNOWN for vm in members):
        notes.append(f"the power state of {unknown} VMs is unknown; they are not started at the target")
    return notes


def measured_notes(rates: Measured | None) -> tuple[str, ...]:
    """Return which measured rates the estimates rest on, and on how much those rest."""
    if rates is None:
        return ()
    figures = [
        said.format(show(value))
        for said, value, show in (
            ("seeds at {}", rates.link_bytes_s, show_rate),
            ("comparison at {}", rates.compare_bytes_s, show_rate),
            ("{} around a stop", rates.stop_min, _minutes),
            ("{} a boot batch", rates.boot_batch_min, _minutes),
            ("{} a disk beside its last delta", rates.pass_s, show_duration),
            ("writes {} times what was expected", rates.churn, "{:.2g}".format),
        )
        if value is not None
    ]
    if not figures:
        return ()
    named = ", ".join(rates.runs[-_NAMED:]) + (", ..." if len(rates.runs) > _NAMED else "")
    return (
        f"estimates rest on measured rates, medians of {show_count(len(rates.runs), 'run')} ({named}) that "
        f"seeded {show_count(rates.disks, 'disk')}: {', '.join(figures)}",
    )


def _minutes(minutes: float) -> str:
    return show_duration(60 * minutes)


def cut_notes(
    groups: Sequence[MoveGroup],
    inventory: Inventory,
    settings: Settings,
    sizes: Mapping[str, int] | None = None,
    services: frozenset[str] | None = None,
) -> tuple[str, ...]:
    """Return how the first few groups above the caps could be parted, and what that costs; nothing is cut.

    Groups merged by hand and very large ones are left to ``wherry deps oversized``. ``sizes`` (bytes by VM
    id) and ``services`` are as for ``oversized``.
    """
    names = {vm.id: vm.name for vm in inventory.vms}
    looked = [
        group
        for group in groups
        if len(group.vms) <= _LARGEST and not any(item.why.startswith(MERGED) for item in group.reasons)
    ]
    notes = []
    for name, found in oversized(looked, inventory, settings, _NAMED, sizes, services).items():
        shown = visible(name, 60)
        cut = found.fitting or found.cheapest
        if cut is None:
            notes.append(f"{PARTING}{shown} no tie can be refused: shared storage holds all of it together")
            continue
        leave = show_count(len(cut.part), "VM")
        notes.append(
            f"{PARTING}{shown}, refuse {show_count(len(cut.refuse), 'tie')} with "
            f"{show_bytes(cut.traffic_bytes)} of known traffic; {leave} would leave and "
            f"{_AFTER[cut.fits]}: {_command(cut, names)}"
        )
    return tuple(notes)


def _command(cut: Cut, names: dict[str, str]) -> str:
    """Return what refuses the only tie of a cut, or where the ties of a larger one are listed."""
    pairs = {(edge.source, edge.target) for edge in cut.refuse}
    if len(pairs) == 1:
        ends = [names.get(end, end) for end in pairs.pop()]
        if all(_PLAIN.fullmatch(end) for end in ends):
            return f"'wherry deps refuse {ends[0]} {ends[1]}', see 'wherry deps oversized'"
    return "see 'wherry deps oversized'"


def service_notes(inventory: Inventory, waves: Sequence[Wave], hubs: frozenset[str]) -> list[str]:
    """Return what moving shared services last asks for, and which move earlier all the same."""
    plain = [at for at, wave in enumerate(waves) if any(vm.id not in hubs for vm in wave.vms)]
    behind = max(plain, default=-1) + 1
    notes = []
    if last := [wave.name for wave in waves[behind:]]:
        notes.append(
            f"shared services move last ({', '.join(last)}): extend them or build them at the target "
            "before the first wave"
        )
    early = {wave.name: [vm for vm in wave.vms if vm.id in hubs] for wave in waves[:behind]}
    if early := {name: vms for name, vms in early.items() if vms}:
        named = "; ".join(f"{name}: {_some(vms)}" for name, vms in early.items())
        notes.append(f"shared services that a pin, an edit or a wave under way puts earlier: {named}")
    split = sum(
        item.tie is Tie.HARD and item.source not in hubs and item.target in hubs
        for item in inventory.dependencies
    )
    if notes and split:
        notes.append(
            f"{show_count(split, 'hard tie')} to shared services: met by extending or building those, "
            "not by moving together"
        )
    return notes
