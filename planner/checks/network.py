"""Checks of network adapters, and of the places they are plugged into here and there."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks import addresses, networks, readdressed
from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate
from planner.model import VM, Power, Severity
from planner.names import visible

RULES: list[Rule] = [*networks.RULES, *addresses.RULES, *readdressed.RULES]
_OLD_ADAPTERS = ("e1000", "flexible", "vmxnet2", "pcnet32", "vlance", "enhancedvmxnet")
_MOST_NETWORKS = 2


@rule(
    RULES,
    "network.map.missing",
    Severity.BLOCKER,
    "Target network does not exist",
    why="The VM cannot be registered at the target with an adapter on a network that is not there.",
    remedy="make the network at the target, or map it to another one in the settings",
    condition="the network an adapter is mapped to (else the one of the same name) is not in the target "
    "inventory",
    properties=("network", "config.hardware.device[VirtualEthernetCard].backing"),
    reference="wherry settings: networks",
    work=Work(60),
    kinds=("nics",),
)
def target_network_missing(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: target network does not exist; unknown while no target was discovered."""
    if estate.target is None or estate.settings is None or "networks" in estate.target.gaps:
        yield None
        return
    for name in dict.fromkeys(nic.network for nic in vm.nics):
        wanted = estate.settings.networks.get(name, name)
        if not name:
            yield None
        elif wanted not in estate.target.lookup.networks:
            mapped = f"mapped to {visible(wanted)}" if wanted != name else "without a map"
            yield f"{visible(vm.name)} is on {visible(name)}, {mapped}: the target has no such network"


@rule(
    RULES,
    "network.vmkernel",
    Severity.WARNING,
    "VM on a network of its host",
    why="Management, vMotion or storage traffic of hosts shares the port group; it does not exist for VMs "
    "at the target.",
    remedy="move the VM to a port group of its own before the migration",
    condition="an adapter is on a port group that a vmkernel adapter of the VM's host uses",
    properties=("config.network.vnic.portgroup", "network"),
    reference="vSphere Networking: VMkernel networking",
    work=Work(30),
    kinds=("nics",),
)
def on_vmkernel(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM on a network of its host."""
    host = estate.hosts.get(estate.place(vm, vm.host))
    if host is None or host.vmkernel_networks is None:
        yield None
        return
    for nic in vm.nics:
        if not nic.network:
            yield None
        elif nic.network in host.vmkernel_networks:
            yield f"{visible(vm.name)}: {visible(nic.label)} is on {visible(nic.network)}, a network of hosts"


@rule(
    RULES,
    "network.adapter.old",
    Severity.INFO,
    "Emulated network adapter",
    why="It is slow, and newer hosts stop offering it.",
    remedy="replace it by vmxnet3 when the guest has its driver",
    condition="an adapter is of type e1000, e1000e, flexible, vmxnet2 or pcnet32",
    properties=("config.hardware.device[VirtualEthernetCard]",),
    reference="Broadcom KB 1001805: choosing a network adapter",
    kinds=("nics",),
)
def old_adapter(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: emulated network adapter."""
    for nic in vm.nics:
        if not nic.adapter:
            yield None
        elif nic.adapter.casefold().replace(" ", "").startswith(_OLD_ADAPTERS):
            yield f"{visible(vm.name)}: {visible(nic.label)} is of type {visible(nic.adapter, 40)}"


@rule(
    RULES,
    "network.adapter.disconnected",
    Severity.WARNING,
    "Adapter that is not connected",
    why="It arrives as it is: a VM that was cut off on purpose or by mistake is cut off there too.",
    remedy="connect the adapter, or take it away",
    condition="an adapter does not connect at power-on, or is disconnected while the VM runs",
    properties=("config.hardware.device[VirtualEthernetCard].connectable",),
    reference="vSphere API: VirtualDeviceConnectInfo",
    work=Work(10),
    kinds=("nics",),
)
def disconnected(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: adapter that is not connected; of a VM that is off only what happens at power-on counts."""
    for nic in vm.nics:
        runs = vm.power is Power.ON
        if nic.starts_connected is False:
            yield f"{visible(vm.name)}: {visible(nic.label)} does not connect at power-on"
        elif runs and nic.connected is False:
            yield f"{visible(vm.name)}: {visible(nic.label)} is disconnected"
        elif nic.starts_connected is None or (runs and nic.connected is None):
            yield None


@rule(
    RULES,
    "network.adapter.count",
    Severity.WARNING,
    "More than ten network adapters",
    why="A VM carries ten at most; more are a sign of a damaged inventory.",
    remedy="check the adapters at the source",
    condition="the VM has more than ten network adapters",
    properties=("config.hardware.device[VirtualEthernetCard]",),
    reference="VMware configuration maximums",
    kinds=("nics",),
)
def many_adapters(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: more than ten network adapters."""
    if len(vm.nics) > 10:
        yield f"{visible(vm.name)} has {len(vm.nics)} network adapters"


@rule(
    RULES,
    "network.adapter.networks",
    Severity.INFO,
    f"On more than {_MOST_NETWORKS} networks",
    why="It joins networks: each of them has to be at the target, routed or stretched, before it moves.",
    remedy="ask the owner whether it is a router or firewall, and what passes through it",
    condition=f"the VM has adapters on more than {_MOST_NETWORKS} networks",
    properties=("network",),
    reference="practice: gateways move with or after their networks",
    kinds=("nics",),
)
def many_networks(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: on more than two networks."""
    networks = {nic.network for nic in vm.nics if nic.network}
    if len(networks) > _MOST_NETWORKS:
        yield f"{visible(vm.name)} is on {len(networks)} networks"
    elif any(not nic.network for nic in vm.nics):
        yield None
