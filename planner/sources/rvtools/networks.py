"""Port groups: standard ones from vPort with the policy of vSwitch, distributed ones from dvPort.

vPort repeats a port group for every host; it is one network within its datacenter. The loosest
policy of all hosts counts, as one host that allows something is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from planner.model import VM, Network
from planner.names import visible
from planner.sources.naming import Naming
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.hosts import placed
from planner.units import show_count

Policy = tuple[bool | None, bool | None, bool | None]
_BINDINGS = {"earlybinding": "static", "latebinding": "dynamic", "ephemeral": "ephemeral"}


def _policies(sheet: Sheet) -> Iterator[Policy]:
    """Yield (promiscuous, forged transmits, MAC changes) of each row."""
    return zip(
        sheet.flags("promiscuousmode", "allowpromiscuous"),
        sheet.flags("forgedtransmits"),
        sheet.flags("macchanges"),
        strict=True,
    )


def _first(own: bool | None, inherited: bool | None) -> bool | None:
    return inherited if own is None else own


def _loosest(a: bool | None, b: bool | None) -> bool | None:
    return True if a or b else None if a is None or b is None else False


def _standard(ports: Sheet, switches: Sheet | None, naming: Naming) -> tuple[list[Network], list[str]]:
    defaults: dict[tuple[str, str, str], Policy] = {}
    if switches is not None:
        places = zip(placed(switches, naming), switches.texts("host"), switches.texts("switch"), strict=True)
        defaults = dict(zip(places, _policies(switches), strict=True))
    found: dict[tuple[str, str, str], Network] = {}
    mixed: dict[tuple[str, str, str], None] = {}
    hosts, datacenters, names = ports.texts("host"), ports.texts("datacenter"), ports.texts("portgroup")
    switch_names, vlans, policies = ports.texts("switch"), ports.texts("vlan"), list(_policies(ports))
    for row, vcenter in enumerate(placed(ports, naming)):
        name, switch = names[row], switch_names[row]
        if not name:
            continue
        above = defaults.get((vcenter, hosts[row], switch), (None, None, None))
        promiscuous, forged, changes = map(_first, policies[row], above)
        key = vcenter, datacenters[row], name
        known = found.get(key)
        if known is None:
            found[key] = Network(
                id=naming.named(vcenter, "/".join(filter(None, (datacenters[row], switch, name)))),
                name=name,
                vlan=vlans[row],
                switch=switch,
                vcenter=vcenter,
                datacenter=datacenters[row],
                kind="standard",
                promiscuous=promiscuous,
                forged_transmits=forged,
                mac_changes=changes,
            )
            continue
        if vlans[row] != known.vlan:
            mixed[key] = None
        found[key] = replace(
            known,
            promiscuous=_loosest(known.promiscuous, promiscuous),
            forged_transmits=_loosest(known.forged_transmits, forged),
            mac_changes=_loosest(known.mac_changes, changes),
        )
    notes = []
    if mixed:
        shown = ", ".join(visible(name, 40) for _, _, name in list(mixed)[:3])
        notes.append(
            f"{ports.name} has {show_count(len(mixed), 'port group')} whose VLAN differs between hosts "
            f"({shown}{', ...' if len(mixed) > 3 else ''}): the first was taken"
        )
    return list(found.values()), notes


def _distributed(ports: Sheet, naming: Naming) -> list[Network]:
    found: dict[tuple[str, str, str], Network] = {}
    names, switches, ids = ports.texts("port", "portgroup"), ports.texts("switch"), ports.texts("objectid")
    vlans, kinds, policies = ports.texts("vlan"), ports.texts("type"), list(_policies(ports))
    for row, vcenter in enumerate(placed(ports, naming)):
        key = vcenter, switches[row], names[row]
        if not names[row] or key in found:
            continue
        promiscuous, forged, changes = policies[row]
        found[key] = Network(
            id=naming.named(vcenter, ids[row] or f"{switches[row]}/{names[row]}"),
            name=names[row],
            vlan=vlans[row],
            switch=switches[row],
            vcenter=vcenter,
            kind="distributed",
            key=ids[row],
            binding=_BINDINGS.get(kinds[row].casefold(), kinds[row]),
            promiscuous=promiscuous,
            forged_transmits=forged,
            mac_changes=changes,
        )
    return list(found.values())


def read_networks(
    ports: Sheet | None, switches: Sheet | None, dv_ports: Sheet | None, naming: Naming, vms: Iterable[VM]
) -> tuple[tuple[Network, ...], list[str]]:
    """Return port groups once each, then networks that only VMs name; and notes."""
    networks: list[Network] = []
    notes: list[str] = []
    if ports is not None:
        networks, notes = _standard(ports, switches, naming)
    if dv_ports is not None:
        networks += _distributed(dv_ports, naming)
    listed = {(network.vcenter, network.name) for network in networks}
    used = {(vm.vcenter, nic.network) for vm in vms for nic in vm.nics if nic.network}
    networks += [
        Network(naming.named(vcenter, name), name, vcenter=vcenter) for vcenter, name in sorted(used - listed)
    ]
    return tuple(networks), notes
