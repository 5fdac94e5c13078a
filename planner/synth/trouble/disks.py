"""Trouble with disks and snapshots."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from planner.model import Backing, BusSharing, Controller, Snapshot
from planner.synth.building import new_lun
from planner.synth.dice import Dice
from planner.synth.drafts import Draft
from planner.synth.recipe import TAKEN_AT
from planner.synth.trouble.plants import Plant, plain, running, sets
from planner.units import GIB, TIB

_NOW = datetime.fromisoformat(TAKEN_AT)


def _snapshots(draft: Draft, dice: Dice, count: int, days: tuple[int, int]) -> None:
    for at in range(count):
        taken = _NOW - timedelta(days=dice.between(*days), minutes=dice.below(1440))
        name = dice.pick(("before patch", "pre upgrade", "test", "VM Snapshot"))
        size = round(dice.lognormal(4 * GIB, 1.0))
        draft.snapshots.append(
            Snapshot(f"{name} {at + 1}", taken.isoformat(timespec="seconds"), size, quiesced=dice.chance(0.2))
        )


def _fresh(draft: Draft, dice: Dice) -> None:
    _snapshots(draft, dice, 1, (0, 6))


def _week(draft: Draft, dice: Dice) -> None:
    _snapshots(draft, dice, 1, (8, 29))


def _month(draft: Draft, dice: Dice) -> None:
    _snapshots(draft, dice, dice.between(1, 2), (31, 900))


def _grown(draft: Draft, dice: Dice) -> None:
    created = (_NOW - timedelta(days=20)).isoformat(timespec="seconds")
    size = sum(disk["size_bytes"] for disk in draft.disks) * 6 // 10
    draft.snapshots.append(Snapshot("before migration", created, size))


def _many(draft: Draft, dice: Dice) -> None:
    draft.snapshots.clear()
    _snapshots(draft, dice, dice.between(4, 7), (1, 60))


def _disk(**values: Any) -> Any:
    def put(draft: Draft, dice: Dice) -> None:
        draft.disks[-1] |= values

    return put


def _controller(kind: Controller, label: str) -> Any:
    def put(draft: Draft, dice: Dice) -> None:
        for disk in draft.disks:
            disk |= {"controller_kind": kind, "controller": f"{label} {disk['bus']}"}

    return put


def _linked(first: Draft, second: Draft) -> None:
    # The second is a linked clone of the first: its disk goes on from a file in the other's folder.
    second.disks[0] |= {"parent": first.disks[0]["path"], "format": "sesparse"}


def _one_more(draft: Draft, size_bytes: int, used_bytes: int | None) -> None:
    at = len(draft.disks)
    unit = at + (at >= 7)
    own = {
        "key": str(2000 + unit),
        "label": f"Hard disk {at + 1}",
        "path": f"{draft.home}/{draft.folder_name}_{at}.vmdk",
        "controller": "SCSI controller 0",
        "bus": 0,
        "unit": unit,
        "uuid": "",
        "size_bytes": size_bytes,
        "used_bytes": used_bytes,
    }
    draft.disks.append({**draft.disks[0], **own})


def _too_large(draft: Draft, dice: Dice) -> None:
    _one_more(draft, 70 * TIB, None)


def _very_many(draft: Draft, dice: Dice) -> None:
    for disk in draft.disks:
        disk["controller_kind"] = Controller.LSI_SAS
    while len(draft.disks) <= 60:
        _one_more(draft, GIB, GIB // 4)


def _boots_raw(draft: Draft, dice: Dice) -> None:
    disk = draft.disks[0]
    lun = new_lun(draft.place, draft.cluster, disk["size_bytes"], dice)
    disk |= {"backing": Backing.RDM_VIRTUAL, "lun": lun.name, "format": "rdm", "thin": None}
    disk["controller_kind"] = Controller.PVSCSI


def _raw_without_lun(draft: Draft, dice: Dice) -> None:
    _one_more(draft, 100 * GIB, None)
    draft.disks[-1] |= {"backing": Backing.RDM_PHYSICAL, "mode": "independent_persistent", "format": "rdm"}
    draft.disks[-1] |= {"multi_writer": None, "thin": None, "cbt": None}


def _partly_tracked(draft: Draft, dice: Dice) -> None:
    draft.fields["cbt"] = True
    draft.disks[-1]["cbt"] = False


def _chain(draft: Draft, dice: Dice) -> None:
    draft.disks[0]["parent"] = draft.disks[0]["path"].replace(".vmdk", "-000001.vmdk")


def _same_folder(first: Draft, second: Draft) -> None:
    second.fields["vmx_path"] = f"[{second.store.name}] {first.folder_name}/{second.folder_name}.vmx"


def _long_path(draft: Draft, dice: Dice) -> None:
    draft.fields["vmx_path"] = f"{draft.home}/{'kept-for-later-' * 18}{draft.folder_name}.vmx"


def _huge(draft: Draft, dice: Dice) -> None:
    draft.disks[-1] |= {"size_bytes": dice.between(3, 9) * TIB}


def _shared_bus(draft: Draft, dice: Dice) -> None:
    for disk in draft.disks:
        disk["bus_sharing"] = BusSharing.VIRTUAL


def _pointed_elsewhere(draft: Draft, dice: Dice) -> None:
    # A raw device whose LUN has an odd number of bytes.
    for disk in draft.disks:
        if disk.get("lun"):
            disk["size_bytes"] += 512


def _raw(draft: Draft) -> bool:
    return draft.movable and sum(bool(disk.get("lun")) for disk in draft.disks) == 1


def _small(draft: Draft) -> bool:
    return plain(draft) and len(draft.disks) <= 2


PLANTS = (
    Plant("disks.cbt.off", 0.08, sets("fields", cbt=False)),
    Plant("disks.cbt.unknown", 0.02, sets("fields", cbt=None)),
    Plant("disks.independent", 0.01, _disk(mode="independent_persistent")),
    Plant("disks.nonpersistent", 0.001, _disk(mode="independent_nonpersistent")),
    Plant("disks.consolidation", 0.005, sets("fields", consolidation_needed=True), running),
    Plant("snapshots.fresh", 0.02, _fresh, running),
    Plant("snapshots.week", 0.02, _week, running),
    Plant("snapshots.month", 0.02, _month, running),
    Plant("snapshots.many", 0.003, _many, running),
    Plant("snapshots.grown", 0.002, _grown, running),
    Plant("disks.linked-clone", 0.002, fit=_small, put_pair=_linked),
    Plant("disks.boot-raw", 0.0003, _boots_raw, lambda vm: _small(vm) and not vm.snapshots),
    Plant("disks.rdm-without-lun", 0.0003, _raw_without_lun, _small),
    Plant("disks.partly-tracked", 0.002, _partly_tracked, lambda vm: plain(vm) and len(vm.disks) > 1),
    Plant("snapshots.chain", 0.001, _chain, lambda vm: plain(vm) and not vm.snapshots),
    Plant("storage.folder", 0.001, fit=plain, put_pair=_same_folder),
    Plant("storage.path", 0.0005, _long_path),
    Plant("disks.large", 0.003, _huge),
    Plant("disks.too-large", 0.0001, _too_large, _small),
    Plant(
        "disks.no-capacity",
        0.0002,
        _disk(size_bytes=0, used_bytes=None),
        lambda vm: plain(vm) and len(vm.disks) > 1,
    ),
    Plant("disks.uneven", 0.0002, _pointed_elsewhere, _raw),
    Plant("disks.very-many", 0.0001, _very_many, _small),
    Plant("disks.bus-sharing", 0.001, _shared_bus),
    Plant("disks.nvme", 0.005, _controller(Controller.NVME, "NVME controller")),
    Plant("disks.ide", 0.006, _controller(Controller.IDE, "IDE"), _small),
    Plant("disks.sata", 0.003, _controller(Controller.SATA, "SATA controller"), _small),
    Plant("disks.buslogic", 0.001, _controller(Controller.BUS_LOGIC, "SCSI controller"), _small),
    Plant("disks.encrypted", 0.003, _disk(encrypted=True)),
    Plant(
        "disks.persistent-memory", 0.0005, _disk(format="pmem"), lambda vm: plain(vm) and len(vm.disks) > 1
    ),
    Plant("disks.filter", 0.002, _disk(filters=("emcjiraf",))),
    Plant("disks.flash-cache", 0.001, _disk(flash_cache=True)),
    Plant("disks.iops-limit", 0.003, _disk(iops_limit=1000)),
    Plant("disks.policy", 0.02, _disk(policy="Gold mirrored")),
)
