"""Planning the conduct of one wave: the filters of the settings become the VMs that they find.

Filters know what a VM says of itself; waves, groups and checks are not there yet when they are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.conduct import Conduct, Hook, Probe, ProbeKind
from planner.conduct_planned import PlannedConduct, PlannedEnding, PlannedHook, PlannedNic, PlannedProbe
from planner.conduct_readdressing import Readdressing, readdressing_notes
from planner.errors import BadInput
from planner.fields import Seen
from planner.freezing import unfrozen
from planner.model import VM, Backing
from planner.names import visible
from planner.query import parse
from planner.units import show_count
from planner.waves.content import writable

if TYPE_CHECKING:
    from planner.plan import Wave

_NAMED = 3  # VMs that one note names


def plan_conduct(
    conduct: Conduct,
    members: Sequence[VM],
    booting: Sequence[str],
    networks: Mapping[str, str],
    seen: Seen,
) -> PlannedConduct:
    """Return what of the conduct concerns a wave of ``members``.

    ``booting`` are the ids of those that are started at the target, ``networks`` maps source networks to
    target networks.
    """
    boots = frozenset(booting)
    probes = []
    for probe in conduct.probes:
        found = tuple(vm for vm in _found(probe, members, seen) if vm in boots)
        if found:
            probes.append(PlannedProbe(**_rule(probe), vms=found))
    hooks = []
    for hook in conduct.hooks:
        found = _found(hook, members, seen) if hook.vms else ()
        if found or not hook.vms:
            hooks.append(PlannedHook(**_rule(hook), vms=found))
    asked = any(probes) or any(hook.vms for hook in hooks)
    given = Readdressing(conduct)
    nics = tuple(nic for vm in members for nic in given.of(vm, seen))
    addresses, home = _addresses(conduct, members, nics) if asked else ({}, {})
    plugged = {networks.get(nic.network, nic.network) for vm in members for nic in vm.nics}
    return PlannedConduct(
        probes=tuple(probes),
        hooks=tuple(hooks),
        gates=conduct.gates,
        ending=PlannedEnding(**conduct.ending.model_dump()),
        addresses=addresses,
        home_addresses=home,
        nics=nics,
        test_networks={one: other for one, other in conduct.test_networks.items() if one in plugged},
    )


def check_filters(conduct: Conduct, where: str) -> None:
    """Raise BadInput, naming the rule in the settings of ``where``, when a filter cannot be read."""
    named: list[tuple[str, str, str]] = [
        *(("probe", one.name, one.vms) for one in conduct.probes),
        *(("hook", one.name, one.vms) for one in conduct.hooks),
        *(("subnet", one.words, one.vms) for one in conduct.subnets),
    ]
    for what, name, vms in named:
        try:
            parse(vms)
        except BadInput as error:
            raise BadInput(
                f"{where} has a wrong filter at {what} {visible(name)}: {error.message}", error.hint
            ) from error


def conduct_notes(conduct: Conduct, waves: Iterable[Wave], *, one_by_one: bool = False) -> Iterator[str]:
    """Yield what of the conduct concerns nobody, and which addresses it needs that nobody knows.

    ``one_by_one``: the target freezes single VMs.
    """
    waves = tuple(waves)
    yield from readdressing_notes(conduct, waves)
    yield from _unprotected_notes(waves, one_by_one)
    used: set[tuple[str, str]] = set()
    lacking: dict[tuple[str, str], list[str]] = {}
    for wave in waves:
        for what, rules in (("probe", wave.conduct.probes), ("hook", wave.conduct.hooks)):
            for rule in rules:
                used.add((what, rule.name))
                if _asks_for_address(rule):
                    unknown = [vm for vm in rule.vms if vm not in wave.conduct.addresses]
                    lacking.setdefault((what, rule.name), []).extend(wave.vm(vm).name for vm in unknown)
    said = [*(("probe", one.name) for one in conduct.probes), *(("hook", one.name) for one in conduct.hooks)]
    for what, name in said:
        if (what, name) not in used:
            yield f"{what} {visible(name)} concerns no VM of any wave: see its filter"
    for (what, name), vms in lacking.items():
        if vms:
            some = ", ".join(visible(vm, 40) for vm in vms[:_NAMED]) + (", ..." if len(vms) > _NAMED else "")
            yield (
                f"{what} {visible(name)} needs an address of {show_count(len(vms), 'VM')} of which nobody "
                f"knows one ({some}): it will fail there; say it in conduct.addresses"
            )


def unprotected(wave: Wave, *, one_by_one: bool = False) -> int:
    """Return how many disks a failback copies after its go only: they have no snapshots at the target.

    ``one_by_one``: the target freezes single VMs.
    """
    bare = unfrozen(wave) if one_by_one else frozenset()
    return sum(
        not disk.left_out and (disk.target is Backing.RDM_PHYSICAL or disk.volume in bare)
        for disk in wave.disks
    )


def _unprotected_notes(waves: Iterable[Wave], one_by_one: bool) -> Iterator[str]:
    counted = {
        wave.name: unprotected(wave, one_by_one=one_by_one) for wave in waves if wave.conduct.ending.reverse
    }
    found = {name: count for name, count in counted.items() if count}
    if found:
        total = sum(found.values())
        what = show_count(total, "physical RDM")
        if one_by_one:
            what = f"{show_count(total, 'disk')} without snapshots"
        yield (
            f"{what} at the target ({', '.join(found)}) cannot be protected at the source after the commit: "
            "a failback copies what it holds while it is down"
        )


def _asks_for_address(rule: PlannedProbe | PlannedHook) -> bool:
    if isinstance(rule, PlannedHook):
        return any("{address}" in text for text in (*rule.argv, *rule.environment.values()))
    match rule.kind:
        case ProbeKind.TCP | ProbeKind.TLS:
            return "{address}" in rule.host
        case ProbeKind.HTTP:
            return "{address}" in rule.url
        case ProbeKind.COMMAND:
            return any("{address}" in text for text in rule.argv)
        case _:
            return False


def _found(rule: Probe | Hook, members: Sequence[VM], seen: Seen) -> tuple[str, ...]:
    wanted = parse(rule.vms)
    return tuple(vm.id for vm in members if wanted.matches(vm, seen))


def _rule(rule: Probe | Hook) -> dict[str, Any]:
    return rule.model_dump(exclude={"vms"})


def _addresses(
    conduct: Conduct, members: Sequence[VM], nics: Sequence[PlannedNic]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the address of each VM at the target, and that of today where it is another."""
    gets: dict[str, str] = {}
    for nic in nics:
        if nic.live and nic.live.addresses:
            gets.setdefault(nic.vm, nic.live.addresses[0].partition("/")[0])
    there, home = {}, {}
    for vm in members:
        known = (writable(address) for nic in vm.nics for address in nic.addresses if address)
        today = next(known, "")
        if address := conduct.addresses.get(vm.name) or gets.get(vm.id) or today:
            there[vm.id] = address
            if today and today != address:
                home[vm.id] = today
    return there, home
