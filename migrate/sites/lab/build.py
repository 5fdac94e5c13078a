"""Build the lab: an inventory as two folders, one full of VMs with real disks, one empty.

The result depends on inventory, sizes and seed only. Nothing is overwritten: the site folders must
not exist or be empty.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.sites.lab.addressed import write_networking
from migrate.sites.lab.content import SMALLEST_EXT4, Writer, fill, lay_out
from migrate.sites.lab.ext4 import SystemFiles, find_mke2fs
from migrate.sites.lab.folder import SiteFolder, SiteSettings
from migrate.sites.lab.hardware import hardware_of
from migrate.sites.lab.luns import add_lun
from migrate.sites.lab.machines import MachineRegistry
from migrate.sites.lab.vmx import Machine, with_free_slots
from migrate.sites.lab.volumes import Volumes
from migrate.sites.networking import GuestNic
from migrate.sites.ports import NewAttachment, NewDisk, NewNic, NewVM
from planner.conduct_readdressing import addresses_of
from planner.errors import BadInput
from planner.model import VM, BusSharing, Inventory, Power, Volume
from planner.names import content_id, visible
from planner.sending import refusal, suggestion
from planner.settings import Lun
from planner.units import MIB

_RATE = 40.0


@dataclass(frozen=True, slots=True)
class LabSummary:
    """What was built. ``powered_on`` are the ids of VMs that the inventory knows as running."""

    source: Path
    target: Path
    vms: int
    volumes: int
    size_bytes: int
    allocated_bytes: int
    powered_on: tuple[str, ...]


def build_lab(
    directory: Path,
    inventory: Inventory,
    *,
    source_name: str,
    target_name: str,
    luns: Sequence[Lun],
    seed: int,
    progress: Callable[[str, int, int], None],
    write_rate: float = _RATE,
    target_capacity_bytes: int | None = None,
    target_networks: Sequence[str] | None = None,
) -> LabSummary:
    """Build ``directory/source_name`` from the inventory and an empty ``directory/target_name``.

    ``progress`` gets what is being made, how many are done, of how
    many. VMs are off: power on those of ``powered_on``. Raises BadInput, NoSpace, StepFailed.
    """
    source, target = (_site_folder(directory, name) for name in (source_name, target_name))
    if source.root == target.root:
        raise BadInput(f"both sites are named {visible(source_name)}", "give them two names")
    from planner.volumes import volumes as find_volumes

    vms = [vm for vm in inventory.vms if vm.movable]
    found = find_volumes(replace(inventory, vms=tuple(vms)))
    if any(lay_out(_size(volume), 1).data_bytes >= SMALLEST_EXT4 for volume in found):
        find_mke2fs()
    for folder in (source, target):
        folder.check_free()
    try:
        source.create(SiteSettings(source_name, "source", write_rate))
        networks = None if target_networks is None else tuple(target_networks)
        target.create(
            SiteSettings(target_name, "target", write_rate, target_capacity_bytes, networks=networks)
        )
        for lun in luns:
            add_lun(target.luns, lun.name, lun.size_bytes)
        made = _make_disks(source, found, seed, progress)
        _register(source, vms, found, made)
    except BaseException:
        for folder in (source, target):  # both held nothing before
            shutil.rmtree(folder.root, ignore_errors=True)
        raise
    return LabSummary(
        source.root,
        target.root,
        len(vms),
        len(found),
        sum(item.size_bytes for item in made),
        sum(item.data.stat().st_blocks * 512 for item in made),
        tuple(vm.id for vm in vms if vm.power is Power.ON),
    )


def _register(source: SiteFolder, vms: Sequence[VM], found: Sequence[Volume], made: Volumes) -> None:
    registry = MachineRegistry(source.vms, made)
    volume_of = {(item.vm.id, item.disk.key): volume.id for volume in found for item in volume.attachments}
    for vm in vms:
        registry.save(Machine(_new_vm(vm, volume_of), hardware=hardware_of(vm)))
        _set_up(vm, volume_of, made)


def _set_up(vm: VM, volume_of: dict[tuple[str, str], str], made: Volumes) -> None:
    """Set a VM's guest to the addresses that the inventory knows."""
    nics = tuple(
        GuestNic(nic.label, tuple(map(str, addresses_of(nic)))) for nic in vm.nics if any(addresses_of(nic))
    )
    if not (nics and vm.disks and (first := made.get(volume_of[vm.id, vm.disks[0].key]))):
        return
    with closing(FlatDisk(first.data, writable=True)) as disk:
        write_networking(disk, disk.write, content_id(vm.id), nics)
        disk.flush()


def _site_folder(directory: Path, name: str) -> SiteFolder:
    if not name or name in {".", ".."} or "/" in name or not name.isprintable():
        raise BadInput(f"{visible(name)!r} cannot name a lab site", "use letters, digits and dashes")
    return SiteFolder(directory.absolute() / name)


def _size(volume: Volume) -> int:
    return max(-(-volume.size_bytes // MIB), 1) * MIB


def _make_disks(
    source: SiteFolder,
    found: Sequence[Volume],
    seed: int,
    progress: Callable[[str, int, int], None],
) -> Volumes:
    # A LUN's name is data; two mappings without one are two LUNs.
    lun_of = {
        volume.id: volume.attachments[0].disk.lun or f"lun of {volume.id}"
        for volume in found
        if volume.backing.is_rdm
    }
    for volume in found:
        if volume.backing.is_rdm:
            add_lun(source.luns, lun_of[volume.id], _size(volume))
    made = Volumes(source, None)
    # Guests keep no records on what looks like swap, so that it can be left out and nothing is missed.
    spare = {volume.id for volume in found if suggestion(volume) and not refusal(volume, None)}
    disks_of: dict[str, list[str]] = {}
    for volume in found:
        if volume.id in spare:
            continue
        for item in volume.attachments:
            disks_of.setdefault(item.vm.id, []).append(volume.id)
    boots = {disks[0] for disks in disks_of.values()}
    with tempfile.TemporaryDirectory(prefix=".building-", dir=source.root) as scratch:
        system = SystemFiles(Path(scratch) / "system", seed)
        for number, volume in enumerate(found):
            progress(
                f"{volume.attachments[0].vm.name}: {volume.attachments[0].disk.label}", number, len(found)
            )
            new = NewDisk(volume.id, _size(volume), volume.backing, lun_of.get(volume.id, ""))
            disk = made.create(new, content_id(volume.attachments[0].vm.id))
            writers = []
            for vm in dict.fromkeys(item.vm.id for item in volume.attachments if volume.id not in spare):
                disks = disks_of[vm]
                writers.append(Writer(content_id(vm), disks.index(volume.id), len(disks)))
            boot = volume.id in boots and len(writers) == 1
            tree = Path(scratch) / f"tree-{number}"
            fill(disk.data, writers, seed, volume.id, system if boot else None, tree)
    progress("done", len(found), len(found))
    return made


def _new_vm(vm: VM, volume_of: dict[tuple[str, str], str]) -> NewVM:
    disks = tuple(
        NewAttachment(
            disk.key,
            volume_of[vm.id, disk.key],
            disk.bus or 0,
            disk.unit or 0,
            disk.bus_sharing or BusSharing.NONE,
            bool(disk.multi_writer),
        )
        for disk in vm.disks
    )
    nics = tuple(NewNic(nic.label, nic.network, nic.mac, nic.adapter) for nic in vm.nics)
    return NewVM(
        vm.id, vm.name, vm.cpus, vm.memory_bytes, vm.firmware, vm.guest_os, with_free_slots(disks), nics
    )
