"""Guest clusters: VMs of one application that share LUNs by raw mapping, or VMDKs as multi-writers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planner.model import Backing, BusSharing, Controller
from planner.synth import recipe as said
from planner.synth.building import new_lun
from planner.synth.dice import Dice
from planner.synth.drafts import Application, Draft
from planner.units import GIB, TIB


@dataclass(frozen=True, slots=True)
class Shared:
    """VMs that hold the same volumes: LUN names or paths."""

    kind: str  # physical-rdm, virtual-rdm, multi-writer
    vms: tuple[str, ...]
    volumes: tuple[str, ...]


def _second_bus(draft: Draft, unit: int, size_bytes: int, **more: Any) -> None:
    """Add a disk on a controller of its own kind, behind those of the VM itself."""
    draft.clustered = True
    disk = draft.add_disk(
        size_bytes, None, thin=None, uuid="", format="flat", parent="", cbt=None, encrypted=False
    )
    disk |= {"filters": (), "flash_cache": False, "iops_limit": -1, "policy": ""}
    disk |= {"controller": "SCSI controller 3", "bus": 3, "unit": unit, "key": str(2048 + unit)}
    disk |= {"controller_kind": Controller.PVSCSI, "multi_writer": False, **more}


def _sizes(dice: Dice) -> list[int]:
    data = min(max(round(dice.lognormal(300, 1.0)), 50) * GIB, 4 * TIB)
    return [GIB, data] + ([max(data // 4 // GIB, 50) * GIB] if dice.chance(0.3) else [])


def _raw(nodes: list[Draft], physical: bool, dice: Dice) -> Shared:
    backing = Backing.RDM_PHYSICAL if physical else Backing.RDM_VIRTUAL
    alone = len(nodes) == 1
    sharing = BusSharing.NONE if alone else BusSharing.PHYSICAL if physical else BusSharing.VIRTUAL
    names = []
    for unit, size in enumerate(_sizes(dice)[1:] if alone else _sizes(dice)):
        lun = new_lun(nodes[0].place, nodes[0].cluster, size, dice)
        names.append(lun.name)
        for node in nodes:
            _second_bus(
                node,
                unit,
                size,
                backing=backing,
                lun=lun.name,
                path=f"{node.home}/{node.folder_name}_rdm{unit + 1}.vmdk",
                mode="independent_persistent" if physical else "persistent",
                format="rdm",
                bus_sharing=sharing,
                multi_writer=None if physical else False,
            )
    return Shared(backing.value.replace("rdm-", "") + "-rdm", tuple(node.id for node in nodes), tuple(names))


def _multi_writer(nodes: list[Draft], dice: Dice) -> Shared:
    first, paths = nodes[0], []
    for unit, size in enumerate(_sizes(dice)):
        path = f"{first.home}/{first.folder_name}_shared{unit + 1}.vmdk"
        paths.append(path)
        for node in nodes:
            _second_bus(
                node, unit, size, path=path, thin=False, multi_writer=True, bus_sharing=BusSharing.NONE
            )
    return Shared("multi-writer", tuple(node.id for node in nodes), tuple(paths))


def _nodes(apps: list[Application], count: int) -> list[Draft]:
    """Return members of the first application with enough of them, and take it off the list."""
    for at, app in enumerate(apps):
        order = sorted(app.members, key=lambda one: one.kind != "database")
        members = [one for one in order if one.runs and one.kind in {"database", "application"}]
        if len(members) >= count:
            del apps[at]
            return members[:count]
    return []


def shared_disks(apps: list[Application], vms: int, dice: Dice) -> list[Shared]:
    """Give guest clusters their disks; return who shares what, single raw devices included."""
    order = dice.sample([app for app in apps if app.environment == "Production"], len(apps))
    made: list[Shared] = []
    left = round(vms * said.RDM_VMS)
    while left > 0:
        size = 1 if dice.chance(0.12) else dice.weighted(said.CLUSTER_SIZES)
        nodes = _nodes(order, size)
        if not nodes:
            break
        made.append(_raw(nodes, len(made) * 7 % 10 < said.RDM_PHYSICAL * 10, dice))
        left -= size
    left = max(round(vms * said.MULTI_WRITER_VMS), 2 if vms >= 100 else 0)
    while left > 0 and (nodes := _nodes(order, dice.pick((2, 2, 3)))):
        made.append(_multi_writer(nodes, dice))
        left -= len(nodes)
    return made
