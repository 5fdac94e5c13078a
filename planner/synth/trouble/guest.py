"""Trouble inside guests, with their networks and with names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.synth.dice import Dice
from planner.synth.drafts import Draft
from planner.synth.guests import OLD
from planner.synth.trouble.plants import Plant, plain, running, sets


def _nic(**values: Any) -> Any:
    def put(draft: Draft, dice: Dice) -> None:
        draft.nics[0] |= values

    return put


def _silent(draft: Draft) -> None:
    """What tools that do not run cannot report."""
    draft.guest |= {"running_os": "", "heartbeat": "gray"}
    draft.partitions.clear()
    for nic in draft.nics:
        nic |= {"addresses": (), "subnets": ()}


def _no_tools(draft: Draft, dice: Dice) -> None:
    draft.fields |= {"tools": "toolsNotInstalled", "dns_name": ""}
    draft.guest["tools_version"] = ""
    _silent(draft)


def _stopped_tools(draft: Draft, dice: Dice) -> None:
    draft.fields["tools"] = "toolsNotRunning"
    _silent(draft)


def _old_system(draft: Draft, dice: Dice) -> None:
    system = dice.weighted(OLD)
    draft.fields["guest_os"] = system.name
    draft.guest |= {"guest_id": system.guest_id}
    if draft.guest["running_os"]:
        draft.guest["running_os"] = system.name


def _full(draft: Draft, dice: Dice) -> None:
    draft.partitions[0] = replace(draft.partitions[0], free_bytes=dice.between(1, 60) * 1024**2)


def _reports(draft: Draft) -> bool:
    return running(draft) and plain(draft) and draft.fields["tools"] == "toolsOk" and bool(draft.partitions)


def _addressed(draft: Draft) -> bool:
    return _reports(draft) and bool(draft.nics[0]["addresses"])


def _known(draft: Draft) -> bool:
    return _reports(draft) and draft.fields["dns_name"] not in {"", "localhost.localdomain"}


def _password(draft: Draft, dice: Dice) -> None:
    word = dice.hexadecimal(8)
    draft.fields["annotation"] = (
        f"installed by {draft.fields.get('owner', 'nobody')}, login admin password: {word}"
    )


def _noted(draft: Draft, dice: Dice) -> None:
    draft.fields["annotation"] = dice.pick(
        ("ask the owner before reboot", "PowerPath and array agent installed", "licence bound to MAC address")
    )


def _old_backup(draft: Draft, dice: Dice) -> None:
    said = f"2026-0{dice.between(1, 8)}-{dice.between(10, 28)}T01:00:00+00:00"
    draft.management["last_backup"] = said
    draft.fields["attributes"] = tuple(sorted((*draft.fields["attributes"], ("Last Backup", said))))


def _emulated(draft: Draft, dice: Dice) -> None:
    draft.nics[0]["adapter"] = dice.weighted((("E1000", 6), ("E1000e", 3), ("Flexible", 1)))


def _manual(draft: Draft, dice: Dice) -> None:
    draft.nics[0] |= {"mac_type": "manual", "mac": f"00:50:56:1f:{dice.hexadecimal(2)}:{dice.hexadecimal(2)}"}


def _on_vmkernel(draft: Draft, dice: Dice) -> None:
    draft.nics[0] |= {"network": f"{draft.place.site}-mgmt", "switch": "vSwitch0", "port_group": ""}


def _on_storage(draft: Draft, dice: Dice) -> None:
    _one_more(draft, dice, f"{draft.place.site}-iscsi")


def _three_networks(draft: Draft, dice: Dice) -> None:
    for network in dice.sample([one.name for one in draft.place.networks if one is not draft.network], 2):
        _one_more(draft, dice, network)


def _one_more(draft: Draft, dice: Dice, network: str) -> None:
    number = len(draft.nics)
    mac = f"00:50:56:3b:{dice.hexadecimal(2)}:{dice.hexadecimal(2)}"
    more = {"label": f"Network adapter {number + 1}", "mac": mac, "network": network, "port_group": ""}
    draft.nics.append({**draft.nics[0], **more, "addresses": (), "subnets": ()})


def _unknown_system(draft: Draft, dice: Dice) -> None:
    draft.fields["guest_os"] = "Other (64-bit)"
    draft.guest |= {"guest_id": "otherGuest64", "running_os": ""}


def _direct_path(draft: Draft, dice: Dice) -> None:
    draft.nics[0]["direct_path"] = True
    # It works with all memory reserved only.
    draft.compute |= {"memory_locked": True, "memory_reservation_bytes": draft.fields["memory_bytes"]}


def _many_nics(draft: Draft, dice: Dice) -> None:
    while len(draft.nics) < 11:
        number = len(draft.nics)
        mac = f"00:50:56:3a:{number:02x}:{dice.hexadecimal(2)}"
        label = f"Network adapter {number + 1}"
        draft.nics.append({**draft.nics[0], "label": label, "mac": mac, "addresses": (), "subnets": ()})


def _same_mac(first: Draft, second: Draft) -> None:
    second.nics[0]["mac"] = first.nics[0]["mac"]


def _same_bios(first: Draft, second: Draft) -> None:
    second.fields["bios_uuid"] = first.fields["bios_uuid"]


def _same_instance(first: Draft, second: Draft) -> None:
    second.fields["instance_uuid"] = first.fields["instance_uuid"]


def _same_name(first: Draft, second: Draft) -> None:
    second.name = first.name


def _same_dns(first: Draft, second: Draft) -> None:
    second.fields["dns_name"] = first.fields["dns_name"]


def _same_address(first: Draft, second: Draft) -> None:
    second.nics[0]["addresses"] = first.nics[0]["addresses"]


def _long_name(draft: Draft, dice: Dice) -> None:
    draft.name = (draft.name + "-kept-for-the-audit-until-somebody-says-otherwise")[:76] + " 50%/x"


def _localhost(draft: Draft, dice: Dice) -> None:
    draft.fields["dns_name"] = "localhost.localdomain"


PLANTS = (
    Plant("guest.system-old", 0.08, _old_system),
    Plant(
        "guest.system-differs",
        0.01,
        sets("guest", running_os="Microsoft Windows Server 2022 (64-bit)"),
        _reports,
    ),
    Plant("guest.system-unknown", 0.002, _unknown_system, _reports),
    Plant("names.host-missing", 0.003, sets("fields", dns_name=""), _reports),
    Plant("network.storage", 0.002, _on_storage, _reports),
    Plant("network.three", 0.002, _three_networks, _reports),
    Plant("guest.disk-full", 0.02, _full, _reports),
    Plant("guest.tools.old", 0.02, sets("fields", tools="toolsOld"), _reports),
    Plant("guest.heartbeat", 0.003, sets("guest", heartbeat="red"), _reports),
    Plant("guest.time-sync", 0.05, sets("guest", time_sync=True)),
    Plant("network.address.dhcp", 0.03, _nic(dhcp=True), _reports),
    Plant(
        "network.address.missing",
        0.003,
        _nic(addresses=(), subnets=()),
        lambda vm: _reports(vm) and len(vm.nics) == 1,
    ),
    Plant("guest.tools.missing", 0.01, _no_tools, _reports),
    Plant("guest.tools.stopped", 0.015, _stopped_tools, _reports),
    Plant("guest.enable-uuid", 0.1, lambda vm, dice: vm.compute.update(enable_uuid=None)),
    Plant("guest.npiv", 0.0005, lambda vm, dice: vm.compute.update(npiv=True)),
    Plant("guest.backup-old", 0.03, _old_backup),
    Plant("names.password", 0.002, _password),
    Plant("names.annotation", 0.02, _noted, lambda vm: plain(vm) and not vm.fields.get("annotation")),
    Plant("names.localhost", 0.003, _localhost, _reports),
    Plant("names.invalid", 0.002, _long_name),
    Plant("names.duplicate", 0.001, fit=plain, put_pair=_same_name),
    Plant("names.bios-uuid", 0.003, fit=plain, put_pair=_same_bios),
    Plant("names.instance-uuid", 0.0002, fit=plain, put_pair=_same_instance),
    Plant("names.dns-duplicate", 0.001, fit=_known, put_pair=_same_dns),
    Plant("network.address.duplicate", 0.001, fit=_addressed, put_pair=_same_address),
    Plant("network.mac.duplicate", 0.0002, fit=plain, put_pair=_same_mac),
    Plant("network.mac.manual", 0.01, _manual),
    Plant("network.adapter.old", 0.06, _emulated),
    Plant("network.adapter.count", 0.0001, _many_nics, lambda vm: plain(vm) and len(vm.nics) == 1),
    Plant("network.adapter.off", 0.01, _nic(connected=False, starts_connected=False), _reports),
    Plant("network.vmkernel", 0.0005, _on_vmkernel),
    Plant("network.direct-path", 0.001, _direct_path),
)
