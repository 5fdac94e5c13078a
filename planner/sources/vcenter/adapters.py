"""Network adapters of a machine: what they are attached to, and the addresses the guest reports."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from planner.model import Nic
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.surroundings import Surroundings
from planner.sources.vcenter.values import at, flag, many, text, whole

SRIOV = "VirtualSriovEthernetCard"
_ADAPTERS = {
    "VirtualVmxnet3": "Vmxnet3",
    "VirtualVmxnet3Vrdma": "Vmxnet3 RDMA",
    "VirtualVmxnet2": "Vmxnet2",
    "VirtualVmxnet": "Vmxnet",
    "VirtualE1000": "E1000",
    "VirtualE1000e": "E1000e",
    "VirtualPCNet32": "Flexible",
    SRIOV: "SR-IOV",
}


def is_adapter(device: Any) -> bool:
    """Return whether a device is a network adapter; unknown kinds are known by their address."""
    return text(device, "@") in _ADAPTERS or bool(text(device, "macAddress"))


def nics(item: RawObject, devices: Iterable[Any], around: Surroundings) -> tuple[Nic, ...]:
    """Return the network adapters among a machine's devices."""
    cards = [device for device in devices if is_adapter(device)]
    reports = many(item.values.get("guest.net"))
    by_key = {text(report, "deviceConfigId"): report for report in reports}
    by_mac = {text(report, "macAddress").casefold(): report for report in reports}
    alone = text(item.values.get("guest.ipAddress")) if len(cards) == 1 else ""
    found = []
    for card in cards:
        mac = text(card, "macAddress").casefold()
        report = by_key.get(text(card, "key")) or by_mac.get(mac)
        found.append(_nic(card, mac, report, alone, around))
    return tuple(found)


def _nic(card: Any, mac: str, report: Any, alone: str, around: Surroundings) -> Nic:
    backing = at(card, "backing")
    key = text(backing, "port", "portgroupKey")
    moref = text(backing, "network")
    name = (
        (around.port_groups.get(key, "") if key else around.networks.get(moref, ""))
        or text(backing, "deviceName")
        or text(report, "network")
        or text(backing, "opaqueNetworkId")
    )
    switch = around.switches.get(text(backing, "port", "switchUuid").casefold(), "") if key else ""
    addresses, subnets = _addresses(report)
    label = text(card, "deviceInfo", "label")
    return Nic(
        label=label or f"Network adapter {text(card, 'key')}",
        network=name,
        mac=mac,
        adapter=_ADAPTERS.get(text(card, "@"), text(card, "@").removeprefix("Virtual")),
        connected=flag(card, "connectable", "connected"),
        addresses=addresses or ((alone,) if alone else ()),
        subnets=subnets,
        starts_connected=flag(card, "connectable", "startConnected"),
        mac_type=text(card, "addressType").casefold(),
        switch=switch or around.network_switches.get(moref, ""),
        port_group=key,
        dhcp=_dhcp(report),
        direct_path=flag(card, "uptCompatibilityEnabled"),
    )


def _addresses(report: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses of an adapter, and the subnets of those with a prefix, link-local ones aside."""
    subnets: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for entry in many(report, "ipConfig", "ipAddress"):
        address, prefix = text(entry, "ipAddress"), whole(entry, "prefixLength")
        addresses[address] = None
        try:
            net = ipaddress.ip_interface(f"{address}/{prefix}").network if prefix else None
        except ValueError:
            continue
        if net is not None and not net.is_link_local:
            subnets[str(net)] = None
    for address in many(report, "ipAddress"):
        addresses[address] = None
    addresses.pop("", None)
    return tuple(addresses), tuple(subnets)


def _dhcp(report: Any) -> bool | None:
    said = flag(report, "ipConfig", "dhcp", "ipv4", "enable")
    if said is not None:
        return said
    origins = {text(entry, "origin") for entry in many(report, "ipConfig", "ipAddress")} - {"", "linklayer"}
    return "dhcp" in origins if origins else None
