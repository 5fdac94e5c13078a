"""Addresses of guests, set by the vCenter when they start next.

A Linux guest keeps its name: the one that the source's tools reported, which the VM carries. An adapter that
nobody speaks of keeps what the tools report of it. Windows guests are refused: a vCenter would prepare them
anew with Sysprep, and they would come out as others; that is left to a script or a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import Any

from migrate.sites.networking import GuestNic, load_nic, merged
from migrate.sites.vsphere.built import built, option
from migrate.sites.vsphere.guest_networking import reported
from migrate.sites.vsphere.ids import wherry_settings
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.specifying import HOST_NAME_KEY
from planner.errors import NotFound, SiteRefused
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.values import many, text

_VM = Kind(
    "virtual machines",
    (),
    {
        "VirtualMachine": (
            *("config.extraConfig", "config.guestId", "config.hardware.device", "runtime.powerState"),
            *("config.tools.pendingCustomization", "guest.hostName", "guest.ipStack", "guest.net", "name"),
        )
    },
    {"config.extraConfig": wherry_settings},
)
_ASKED = "wherry.addresses"  # what was asked for last, as JSON


class Customising(Part):
    """The network settings of a vCenter's guests."""

    def networking(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what a guest is set to, or will be when it starts next; None where nobody can know."""
        target = self.ids.find(vm)
        item = self.connection.one(_VM, target) if target else None
        if item is None:
            return None
        found = _reported(item)
        asked = _asked(item) if _pending(item) else ()
        return merged(found, asked) if found or asked else None

    def customise(self, vm: str, nics: tuple[GuestNic, ...], op: str) -> None:
        """Have the guest of a VM that is off start with these addresses; raises SiteRefused, NotFound."""
        item = self._customised(vm)
        if self._has(vm, nics):
            return
        shown = f"VM {visible(text(item.values.get('name')), 80)}"
        if text(item.values.get("runtime.powerState")) == "poweredOn":
            raise SiteRefused(f"{shown} is powered on", "power it off first")
        cards = _cards(item)
        said = {nic.label: nic for nic in merged(_reported(item), nics)}
        if strange := said.keys() - cards.keys():
            raise SiteRefused(f"{shown} has no adapter {visible(min(strange), 80)}", "check its label")
        if silent := cards.keys() - said.keys():
            raise SiteRefused(
                f"adapter {visible(min(silent), 80)} of {shown} would lose addresses that are not known",
                "say the addresses of all its adapters",
            )
        spec = built(
            "CustomizationSpec",
            identity=_identity(item, shown),
            globalIPSettings=_global(said.values()),
            nicSettingMap=[_mapping(mac, said[label], shown) for label, mac in cards.items()],
        )
        act = self.act("customise", vm, op)
        text_asked = json.dumps([nic.as_json() for nic in nics])
        act.run(
            item.ref,
            "ReconfigVM_Task",
            built("VirtualMachineConfigSpec", extraConfig=[option(_ASKED, text_asked)]),
            done=lambda: True if _asked(self._customised(vm)) == nics else None,
        )
        act.run(item.ref, "CustomizeVM_Task", spec, done=lambda: True if self._has(vm, nics) else None)

    def _customised(self, vm: str) -> RawObject:
        item = self.connection.one(_VM, self.ids.need(vm))
        if item is None:
            raise NotFound(f"VM {visible(vm, 80)} is not at {self.connection.shown}", "check its id")
        return item

    def _has(self, vm: str, nics: Iterable[GuestNic]) -> bool:
        found = self.networking(vm) or ()
        return all(nic in found for nic in nics)


def _pending(item: RawObject) -> bool:
    return bool(text(item.values.get("config.tools.pendingCustomization")))


def _asked(item: RawObject) -> tuple[GuestNic, ...]:
    """Return what was asked for last; nothing when somebody wrote there what we do not understand."""
    settings = item.values.get("config.extraConfig")
    try:
        said = json.loads(settings.get(_ASKED, "[]")) if isinstance(settings, dict) else []
        return tuple(map(load_nic, said))
    except (KeyError, TypeError, ValueError):
        return ()


def _cards(item: RawObject) -> dict[str, str]:
    """Return the MAC addresses of the adapters by label, in the order of their devices."""
    return {
        text(device, "deviceInfo", "label"): text(device, "macAddress")
        for device in many(item.values.get("config.hardware.device"))
        if text(device, "macAddress")
    }


def _reported(item: RawObject) -> tuple[GuestNic, ...]:
    labels = {
        text(device, "key"): text(device, "deviceInfo", "label")
        for device in many(item.values.get("config.hardware.device"))
        if text(device, "macAddress")
    }
    return reported(many(item.values.get("guest.net")), many(item.values.get("guest.ipStack")), labels)


def _identity(item: RawObject, shown: str) -> Any:
    if text(item.values.get("config.guestId")).startswith("win"):
        raise SiteRefused(
            f"the guest of {shown} is Windows, which a vCenter would prepare anew to set addresses",
            "set them by a script as a hook, or by hand",
        )
    settings = item.values.get("config.extraConfig")
    carried = str(settings.get(HOST_NAME_KEY, "")) if isinstance(settings, dict) else ""
    name, _, domain = (carried or text(item.values.get("guest.hostName"))).partition(".")
    if not name:
        raise SiteRefused(
            f"what the guest of {shown} calls itself is not known, and setting addresses would rename it",
            "set them by a script as a hook, or by hand",
        )
    fixed = built("CustomizationFixedName", name=name)
    return built("CustomizationLinuxPrep", hostName=fixed, domain=domain or "localdomain")


def _global(nics: Iterable[GuestNic]) -> Any:
    """Return what a Linux guest has once: name servers and domains of all its adapters."""
    servers = dict.fromkeys(server for nic in nics for server in nic.dns)
    domains = dict.fromkeys(domain for nic in nics for domain in nic.search)
    return built("CustomizationGlobalIPSettings", dnsServerList=list(servers), dnsSuffixList=list(domains))


def _mapping(mac: str, nic: GuestNic, shown: str) -> Any:
    said = [ip_interface(address) for address in nic.addresses]
    v4 = [one for one in said if isinstance(one, IPv4Interface)]
    v6 = [one for one in said if isinstance(one, IPv6Interface)]
    if len(v4) != 1:
        raise SiteRefused(
            f"adapter {visible(nic.label, 80)} of {shown} has {len(v4)} IPv4 addresses: only one is set",
            "set them by a script as a hook, or by hand",
        )
    gateways: dict[int, list[str]] = {4: [], 6: []}
    for gateway in nic.gateways:
        gateways[ip_address(gateway).version].append(gateway)
    settings = built(
        "CustomizationIPSettings",
        ip=built("CustomizationFixedIp", ipAddress=str(v4[0].ip)),
        subnetMask=str(v4[0].netmask),
        gateway=gateways[4],
        ipV6Spec=_v6(v6, gateways[6]) if v6 else None,
        dnsServerList=list(nic.dns),
    )
    return built("CustomizationAdapterMapping", macAddress=mac, adapter=settings)


def _v6(addresses: Iterable[IPv6Interface], gateways: list[str]) -> Any:
    fixed = [
        built("CustomizationFixedIpV6", ipAddress=str(one.ip), subnetMask=one.network.prefixlen)
        for one in addresses
    ]
    return built("CustomizationIPSettingsIpV6AddressSpec", ip=fixed, gateway=gateways)
