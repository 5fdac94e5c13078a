"""A disk of the guest looked into after its power was cut: by e2fsck, debugfs, and the kernel where root may.

The journal of the file system may be replayed, and files that were being deleted be deleted. Anything
else that e2fsck would have to repair is a complaint.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.guest.records import DISKS, Held, complaints
from tests.guest.system import tool

_HARMLESS: Final = (
    *("recovering journal", "Clearing orphaned inode", "Truncating orphaned inode"),
    *("is in the future.", "(by less than a day,"),  # clocks of an emulated guest and of this machine part
)


def needs_recovery(disk: Path) -> bool:
    """Tell whether the journal of a file system has to be replayed."""
    return "needs_recovery" in _run("dumpe2fs", "-h", str(disk)).stdout


def is_clean(disk: Path) -> bool:
    """Tell whether e2fsck finds nothing to do, nothing at all, on a disk as it is."""
    return not needs_recovery(disk) and _run("e2fsck", "-fn", str(disk)).returncode == 0


def looked_into(disk: Path) -> tuple[Held, list[str]]:
    """Return what a disk holds after e2fsck went over it, and what was wrong with it."""
    wrong = []
    mended = _run("e2fsck", "-fp", str(disk))
    lines = [line for line in mended.stdout.splitlines() if not any(said in line for said in _HARMLESS)]
    if mended.returncode & ~1 or lines[:-1]:  # the last line counts files and blocks
        wrong.append(f"e2fsck ends with {mended.returncode}: {mended.stdout.strip()[-300:]}")
    again = _run("e2fsck", "-fn", str(disk))
    if again.returncode:
        wrong.append(f"e2fsck is not content: {again.stdout.strip()[-300:]}")
    return Held(_read(disk, "records") or b"", _read(disk, "state")), wrong


def verdict(disks: Sequence[Path], said: Mapping[str, int], mount: bool) -> list[str]:
    """Return everything that is wrong with both disks, as files, at a checkpoint; they are changed.

    With ``mount`` the kernel has to find on a copy of each what is found here.
    """
    held, wrong = {}, []
    for name, disk in zip(DISKS, disks, strict=True):
        copy = disk.with_suffix(".copy")
        if mount:
            shutil.copyfile(disk, copy)
        held[name], found = looked_into(disk)
        wrong += [f"{name}: {line}" for line in found]
        if mount and (found_there := mounted(copy)) != held[name]:
            wrong.append(f"{name}: the kernel does not find the same files: {_told(found_there)}")
    return wrong + complaints(held, said)


def may_mount(disk: Path) -> bool:
    """Tell whether this process may mount disks, by trying it on a copy of a good one."""
    if os.geteuid() != 0 or tool("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        return isinstance(mounted(Path(shutil.copyfile(disk, Path(folder) / "copy"))), Held)


def mounted(disk: Path) -> Held | str:
    """Return what the kernel finds on a disk when it replays the journal itself, or why it cannot."""
    place = Path(tempfile.mkdtemp(dir=disk.parent, prefix="mount-"))
    try:
        if (mount := _run("mount", "-t", "ext4", "-o", "loop,noatime", str(disk), str(place))).returncode:
            return mount.stderr.strip() or f"mount ends with {mount.returncode}"
        try:
            files = [place / name for name in ("records", "state")]
            found = [file.read_bytes() if file.is_file() else None for file in files]
        except OSError as error:
            return str(error)
        finally:
            _run("umount", str(place))
    finally:
        place.rmdir()
    return Held(found[0] or b"", found[1])


def _told(found: Held | str) -> str:
    return found if isinstance(found, str) else f"{len(found.records)} bytes of records, {found.state!r}"


def _read(disk: Path, name: str) -> bytes | None:
    """Return a file of a disk, None when it is not there."""
    if "Inode:" not in _run("debugfs", "-R", f"stat /{name}", str(disk)).stdout:
        return None
    command = [tool("debugfs") or "debugfs", "-R", f"cat /{name}", str(disk)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [tool(name) or name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
