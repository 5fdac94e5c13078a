"""A VM's .vmx file: written from a machine and read back to the same machine.

Volumes are named by their descriptor's path inside the site's ``vms`` folder. What a .vmx has no
key for (volume ids, the op that created the VM) lives under ``wherry.`` keys, which VMware ignores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from migrate.disks.quoting import parse_assignment, quoted
from migrate.sites.lab.hardware import Hardware, read_hardware, write_hardware
from migrate.sites.networking import GuestNic, load_nic
from migrate.sites.ports import NewAttachment, NewNic, NewVM
from planner.errors import Corrupt
from planner.model import BusSharing
from planner.units import MIB

_SHARED = {BusSharing.NONE: "none", BusSharing.VIRTUAL: "virtual", BusSharing.PHYSICAL: "physical"}
_RESERVED_UNIT = 7  # the controller itself
_UNITS = 16
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """A registered VM of the lab: what it was created from, NICs' plugs, creating op, hardware, note.

    ``customised`` is what its guest shall be set to when it starts next.
    """

    spec: NewVM
    connected: bool = True
    op: str = ""
    hardware: Hardware = field(default_factory=Hardware)
    note: str = ""
    customised: tuple[GuestNic, ...] = ()


def with_free_slots(disks: tuple[NewAttachment, ...]) -> tuple[NewAttachment, ...]:
    """Return the disks with every (bus, unit) used once; a disk that finds its place taken moves on."""
    taken: set[tuple[int, int]] = set()
    placed = []
    for disk in disks:
        bus, unit = max(disk.bus, 0), max(disk.unit, 0)
        while (bus, unit) in taken or unit == _RESERVED_UNIT:
            bus, unit = (bus, unit + 1) if unit + 1 < _UNITS else (bus + 1, 0)
        taken.add((bus, unit))
        placed.append(replace(disk, bus=bus, unit=unit))
    return tuple(placed)


def write_vmx(machine: Machine, files: Mapping[str, str]) -> str:
    """Return the text of a .vmx. ``files`` maps each volume to its descriptor's relative path."""
    vm = machine.spec
    keys = {
        ".encoding": "UTF-8",
        "config.version": "8",
        "displayName": vm.name,
        "guestOS": vm.guest_os,
        "numvcpus": str(vm.cpus),
        "memSize": str(-(-vm.memory_bytes // MIB)),
        "firmware": vm.firmware,
        "annotation": machine.note,
        "wherry.id": vm.id,
        "wherry.op": machine.op,
        "wherry.memoryBytes": str(vm.memory_bytes),
    }
    for disk in vm.disks:
        bus, slot = f"scsi{disk.bus}", f"scsi{disk.bus}:{disk.unit}"
        keys[f"{bus}.present"] = "TRUE"
        keys[f"{bus}.virtualDev"] = "pvscsi"
        if keys.get(f"{bus}.sharedBus", "none") == "none":
            keys[f"{bus}.sharedBus"] = _SHARED[disk.bus_sharing]
        keys[f"{slot}.present"] = "TRUE"
        keys[f"{slot}.deviceType"] = "scsi-hardDisk"
        keys[f"{slot}.fileName"] = files[disk.volume]
        if disk.multi_writer:
            keys[f"{slot}.sharing"] = "multi-writer"
        keys[f"wherry.{slot}.key"] = disk.key
        keys[f"wherry.{slot}.volume"] = disk.volume
        keys[f"wherry.{slot}.busSharing"] = disk.bus_sharing.value
    for number, nic in enumerate(vm.nics):
        card = f"ethernet{number}"
        keys[f"{card}.present"] = "TRUE"
        keys[f"{card}.virtualDev"] = nic.adapter
        keys[f"{card}.networkName"] = nic.network
        keys[f"{card}.addressType"] = "static"
        keys[f"{card}.address"] = nic.mac
        keys[f"{card}.startConnected"] = "TRUE" if machine.connected else "FALSE"
        keys[f"wherry.{card}.label"] = nic.label
    keys |= write_hardware(machine.hardware, vm.disks)
    if machine.customised:
        keys["wherry.customised"] = json.dumps([nic.as_json() for nic in machine.customised])
    keys["wherry.connected"] = "TRUE" if machine.connected else "FALSE"
    return "".join(f"{key} = {quoted(value)}\n" for key, value in keys.items())


def read_vmx(text: str) -> Machine:
    """Return the machine a .vmx describes; raises Corrupt."""
    keys: dict[str, str] = {}
    try:
        for line in text[:MAX_BYTES].split("\n"):
            found = parse_assignment(line)
            if found:
                keys[found[0]] = found[1]
        disks = tuple(
            _disk(keys, int(match[1]), int(match[2]))
            for key in keys
            if (match := re.fullmatch(r"scsi(\d+):(\d+)\.fileName", key))
        )
        nics = tuple(
            _nic(keys, int(match[1]))
            for key in keys
            if (match := re.fullmatch(r"ethernet(\d+)\.present", key))
        )
        memory = int(keys.get("wherry.memoryBytes", 0)) or int(keys["memSize"]) * MIB
        spec = NewVM(
            keys["wherry.id"],
            keys["displayName"],
            int(keys["numvcpus"]),
            memory,
            keys.get("firmware", ""),
            keys.get("guestOS", ""),
            disks,
            nics,
        )
        hardware = read_hardware(keys, disks)
        customised = tuple(map(load_nic, json.loads(keys.get("wherry.customised", "[]"))))
    except (KeyError, TypeError, ValueError) as error:
        raise Corrupt(
            f"a .vmx file is not one of the lab's: {error}", "restore it, or delete its folder"
        ) from error
    connected = keys.get("wherry.connected", "TRUE") == "TRUE"
    note = keys.get("annotation", "")
    return Machine(spec, connected, keys.get("wherry.op", ""), hardware, note, customised)


def _disk(keys: Mapping[str, str], bus: int, unit: int) -> NewAttachment:
    slot = f"scsi{bus}:{unit}"
    return NewAttachment(
        keys[f"wherry.{slot}.key"],
        keys[f"wherry.{slot}.volume"],
        bus,
        unit,
        BusSharing(keys[f"wherry.{slot}.busSharing"]),
        keys.get(f"{slot}.sharing", "") == "multi-writer",
    )


def _nic(keys: Mapping[str, str], number: int) -> NewNic:
    card = f"ethernet{number}"
    return NewNic(
        keys[f"wherry.{card}.label"],
        keys[f"{card}.networkName"],
        keys[f"{card}.address"],
        keys[f"{card}.virtualDev"],
    )
