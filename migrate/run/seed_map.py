"""Which image on this machine belongs to which disk of a wave: a folder, a csv or a toml file says.

    folder    one image a disk, called "VM disk.img", or "VM.img" where it is the only disk
    csv       columns vm, disk, path          toml    [[seed]] with vm, disk, path

One map may serve every wave of a plan. What names no disk of the plan, or no image of its size, is
refused with its row. Images are looked at, never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import BadInput, WherryError
from planner.model import Sending
from planner.names import visible
from planner.units import show_bytes, show_count

if TYPE_CHECKING:
    from planner.plan import Plan, PlannedDisk, PlannedVM, Wave

_COLUMNS = ("vm", "disk", "path")
_SUFFIXES = {".img", ".raw", ".vmdk"}
_EXTENT = re.compile(r"(.+)-(?:flat|[fs]\d{3})", re.IGNORECASE)
_MAX_BYTES = 16 * 1024 * 1024
_SHOWN = 20  # what is wrong is named so often, the rest is counted
_HINT = "correct them and run the verb again: nothing was done"


@dataclass(frozen=True, slots=True)
class _Row:
    """What a map says: of which VM and disk (empty: its only one) which file is the image."""

    where: str
    vm: str
    disk: str
    image: Path


class _Wrong(Exception):
    """A row names nothing; the sentence says why."""


def read_seeds(path: Path, plan: Plan, wave: Wave) -> dict[str, str]:
    """Return volume → path of its image, of those disks of the wave that the map names.

    Raises BadInput.
    """
    shown = visible(str(path), 200)
    names = _Names(plan)
    found: dict[str, tuple[str, Path]] = {}
    wrong: list[str] = []
    for row in _rows(path, names):
        try:
            holder, disk = names.find(row)
            if disk.volume in found:
                raise _Wrong(f"{names.call(disk)} has a seed already, by {found[disk.volume][0]}")
            found[disk.volume] = row.where, row.image
            if holder.name == wave.name:
                _check_image(row, disk, names)
        except _Wrong as why:
            wrong.append(f"{row.where}: {why}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise BadInput(
            f"{shown}: {show_count(len(wrong), 'seed')} cannot be used: {'; '.join(wrong[:_SHOWN])}{more}",
            _HINT,
        )
    mine = {disk.volume for disk in wave.disks}
    seeds = {volume: str(image.resolve()) for volume, (_, image) in found.items() if volume in mine}
    if not seeds:
        raise BadInput(f"{shown} names no disk of {wave.name}", "name one, or leave --seed-from out")
    return seeds


class _Names:
    """The VMs and disks of a plan by what people call them."""

    def __init__(self, plan: Plan) -> None:
        self._vms: dict[str, dict[str, tuple[Wave, PlannedVM]]] = {}
        self._called: dict[str, str] = {}
        for wave in plan.waves:
            for vm in wave.vms:
                for name in {visible(vm.name).strip(), visible(vm.id)}:
                    self._vms.setdefault(name, {})[vm.id] = wave, vm
                self._called[vm.id] = visible(vm.name, 60)

    def call(self, disk: PlannedDisk) -> str:
        """Return what to call a disk, harmless to print."""
        first = disk.attachments[0]
        return f"{self._called[first.vm]} {visible(first.label, 40)}"

    def find(self, row: _Row) -> tuple[Wave, PlannedDisk]:
        """Return the disk that a row names and its wave; raises _Wrong."""
        shown = visible(row.vm, 60)
        named = self._vms.get(row.vm, {})
        if len(named) != 1:
            raise _Wrong(
                f"{len(named)} VMs of the plan are called {shown}: write the id of one"
                if named
                else f"no VM of the plan is called {shown!r}"
            )
        ((wave, vm),) = named.values()
        held = self.disks(wave, vm)
        fits = [disk for label, disk in held if not row.disk or row.disk in (label, visible(disk.volume))]
        if len(fits) != 1:
            what = f"disk {visible(row.disk, 40)!r}" if row.disk else "disk that is its only one"
            raise _Wrong(f"{shown} has no {what}, it has {', '.join(label for label, _ in held) or 'none'}")
        if fits[0].send is Sending.NEVER:
            raise _Wrong(f"{self.call(fits[0])} is left out by decision, it takes no seed")
        return wave, fits[0]

    def disks(self, wave: Wave, vm: PlannedVM) -> list[tuple[str, PlannedDisk]]:
        """Return label and disk of all that a VM holds."""
        return [
            (visible(item.label).strip(), disk)
            for disk in wave.disks
            for item in disk.attachments
            if item.vm == vm.id
        ]

    def by_file(self) -> dict[str, tuple[str, str]]:
        """Return the names that images may have → VM and disk; a name that fits two names none."""
        found: dict[str, set[tuple[str, str]]] = {}
        for named in self._vms.values():
            for wave, vm in named.values():
                held = self.disks(wave, vm)
                for called in {visible(vm.name).strip(), visible(vm.id)}:
                    for label, _ in held:
                        found.setdefault(f"{called} {label}", set()).add((visible(vm.id), label))
                    if len(held) == 1:
                        found.setdefault(called, set()).add((visible(vm.id), held[0][0]))
        return {name: next(iter(what)) for name, what in found.items() if len(what) == 1}


def _rows(path: Path, names: _Names) -> Iterator[_Row]:
    if path.is_dir():
        return _of_folder(path, names)
    match path.suffix.lower():
        case ".csv":
            return _of_csv(path)
        case ".toml":
            return _of_toml(path)
    raise BadInput(
        f"{visible(str(path), 200)} is neither a folder nor a csv or toml file",
        "name a folder of images, or a file that says vm, disk and path of each",
    )


def _of_folder(path: Path, names: _Names) -> Iterator[_Row]:
    try:
        files = sorted(item for item in path.iterdir() if item.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise BadInput(f"{visible(str(path), 200)} cannot be read: {error.strerror}", "check it") from error
    known = names.by_file()
    whole = {item.stem for item in files}
    for item in files:
        extent = _EXTENT.fullmatch(item.stem) if item.suffix.lower() == ".vmdk" else None
        if extent and extent[1] in whole:
            continue  # the bytes of a VMDK, whose descriptor lies beside it
        called = visible(extent[1] if extent else item.stem).strip()
        vm, disk = known.get(called, (called, ""))
        yield _Row(f"file {visible(item.name, 80)}", vm, disk, item)


def _of_csv(path: Path) -> Iterator[_Row]:
    from planner.imports.tables import sheet

    table = sheet(path)
    table.need(_COLUMNS, _COLUMNS)
    for number, cells in table.rows():
        vm, disk, image = (cells[name].removeprefix("'") for name in _COLUMNS)
        yield _Row(f"row {number}", vm, disk, path.parent / image)


def _of_toml(path: Path) -> Iterator[_Row]:
    import tomllib

    shown = visible(str(path), 200)
    hint = 'write [[seed]] with vm = "...", disk = "..." and path = "..." for each'
    try:
        with path.open("rb") as file:
            told = tomllib.loads(file.read(_MAX_BYTES).decode("utf-8"))
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{shown} is no TOML", hint) from error
    entries = told.get("seed")
    if not isinstance(entries, list) or set(told) != {"seed"}:
        raise BadInput(f"{shown} is no list of seeds", hint)
    for number, entry in enumerate(entries, 1):
        fields = {"disk": "", **entry} if isinstance(entry, dict) else {}
        if set(fields) != set(_COLUMNS) or not all(isinstance(value, str) for value in fields.values()):
            raise BadInput(f"{shown}: seed {number} is not vm, disk and path", hint)
        vm, disk = visible(fields["vm"]).strip(), visible(fields["disk"]).strip()
        yield _Row(f"seed {number}", vm, disk, path.parent / fields["path"])


def _check_image(row: _Row, disk: PlannedDisk, names: _Names) -> None:
    """Raise _Wrong unless the image is a file that holds a disk of that size."""
    from migrate.disks.opening import open_disk

    shown = visible(str(row.image), 200)
    try:
        if not row.image.is_file():
            raise _Wrong(f"{shown} is no file")
        with closing(open_disk(str(row.image)).disk) as image:
            size = image.size_bytes
    except (OSError, ValueError) as error:
        raise _Wrong(f"{shown} cannot be read: {getattr(error, 'strerror', error)}") from error
    except WherryError as error:
        raise _Wrong(error.message) from error
    if size != disk.size_bytes:
        raise _Wrong(
            f"{shown} holds a disk of {show_bytes(size)} ({size} bytes), "
            f"{names.call(disk)} has {show_bytes(disk.size_bytes)} ({disk.size_bytes} bytes)"
        )
