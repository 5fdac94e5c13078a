"""Network adapters, snapshots, CD drives, USB and floppy devices of VMs, from their sheets.

Each function takes a sheet and the owners of its rows and returns tuples by VM position.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TypeVar

from planner.model import Cdrom, Device, DeviceKind, Nic, Snapshot
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.joins import Owners

Item = TypeVar("Item")
ByVM = dict[int, tuple[Item, ...]]

_STARTS = ("startsconnected", "startconnected")


def tuples(found: dict[int, list[Item]]) -> ByVM[Item]:
    """Return the lists as tuples."""
    return {at: tuple(items) for at, items in found.items()}


def _split(addresses: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in re.split(r"[,;\s]+", addresses) if part))


def _addresses(sheet: Sheet) -> list[tuple[str, ...]]:
    columns = [sheet.texts(key) for key in ("ipv4address", "ipv6address", "ipaddress")]
    return [_split(" ".join(said)) if any(said) else () for said in zip(*columns, strict=True)]


def read_nics(sheet: Sheet, owners: Owners) -> ByVM[Nic]:
    """Return the network adapters by VM position."""
    found: defaultdict[int, list[Nic]] = defaultdict(list)
    labels, networks = sheet.texts("niclabel"), sheet.texts("network")
    macs, adapters = sheet.folded("macaddress", "mac"), sheet.texts("adapter")
    connected, starts = sheet.flags("connected"), sheet.flags(*_STARTS)
    kinds, switches = sheet.folded("type"), sheet.texts("switch")
    direct, addresses = sheet.flags("directpathio"), _addresses(sheet)
    for row, at in owners.match(sheet, "niclabel", "macaddress", "mac", "network"):
        found[at].append(
            Nic(
                label=labels[row] or f"Network adapter {len(found[at]) + 1}",
                network=networks[row],
                mac=macs[row],
                adapter=adapters[row],
                connected=connected[row],
                addresses=addresses[row],
                starts_connected=starts[row],
                mac_type=kinds[row],
                switch=switches[row],
                direct_path=direct[row],
            )
        )
    return tuples(found)


def nics_of_info(info: Sheet, rows: list[int]) -> ByVM[Nic]:
    """Return what vInfo alone knows of adapters: networks, and one address."""
    columns = [info.texts(f"network{number}") for number in range(1, 9)]
    primary = info.texts("primaryipaddress", "guestip")
    found = {}
    for at, row in enumerate(rows):
        names = [name for column in columns if (name := column[row])]
        found[at] = tuple(
            Nic(f"Network adapter {number}", name, addresses=_split(primary[row]) if number == 1 else ())
            for number, name in enumerate(names, 1)
        )
    return found


def read_snapshots(sheet: Sheet, owners: Owners) -> ByVM[Snapshot]:
    """Return the snapshots by VM position."""
    found: defaultdict[int, list[Snapshot]] = defaultdict(list)
    names, created = sheet.texts("name", "snapshot"), sheet.moments("datetime")
    sizes, descriptions = sheet.sizes("sizembtotal", "sizemb"), sheet.texts("description")
    quiesced = sheet.flags("quiesced")
    for row, at in owners.match(sheet, "name", "snapshot", "datetime"):
        found[at].append(Snapshot(names[row], created[row], sizes[row], descriptions[row], quiesced[row]))
    return tuples(found)


def read_cdroms(sheet: Sheet, owners: Owners) -> ByVM[Cdrom]:
    """Return the CD drives by VM position."""
    found: defaultdict[int, list[Cdrom]] = defaultdict(list)
    labels, media = sheet.texts("devicenode", "device"), sheet.texts("devicetype")
    connected, starts = sheet.flags("connected"), sheet.flags(*_STARTS)
    for row, at in owners.match(sheet, "devicenode", "device"):
        label = labels[row] or f"CD/DVD drive {len(found[at]) + 1}"
        found[at].append(Cdrom(label, connected[row], media[row], starts[row]))
    return tuples(found)


def read_usb(sheet: Sheet, owners: Owners) -> ByVM[Device]:
    """Return USB devices and controllers by VM position; a controller is one by its name or type."""
    found: defaultdict[int, list[Device]] = defaultdict(list)
    labels, kinds = sheet.texts("devicenode", "device"), sheet.texts("devicetype")
    connected, families = sheet.flags("connected"), sheet.texts("family")
    for row, at in owners.match(sheet, "devicenode", "devicetype", "busnumber", "unitnumber"):
        controller = "controller" in f"{labels[row]} {kinds[row]}".casefold()
        found[at].append(
            Device(
                DeviceKind.USB_CONTROLLER if controller else DeviceKind.USB,
                labels[row] or f"USB device {len(found[at]) + 1}",
                connected[row],
                ", ".join(filter(None, (kinds[row], families[row]))),
            )
        )
    return tuples(found)


def read_floppies(sheet: Sheet, owners: Owners) -> ByVM[Device]:
    """Return floppy drives by VM position (versions before 4.1.2)."""
    found: defaultdict[int, list[Device]] = defaultdict(list)
    labels, media = sheet.texts("devicenode", "device"), sheet.texts("devicetype")
    connected = sheet.flags("connected")
    for row, at in owners.match(sheet, "devicenode", "device"):
        label = labels[row] or f"Floppy drive {len(found[at]) + 1}"
        found[at].append(Device(DeviceKind.FLOPPY, label, connected[row], media[row]))
    return tuples(found)
