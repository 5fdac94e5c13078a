"""Disks, network adapters, snapshots and CD drives of VMs, from their sheets of a workbook.

Each function takes a table and the owners of its rows and returns tuples by VM position, with notes
on what was repaired. Numeric bus sharing is that of version 3.10: 0 none, 1 virtual, 2 physical.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from planner.model import Backing, BusSharing, Cdrom, Disk, Nic, Snapshot
from planner.sources.cells import flag, mebibytes, moment, number, whole
from planner.sources.headers import Row, Table
from planner.sources.joins import Owners
from planner.volumes import base_path

Device = TypeVar("Device", Disk, Nic, Snapshot, Cdrom)
ByVM = dict[int, tuple[Device, ...]]

_BUS = {
    "0": BusSharing.NONE,
    "1": BusSharing.VIRTUAL,
    "2": BusSharing.PHYSICAL,
    "nosharing": BusSharing.NONE,
    "virtualsharing": BusSharing.VIRTUAL,
    "physicalsharing": BusSharing.PHYSICAL,
}
_MULTI = {"sharingmultiwriter": True, "sharingnone": False}
_MODES = {"physicalmode": Backing.RDM_PHYSICAL, "virtualmode": Backing.RDM_VIRTUAL}
# What tells the devices of one VM apart; a disk's label is unique in its VM.
_DISK = ("disk", "diskkey", "path", "rawlunid", "capacitymb")
_NIC = ("niclabel", "macaddress", "mac", "network")
_SCIENTIFIC = re.compile(r"\d[.,]?\d*e\+\d+", re.IGNORECASE)


def _tuples(found: dict[int, list[Device]]) -> ByVM[Device]:
    return {at: tuple(items) for at, items in found.items()}


def _backing(row: Row) -> tuple[Backing, bool]:
    """Return the backing of a disk row and whether it had to be guessed."""
    mode = row.text("rawcompmode", "rawcommode").casefold()
    raw = flag(row.cell("raw"))
    if mode in _MODES:
        return _MODES[mode], False
    if raw or (raw is None and row.text("rawlunid")):
        # The stricter of the two: nothing is lost when it turns out to be virtual.
        return Backing.RDM_PHYSICAL, True
    return Backing.VMDK, False


def _lun(row: Row) -> tuple[str, bool]:
    """Return the LUN id of a disk row and whether it was damaged.

    Versions before 4.7.1 let Excel turn digits into a float; such ids are no longer unique.
    """
    cell = row.cell("rawlunid")
    lun = row.text("rawlunid")
    damaged = bool(lun) and (isinstance(cell, float) or bool(_SCIENTIFIC.fullmatch(lun)))
    return ("" if damaged else lun), damaged


def _free_key(wanted: str, taken: Iterable[Disk]) -> str:
    keys = {disk.key for disk in taken}
    key, count = wanted, 2
    while key in keys:
        key, count = f"{wanted}#{count}", count + 1
    return key


def read_disks(sheet: Table, owners: Owners) -> tuple[ByVM[Disk], list[str]]:
    """Return the disks by VM position, and notes."""
    found: defaultdict[int, list[Disk]] = defaultdict(list)
    guessed = damaged = deltas = sizeless = 0
    for at, row in owners.rows_of(sheet, *_DISK, alone=True):
        backing, was_guessed = _backing(row)
        lun, was_damaged = _lun(row) if backing.is_rdm else ("", False)
        path = row.text("path") or row.text("diskpath")
        size = mebibytes(row.cell("capacitymb"))
        guessed, damaged = guessed + was_guessed, damaged + was_damaged
        deltas, sizeless = deltas + (base_path(path) != path), sizeless + (size is None)
        label = row.text("disk") or f"Hard disk {len(found[at]) + 1}"
        controller = row.text("label")
        bus = re.search(r"(\d+)\s*$", controller)
        found[at].append(
            Disk(
                key=_free_key(row.text("diskkey") or label, found[at]),
                label=label,
                size_bytes=size or 0,
                backing=backing,
                path=base_path(path),
                lun=lun,
                thin=flag(row.cell("thin")),
                mode=row.text("diskmode"),
                multi_writer=_MULTI.get(row.text("sharingmode").casefold()),
                controller=controller,
                bus=int(bus[1]) if bus else None,
                unit=whole(row.cell("unit")),
                bus_sharing=_BUS.get(row.text("sharedbus").casefold()),
            )
        )
    notes = []
    if guessed:
        notes.append(
            f"{sheet.sheet} has {guessed} raw disks without a mode: they were taken for physical RDMs"
        )
    if damaged:
        notes.append(f"{sheet.sheet} has {damaged} LUN ids turned into numbers by Excel: they were left out")
    if deltas:
        notes.append(f"{sheet.sheet} has {deltas} disks on a snapshot's file: the base file was taken")
    if sizeless:
        notes.append(f"{sheet.sheet} has {sizeless} disks without a capacity: they count as 0 bytes")
    if not sheet.has("sharingmode"):
        notes.append(f"{sheet.sheet} has no Sharing mode (written since 4.4.1): multi-writer is unknown")
    return _tuples(found), notes


def add_guest_use(disks: ByVM[Disk], sheet: Table, owners: Owners) -> ByVM[Disk]:
    """Return the disks with ``used_bytes`` as the guest's partitions say.

    Partitions are joined by Disk Key; without one, only a VM's single disk can be meant.
    """
    by_key: defaultdict[tuple[int, str], int] = defaultdict(int)
    total: defaultdict[int, int] = defaultdict(int)
    for at, row in owners.rows_of(sheet, "disk"):
        used = mebibytes(row.cell("consumedmb"))
        if used is not None:
            by_key[at, row.text("diskkey")] += used
            total[at] += used

    def used_of(at: int, disk: Disk, alone: bool) -> int | None:
        used = total.get(at) if alone else by_key.get((at, disk.key))
        # A file system may be spread over disks, so what does not fit is no figure of this disk.
        return used if used is not None and used <= disk.size_bytes else None

    return {
        at: tuple(replace(disk, used_bytes=used_of(at, disk, len(items) == 1)) for disk in items)
        for at, items in disks.items()
    }


def addresses(row: Row, *keys: str) -> tuple[str, ...]:
    """Return the addresses in these columns, split and without repetition."""
    parts = (part for key in keys for part in re.split(r"[,;\s]+", row.text(key)))
    return tuple(dict.fromkeys(part for part in parts if part))


def read_nics(sheet: Table, owners: Owners) -> ByVM[Nic]:
    """Return the network adapters by VM position."""
    found: defaultdict[int, list[Nic]] = defaultdict(list)
    for at, row in owners.rows_of(sheet, *_NIC):
        found[at].append(
            Nic(
                label=row.text("niclabel") or f"Network adapter {len(found[at]) + 1}",
                network=row.text("network"),
                mac=row.text("macaddress", "mac").casefold(),
                adapter=row.text("adapter"),
                connected=flag(row.cell("connected")),
                addresses=addresses(row, "ipv4address", "ipv6address", "ipaddress"),
            )
        )
    return _tuples(found)


def nics_of_info(row: Row) -> tuple[Nic, ...]:
    """Return what vInfo alone knows of a VM's adapters: networks, and one address."""
    networks = [name for number_ in range(1, 9) if (name := row.text(f"network{number_}"))]
    first = addresses(row, "primaryipaddress", "guestip")
    return tuple(
        Nic(f"Network adapter {at + 1}", name, addresses=first if at == 0 else ())
        for at, name in enumerate(networks)
    )


def read_snapshots(sheet: Table, owners: Owners) -> ByVM[Snapshot]:
    """Return the snapshots by VM position."""
    found: defaultdict[int, list[Snapshot]] = defaultdict(list)
    for at, row in owners.rows_of(sheet, "name", "snapshot", "datetime"):
        found[at].append(
            Snapshot(
                name=row.text("name", "snapshot"),
                created=moment(row.cell("datetime")),
                size_bytes=mebibytes(row.cell("sizembtotal", "sizemb")),
            )
        )
    return _tuples(found)


def read_cdroms(sheet: Table, owners: Owners) -> ByVM[Cdrom]:
    """Return the CD drives by VM position."""
    found: defaultdict[int, list[Cdrom]] = defaultdict(list)
    for at, row in owners.rows_of(sheet, "devicenode", "device"):
        found[at].append(
            Cdrom(
                label=row.text("devicenode", "device") or f"CD/DVD drive {len(found[at]) + 1}",
                connected=flag(row.cell("connected")),
                media=row.text("devicetype"),
            )
        )
    return _tuples(found)


def cores(row: Row) -> int:
    """Return the physical cores of a host row: as said, or sockets by cores per socket."""
    said = whole(row.cell("cores"))
    return (
        said
        if said is not None
        else round((number(row.cell("cpu")) or 0) * (number(row.cell("corespercpu")) or 1))
    )
