"""Disks of VMs from vDisk, and what their guests say of their use from vPartition.

Numeric bus sharing is that of version 3.10: 0 none, 1 virtual, 2 physical. A disk's size is its
capacity, never what is provisioned or in use: those count swap and snapshots too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from planner.model import Backing, BusSharing, Controller, Disk, Partition
from planner.sources.cells import text
from planner.sources.rvtools.devices import ByVM, tuples
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.joins import Owners
from planner.sources.vcenter.luns import LunNames
from planner.units import show_count
from planner.volumes import base_path

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
# Words of a controller's description without blanks; longer ones first.
_CONTROLLERS = (
    ("paravirtual", Controller.PVSCSI),
    ("pvscsi", Controller.PVSCSI),
    ("lsilogicsas", Controller.LSI_SAS),
    ("lsilogic", Controller.LSI_LOGIC),
    ("buslogic", Controller.BUS_LOGIC),
    ("nvme", Controller.NVME),
    ("ahci", Controller.SATA),
    ("sata", Controller.SATA),
    ("ide", Controller.IDE),
)
_SCIENTIFIC = re.compile(r"\d[.,]?\d*e\+\d+", re.IGNORECASE)
# What tells the disks of one VM apart; a disk's label is unique in its VM.
_DISK = ("disk", "diskkey", "path", "rawlunid", "capacitymb")


@cache
def controller_kind(*said: str) -> Controller | None:
    """Return the kind of controller that its description or label names, None when neither does."""
    for words in said:
        bare = re.sub(r"[^a-z]", "", words.casefold())
        for word, kind in _CONTROLLERS:
            if word in bare:
                return kind
    return None


def _backing(mode: str, raw: bool | None, lun: str) -> tuple[Backing, bool]:
    """Return the backing of a disk and whether it had to be guessed."""
    if mode in _MODES:
        return _MODES[mode], False
    if raw or (raw is None and lun):
        # The stricter of the two: nothing is lost when it turns out to be virtual.
        return Backing.RDM_PHYSICAL, True
    return Backing.VMDK, False


def _damaged(cell: object) -> bool:
    """Return whether Excel made a number of a LUN's id, as versions before 4.7.1 let it."""
    return isinstance(cell, float) or bool(_SCIENTIFIC.fullmatch(text(cell)))


def _free_key(wanted: str, taken: Iterable[Disk]) -> str:
    keys = {disk.key for disk in taken}
    key, count = wanted, 2
    while key in keys:
        key, count = f"{wanted}#{count}", count + 1
    return key


def read_partitions(sheet: Sheet, owners: Owners) -> tuple[ByVM[Partition], dict[int, dict[str, int]]]:
    """Return file systems by VM position, and the bytes in use by VM position and disk key."""
    found: defaultdict[int, list[Partition]] = defaultdict(list)
    used: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    paths, keys = sheet.texts("disk"), sheet.texts("diskkey")
    sizes, consumed, free = sheet.sizes("capacitymb"), sheet.sizes("consumedmb"), sheet.sizes("freemb")
    for row, at in owners.match(sheet, "disk"):
        found[at].append(Partition(paths[row], sizes[row], free[row], keys[row]))
        size, left = sizes[row], free[row]
        share = consumed[row]
        if share is None and size is not None and left is not None:
            share = max(size - left, 0)  # Consumed MB is written since 3.9
        if share is not None:
            used[at][keys[row]] += share
    return tuples(found), {at: dict(by_key) for at, by_key in used.items()}


def _in_use(used: dict[str, int], disk: str, alone: bool, size: int) -> int | None:
    """Return what a guest uses of a disk.

    Partitions are joined by Disk Key; without one, only a VM's single disk can be meant.
    """
    share = sum(used.values()) if alone and used else used.get(disk)
    # A file system may be spread over disks, so what does not fit is no figure of this disk.
    return share if share is not None and share <= size else None


def read_disks(
    sheet: Sheet, owners: Owners, used: dict[int, dict[str, int]], luns: LunNames
) -> tuple[ByVM[Disk], list[str]]:
    """Return the disks by VM position, and notes. ``used`` is from ``read_partitions``."""
    matched = owners.match(sheet, *_DISK, alone=True)
    count: defaultdict[int, int] = defaultdict(int)
    for _, at in matched:
        count[at] += 1
    labels, keys, uuids = sheet.texts("disk"), sheet.texts("diskkey"), sheet.texts("diskuuid")
    paths, sizes, modes = sheet.texts("path", "diskpath"), sheet.sizes("capacitymb"), sheet.texts("diskmode")
    raw, raw_modes = sheet.flags("raw"), sheet.folded("rawcompmode", "rawcommode")
    lun_ids, lun_cells = sheet.texts("rawlunid"), sheet.cells("rawlunid")
    thin, limits, units = sheet.flags("thin"), sheet.wholes("limit"), sheet.wholes("unit")
    buses, controllers = sheet.texts("label"), sheet.texts("controller")
    multi = [_MULTI.get(word) for word in sheet.folded("sharingmode")]
    sharing = [_BUS.get(word) for word in sheet.folded("sharedbus")]
    numbers = {bus: int(digits[1]) for bus in set(buses) if (digits := re.search(r"(\d{1,4})\s*$", bus))}
    found: defaultdict[int, list[Disk]] = defaultdict(list)
    guessed = damaged = deltas = sizeless = 0
    for row, at in matched:
        siblings = found[at]
        backing, was_guessed = _backing(raw_modes[row], raw[row], lun_ids[row])
        lun = ""
        if backing is not Backing.VMDK and lun_ids[row]:
            if _damaged(lun_cells[row]):
                damaged += 1
            else:
                lun = luns.canonical(lun_ids[row].removeprefix("vml."))
        path = base_path(paths[row])
        size = sizes[row]
        guessed, deltas = guessed + was_guessed, deltas + (path != paths[row])
        sizeless += size is None
        label = labels[row] or f"Hard disk {len(siblings) + 1}"
        key = keys[row] or label
        if siblings:
            key = _free_key(key, siblings)
        siblings.append(
            Disk(
                key=key,
                label=label,
                size_bytes=size or 0,
                backing=backing,
                path=path,
                lun=lun,
                used_bytes=_in_use(used[at], key, count[at] == 1, size or 0) if at in used else None,
                thin=thin[row],
                mode=modes[row],
                multi_writer=multi[row],
                controller=buses[row],
                bus=numbers.get(buses[row]),
                unit=units[row],
                bus_sharing=sharing[row],
                controller_kind=controller_kind(controllers[row], buses[row]),
                uuid=uuids[row],
                format="rdm" if backing.is_rdm else "",
                iops_limit=limits[row],
            )
        )
    return tuples(found), _notes(sheet, guessed, damaged, deltas, sizeless)


def _notes(sheet: Sheet, guessed: int, damaged: int, deltas: int, sizeless: int) -> list[str]:
    notes = []
    if guessed:
        notes.append(
            f"{sheet.name} has {guessed} raw disks without a mode: they were taken for physical RDMs"
        )
    if damaged:
        notes.append(f"{sheet.name} has {damaged} LUN ids turned into numbers by Excel: they were left out")
    if deltas:
        notes.append(
            f"{sheet.name} has {show_count(deltas, 'disk')} on a snapshot's file: the base file was taken"
        )
    if sizeless:
        notes.append(
            f"{sheet.name} has {show_count(sizeless, 'disk')} without a capacity: counted as 0 bytes"
        )
    if not sheet.has("sharingmode"):
        notes.append(
            f"{sheet.name} has no Sharing mode (written since 4.4.1): multi-writer is unknown, "
            "shared disks are known by equal paths and LUNs"
        )
    return notes
