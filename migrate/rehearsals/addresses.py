"""Whether what a wave gets at the target is held by somebody already: IP and MAC addresses.

    the plan, else the source's inventory ──▶ what its VMs will have ─┐
    the target site, else its inventory   ──▶ who holds what there ───┴──▶ conflicts

What nobody can say is unknown, never none. A VM of the wave itself is in nobody's way: addresses that the
source has twice already, or the plan gives twice, are findings of the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from migrate.rehearsals.finding import Finding
from migrate.rehearsals.starting import named
from migrate.run.readdress_steps import guest_nics
from migrate.sites.addresses import Holder, TellsAddresses
from planner.errors import WherryError
from planner.model import Power
from planner.names import visible
from planner.units import show_count

if TYPE_CHECKING:
    from migrate.sites.ports import FullSite
    from planner.model import VM
    from planner.plan import Wave
    from planner.store.project import Project

MAC, IP = "MAC", "IP"


@dataclass(frozen=True, slots=True)
class Conflict:
    """An address that a VM of the wave gets and others hold; names are untrusted."""

    kind: str
    address: str
    vm: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """How many addresses of a kind were looked for, and how many are held; None is unknown, see ``why``."""

    looked: int
    found: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What came of it. ``by`` says who told what is in use, empty for nobody."""

    by: str
    macs: Looked
    ips: Looked
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Who holds what at the target; ``why`` is why nobody can say that of a kind, empty where they can."""

    by: str = ""
    holders: tuple[Holder, ...] = ()
    no_macs: str = ""
    no_ips: str = ""


def look(project: Project, wave: Wave, target: FullSite | None) -> Addresses:
    """Return what of the addresses of a wave is in use at its target; asks the site, else the inventory."""
    from planner.store import inventories

    try:
        known = {vm.id: vm for vm in inventories.latest(project).inventory.vms}
    except WherryError:
        known = {}
    return compare(wave, known, told_by(project, target))


def told_by(project: Project, target: FullSite | None) -> Told:
    """Return who holds what, by the site itself where it can tell, else by its newest inventory."""
    from planner.store import inventories

    cannot = "the target site cannot be asked"
    site: object = target
    if target is not None and isinstance(site, TellsAddresses):
        try:
            return Told(f"site {target.name}", site.address_holders())
        except WherryError as error:
            cannot = error.message
    elif target is not None:
        cannot = f"site {target.name} cannot say"
    stored = inventories.find_target(project)
    if stored is None:
        none = f"{cannot}, and no inventory of the target was read"
        return Told(no_macs=none, no_ips=none)
    by = f"the target's inventory of {stored.inventory.taken_at[:16].replace('T', ' ')} UTC"
    if "nics" in inventories.gaps(project, stored.id):
        none = f"{by} has no network adapters"
        return Told(by, (), none, none)
    holders = tuple(_holder(vm) for vm in stored.inventory.vms)
    bare = [vm.name for vm in stored.inventory.vms if any(not nic.mac for nic in vm.nics)]
    return Told(by, holders, f"{by} has no MAC address of {named(bare)}" if bare else "")


def _holder(vm: VM) -> Holder:
    ips = tuple(address for nic in vm.nics for address in nic.addresses)
    macs = tuple(nic.mac.casefold() for nic in vm.nics if nic.mac)
    return Holder(vm.id, vm.name, macs, None if vm.power is Power.ON and vm.nics and not ips else ips)


def compare(wave: Wave, known: Mapping[str, VM], told: Told) -> Addresses:
    """Return what the VMs of a wave get that others hold. ``known`` are VMs as their source has them, by id.

    Pure. What the guest of a running VM has is unknown where neither plan nor source say it.
    """
    mine = {vm.id for vm in wave.vms}
    others = [one for one in told.holders if one.vm not in mine]
    macs = {vm.id: tuple(dict.fromkeys(nic.mac.casefold() for nic in vm.nics if nic.mac)) for vm in wave.vms}
    ips = {vm.id: _ips_of(wave, vm.id, known.get(vm.id)) for vm in wave.vms}
    dumb = [vm.name for vm in wave.vms if vm.powered_on and vm.nics and not ips[vm.id]]
    silent = [one.name for one in others if one.ips is None]
    by_mac = list(_conflicts(wave, MAC, macs, {one: one.macs for one in others}))
    by_ip = list(_conflicts(wave, IP, ips, {one: tuple(_plain(one.ips or ())) for one in others}))
    no_ips = [
        told.no_ips,
        f"nobody knows the addresses of {named(dumb)}" if dumb else "",
        f"{named(silent)} at the target does not say which it has" if silent else "",
    ]
    return Addresses(
        told.by,
        _looked(macs, by_mac, [told.no_macs]),
        _looked(ips, by_ip, no_ips),
        (*by_ip, *by_mac),
    )


def _looked(wanted: Mapping[str, Sequence[str]], found: Sequence[Conflict], unknown: Sequence[str]) -> Looked:
    why = "; ".join(filter(None, unknown))
    return Looked(sum(map(len, wanted.values())), None if why and not found else len(found), why)


def _ips_of(wave: Wave, vm: str, known: VM | None) -> tuple[str, ...]:
    """Return what a guest will have: what the plan gives to an adapter, else what it has at the source."""
    given = {nic.label: nic.addresses for nic in guest_nics(wave.conduct.nics_of(vm)) if nic.addresses}
    labels = dict.fromkeys([*given, *(nic.label for nic in (known.nics if known else ()))])
    kept = {nic.label: nic.addresses for nic in (known.nics if known else ())}
    said = (address for label in labels for address in given.get(label, kept.get(label, ())))
    return tuple(dict.fromkeys(_plain(said)))


def _plain(addresses: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """Yield addresses without prefixes, in one way of writing; link-local ones mean nothing elsewhere."""
    for text in addresses:
        try:
            address = ip_address(text.partition("/")[0])
        except ValueError:
            continue
        if not address.is_link_local:
            yield address.compressed


def _conflicts(
    wave: Wave, kind: str, wanted: Mapping[str, Sequence[str]], held: Mapping[Holder, Sequence[str]]
) -> Iterator[Conflict]:
    holders: dict[str, list[str]] = {}
    for one, addresses in held.items():
        for address in addresses:
            holders.setdefault(address, []).append(f"{one.name} at the target")
    for vm in wave.vms:
        for address in wanted[vm.id]:
            if found := holders.get(address):
                yield Conflict(kind, address, vm.name, tuple(found))


def findings(said: Addresses) -> Iterator[Finding]:
    """Yield a finding for each conflict."""
    for one in said.conflicts:
        hint = "give one of them another address before the night: two of one cut each other off"
        what = f"{visible(one.vm)} gets the {one.kind} address {visible(one.address, 60)}"
        yield Finding("addresses", f"{what}, which {named(one.others)} has too", hint)


def words(said: Addresses) -> Iterator[str]:
    """Yield a sentence for each kind: how many were looked for, how many are in use, or why nobody knows."""
    for kind, one in ((IP, said.ips), (MAC, said.macs)):
        looked = show_count(one.looked, f"{kind} address")
        if one.found is None:
            yield f"{looked} looked for, whether in use is unknown: {visible(one.why, 300)}"
            continue
        more = f"; not all is known: {visible(one.why, 300)}" if one.why else ""
        by = f", by {visible(said.by, 120)}" if said.by else ""
        yield f"{looked} looked for, {one.found} in use{by}{more}"
