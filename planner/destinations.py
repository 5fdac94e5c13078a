"""Where things of the source land: the maps of datastores and folders, applied.

A folder is told by its path below its datacenter (``Prod/Web``), or with it (``/DC1/vm/Prod/Web``). The
longest path that the settings map decides, and what lies deeper comes along. What nobody mapped has no
destination yet: that is the empty text, and never the place of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.model import VM, Inventory, Volume
from planner.volumes import datastore_of

Parts = tuple[str, ...]
ANYWHERE = "/"  # a map of all folders that no longer path decides


def parts_of(path: str) -> Parts:
    """Return the names in a folder path; slashes at its ends say nothing."""
    return tuple(part for part in path.split("/") if part)


def below(path: str, datacenter: str) -> Parts:
    """Return the names in a VM folder's path without its datacenter and the root of its VMs."""
    parts = parts_of(path)
    if parts and parts[0] == datacenter:
        parts = parts[1:]
    return parts[1:] if parts and parts[0] == "vm" else parts


def spelled(path: str) -> str:
    """Return a folder's path as it is listed: no slashes at its ends, ``/`` for the root."""
    return "/".join(parts_of(path)) or ANYWHERE


def folders_above(vm: VM) -> tuple[str, ...]:
    """Return a VM's folder and those above it, the root first; nothing when the source does not say."""
    if not vm.folder:
        return ()
    parts = below(vm.folder, vm.datacenter)
    return (ANYWHERE, *("/".join(parts[: at + 1]) for at in range(len(parts))))


def known_folders(target: Inventory) -> frozenset[Parts]:
    """Return the VM folders of a target with those above them, without their datacenter and with it."""
    found: set[Parts] = set()
    for one in target.folders:
        if one.kind in ("vm", ""):
            inside = below(one.path, one.datacenter)
            for said in (inside, (one.datacenter, "vm", *inside)):
                found.update(said[:length] for length in range(len(said) + 1))
    return frozenset(found)


def is_known(path: str, known: frozenset[Parts]) -> bool:
    """Return whether a path at the target is one of its folders."""
    return parts_of(path) in known or below(path, "") in known


def home(vm: VM) -> str:
    """Return the datastore of a VM's own files, else that of its first disk, empty when unknown."""
    paths = (vm.vmx_path, *(disk.path for disk in vm.disks))
    return next((name for path in paths if (name := datastore_of(path))), "")


def held_on(volume: Volume) -> str:
    """Return the datastore of a volume, that of its pointer for a raw device, empty when unknown."""
    return next((name for item in volume.attachments if (name := datastore_of(item.disk.path))), "")


def same_path_twice(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return two spellings of one folder or pool among paths, None when there are none."""
    seen: dict[Parts, str] = {}
    for path in paths:
        if (first := seen.setdefault(parts_of(path), path)) != path:
            return first, path
    return None


@dataclass(frozen=True, slots=True)
class FolderMaps:
    """The map of folders, ready to be asked; ``longest`` is how many names its longest path has."""

    by_parts: Mapping[Parts, tuple[str, str]]  # → (path as it was said, path at the target)
    longest: int

    def decided(self, path: str, datacenter: str) -> tuple[str, str]:
        """Return which path of the map decides on a VM folder and where that leads, both empty when none."""
        inside = below(path, datacenter)
        for length in range(min(len(inside), self.longest), -1, -1):
            head = inside[:length]
            for said in ((datacenter, "vm", *head), (datacenter, *head), ("vm", *head), head):
                if (found := self.by_parts.get(said)) is not None:
                    rest = inside[length:]
                    return found[0], "/".join((found[1].rstrip("/"), *rest)) if rest else found[1]
        return "", ""

    def of(self, vm: VM) -> str:
        """Return the folder that a VM lands in, empty when nobody said."""
        return self.decided(vm.folder, vm.datacenter)[1] if vm.folder and self.by_parts else ""


def folder_maps(folders: Mapping[str, str]) -> FolderMaps:
    """Return the map of the settings, ready to be asked."""
    found = {parts_of(path): (path, to) for path, to in folders.items()}
    return FolderMaps(found, max(map(len, found), default=0))
