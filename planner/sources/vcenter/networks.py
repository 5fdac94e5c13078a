"""Networks: standard port groups as their hosts have them, distributed ones as their switch has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planner.model import Network
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.values import at, flag, many, text

_BINDINGS = {"earlyBinding": "static", "lateBinding": "dynamic", "ephemeral": "ephemeral"}
_KINDS = {"Network": "standard", "DistributedVirtualPortgroup": "distributed", "OpaqueNetwork": "opaque"}


@dataclass(slots=True)
class HostPortGroups:
    """Standard port groups of hosts, by (datacenter, name): the same name on every host is one network."""

    _found: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def add(self, item: RawObject, places: Places) -> None:
        """Take in what a host has."""
        datacenter = places.datacenter(text(item.values.get("parent")))
        for group in many(item.values.get("config.network.portgroup")):
            self._found.setdefault((datacenter, text(group, "spec", "name")), []).append(group)

    def of(self, datacenter: str, name: str) -> list[Any]:
        """Return the groups of this name in a datacenter."""
        return self._found.get((datacenter, name), [])


def network(item: RawObject, places: Places, switches: Mapping[str, str], groups: HostPortGroups) -> Network:
    """Return a network; ``switches`` are names of distributed switches by id."""
    name = entity_name(text(item.values.get("name")))
    datacenter = places.datacenter(text(item.values.get("parent")))
    said: dict[str, Any] = {
        "id": item.ref.id,
        "name": name,
        "vcenter": places.vcenter,
        "datacenter": datacenter,
        "kind": _KINDS.get(item.ref.kind, ""),
    }
    if item.ref.kind == "DistributedVirtualPortgroup":
        return Network(**said, **_distributed(item, switches))
    return Network(**said, **_standard(groups.of(datacenter, text(item.values.get("name")))))


def _standard(groups: list[Any]) -> dict[str, Any]:
    vlans = {vlan: None for group in groups if (vlan := text(group, "spec", "vlanId"))}
    switches = {switch: None for group in groups if (switch := text(group, "spec", "vswitchName"))}

    def policy(name: str) -> bool | None:
        # The worst of all hosts: one that allows it is enough. Unknown on one leaves it unknown.
        flags = {flag(group, "computedPolicy", "security", name) for group in groups}
        return True if True in flags else False if flags == {False} else None

    return {
        "vlan": ",".join(vlans),
        "switch": ",".join(switches),
        "promiscuous": policy("allowPromiscuous"),
        "forged_transmits": policy("forgedTransmits"),
        "mac_changes": policy("macChanges"),
        "uplink": False if groups else None,
    }


def _distributed(item: RawObject, switches: Mapping[str, str]) -> dict[str, Any]:
    values = item.values
    ports = values.get("config.defaultPortConfig")
    security = at(ports, "securityPolicy")
    if security is None:
        security = at(ports, "macManagementPolicy")
    kind = text(values.get("config.type"))
    return {
        "vlan": _vlan(at(ports, "vlan")),
        "switch": switches.get(text(values.get("config.distributedVirtualSwitch")), ""),
        "key": text(values.get("key")),
        "binding": _BINDINGS.get(kind, kind),
        "promiscuous": _policy(security, "allowPromiscuous"),
        "forged_transmits": _policy(security, "forgedTransmits"),
        "mac_changes": _policy(security, "macChanges"),
        "uplink": is_uplink(values),
    }


def is_uplink(values: Mapping[str, Any]) -> bool | None:
    """Return whether a group is a switch's way out; before version 7.0 a tag alone said so."""
    tagged = any(text(tag, "key") == "SYSTEM/DVS.UPLINKPG" for tag in many(values.get("tag")))
    said = flag(values.get("config.uplink"))
    return True if tagged else said if said is not None else False if "tag" in values else None


def _policy(security: Any, name: str) -> bool | None:
    held = at(security, name)
    return flag(held, "value") if isinstance(held, dict) else flag(held)


def _vlan(spec: Any) -> str:
    kind = text(spec, "@")
    if kind == "VmwareDistributedVirtualSwitchTrunkVlanSpec":
        ranges = many(spec, "vlanId")
        return ",".join(_range(part) for part in ranges) or "trunk"
    if kind == "VmwareDistributedVirtualSwitchPvlanSpec":
        return f"pvlan {text(spec, 'pvlanId')}".strip()
    return text(spec, "vlanId")


def _range(part: Any) -> str:
    start, end = text(part, "start"), text(part, "end")
    return start if start == end else f"{start}-{end}"


def switch_names(items: Iterable[RawObject]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of distributed switches by object id and by uuid."""
    by_id, by_uuid = {}, {}
    for item in items:
        if item.ref.kind.endswith("VirtualSwitch"):
            by_id[item.ref.id] = name = entity_name(text(item.values.get("name")))
            by_uuid[text(item.values.get("uuid")).casefold()] = name
    return by_id, by_uuid
