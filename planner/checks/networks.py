"""Checks of the networks that VMs use: their maps, VLANs, switches and policies.

A network is asked about only when a movable VM is on it; what nobody uses is in nobody's way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import About, Rule, Work, rule
from planner.checks.estate import Estate
from planner.model import Network, Severity, VCenter
from planner.names import visible
from planner.units import show_count

RULES: list[Rule] = []
_TRUNK = "4095"  # of a standard port group: all VLANs, tagged by the guest


def _users(network: Network, estate: Estate) -> int:
    return estate.lookup.users.get(estate.place(network, network.name), 0)


def _used(network: Network, estate: Estate) -> str:
    return f"{visible(network.name)}, network of {show_count(_users(network, estate), 'VM')}"


@rule(
    RULES,
    "network.map.unset",
    Severity.WARNING,
    "Network without a map",
    why="Its VMs go to the network of the same name, which may be another one, or none.",
    remedy="map it under networks in the settings, to itself if the name is meant",
    condition="a network that movable VMs are on is not listed under networks in the settings",
    properties=("network",),
    reference="wherry settings: networks",
    about=About.NETWORK,
    work=Work(15),
)
def not_mapped(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: network without a map."""
    if not _users(network, estate):
        return
    if estate.settings is None:
        yield None
    elif network.name not in estate.settings.networks:
        yield f"{_used(network, estate)}, has no map to the target"


@rule(
    RULES,
    "network.standard",
    Severity.INFO,
    "Standard switch",
    why="A layer 2 extension of HCX needs a distributed switch; without one the subnet moves at once or "
    "addresses change.",
    remedy="nothing, unless the network has to be stretched: then move it to a distributed switch first",
    condition="a network that movable VMs are on is a port group of a standard switch",
    properties=("network", "config.hardware.device[VirtualEthernetCard].backing"),
    reference="VMware HCX: Network Extension requirements",
    about=About.NETWORK,
)
def standard_switch(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: standard switch."""
    if not _users(network, estate):
        return
    if not network.kind:
        yield None
    elif network.kind == "standard":
        yield f"{_used(network, estate)}, is on a standard switch"


@rule(
    RULES,
    "network.vlan.trunk",
    Severity.WARNING,
    "Network carries several VLANs",
    why="Guests tag their packets themselves, so the target port group needs the same VLANs; or hosts "
    "disagree on the VLAN of one name.",
    remedy="make the target port group with the same VLANs; repair hosts that disagree",
    condition="the VLAN of a used network is a trunk, a list or a range, or 4095 on a standard switch",
    properties=("config.defaultPortConfig.vlan", "config.network.portgroup.spec.vlanId"),
    reference="vSphere Networking: VLAN configuration",
    about=About.NETWORK,
    work=Work(30),
)
def trunk(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: network carries several VLANs."""
    if not _users(network, estate) or network.uplink:
        return
    vlan = network.vlan.strip().casefold()
    if not vlan:
        yield None
    elif vlan.startswith("trunk") or vlan == _TRUNK or re.fullmatch(r"[\d\s]+[-,][\d\s,-]+", vlan):
        yield f"{_used(network, estate)}, carries VLANs {visible(network.vlan, 40)}"


@rule(
    RULES,
    "network.vlan.private",
    Severity.WARNING,
    "Private VLAN",
    why="Who may talk to whom is set by pairs of VLANs on the switch, which do not move with the VM.",
    remedy="make the same private VLAN at the target, or replace it by firewall rules",
    condition="a used network is a private VLAN",
    properties=("config.defaultPortConfig.vlan",),
    reference="vSphere Networking: private VLANs",
    about=About.NETWORK,
    work=Work(60),
)
def private_vlan(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: private VLAN."""
    if not _users(network, estate):
        return
    if not network.vlan:
        yield None
    elif network.vlan.casefold().startswith("pvlan"):
        yield f"{_used(network, estate)}, is a private VLAN"


@rule(
    RULES,
    "network.vlan.untagged",
    Severity.INFO,
    "Network without a VLAN",
    why="Its packets take the native VLAN of the physical port, which nobody wrote down in vSphere.",
    remedy="find out from the physical switch which VLAN it is",
    condition="the VLAN of a used network is 0",
    properties=("config.defaultPortConfig.vlan", "config.network.portgroup.spec.vlanId"),
    reference="vSphere Networking: VLAN configuration",
    about=About.NETWORK,
    work=Work(15),
)
def untagged(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: network without a VLAN."""
    if not _users(network, estate):
        return
    if not network.vlan:
        yield None
    elif network.vlan.strip() == "0":
        yield f"{_used(network, estate)}, has no VLAN"


@rule(
    RULES,
    "network.ephemeral",
    Severity.WARNING,
    "Ports bound at power-on",
    why="An adapter on a port group with ephemeral binding arrives disconnected.",
    remedy="set the port group to static binding, or connect the adapters after the move",
    condition="the binding of a used distributed port group is ephemeral",
    properties=("config.type",),
    reference="VMware HCX: Network Extension requirements",
    about=About.NETWORK,
    work=Work(15),
)
def ephemeral(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: ports bound at power-on; a standard switch has no binding."""
    if not _users(network, estate) or network.kind == "standard":
        return
    if not network.binding:
        yield None
    elif network.binding == "ephemeral":
        yield f"{_used(network, estate)}, binds its ports at power-on"


@rule(
    RULES,
    "network.security",
    Severity.WARNING,
    "Network allows what is refused by default",
    why="A VM that needs it (a load balancer, a nested host, a sniffer) is deaf where it is refused.",
    remedy="set the same policy at the target, or find out that nobody needs it any more",
    condition="promiscuous mode, forged transmits or MAC address changes are allowed on a used network",
    properties=("config.defaultPortConfig.securityPolicy", "config.network.portgroup.computedPolicy"),
    reference="vSphere Security: securing standard switches",
    about=About.NETWORK,
    work=Work(15),
)
def loose(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: network allows what is refused by default."""
    if not _users(network, estate):
        return
    said = {
        "promiscuous mode": network.promiscuous,
        "forged transmits": network.forged_transmits,
        "MAC address changes": network.mac_changes,
    }
    if None in said.values():
        yield None
    if allowed := [what for what, flag in said.items() if flag]:
        yield f"{_used(network, estate)}, allows {' and '.join(allowed)}"


@rule(
    RULES,
    "network.nsx.segment",
    Severity.WARNING,
    "Network made by NSX",
    why="Segments, firewall groups and security tags live in NSX Manager and are not part of a VM.",
    remedy="make the segment and its rules at the target first, and tag the VMs there again",
    condition="a used network is an opaque network",
    properties=("network",),
    reference="vSphere API: OpaqueNetwork; HCX carries no NSX security tags in bulk moves",
    about=About.NETWORK,
    work=Work(120),
)
def nsx_segment(network: Network, estate: Estate) -> Iterator[str | None]:
    """Find: network made by NSX."""
    if not _users(network, estate):
        return
    if not network.kind:
        yield None
    elif network.kind == "opaque":
        yield f"{_used(network, estate)}, is made by NSX"


@rule(
    RULES,
    "network.nsx.manager",
    Severity.WARNING,
    "NSX is at work",
    why="Distributed firewall rules, groups and load balancers that name VMs do not move with them.",
    remedy="export groups and rules from NSX Manager and make them at the target before the first wave",
    condition="an extension of NSX is registered in the vCenter",
    properties=("ExtensionManager.extensionList.key",),
    reference="vSphere API: ExtensionManager",
    about=About.VCENTER,
    work=Work(240),
)
def nsx_manager(vcenter: VCenter, estate: Estate) -> Iterator[str | None]:
    """Find: NSX is at work."""
    if vcenter.extensions is None:
        yield None
    elif any(key.casefold().startswith("com.vmware.nsx") for key in vcenter.extensions):
        yield f"{visible(vcenter.name or vcenter.id)} has NSX registered"
