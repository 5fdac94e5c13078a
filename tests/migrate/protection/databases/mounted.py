"""File systems on NBD exports, mounted by the kernel without an nbd module: nbdfuse below a loop device."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from planner.units import MIB
from tests.guest.inspection import is_clean, may_mount
from tests.guest.system import tool
from tests.migrate.protection.fake_agent import FREEZE, THAW, FakeAgent
from tests.migrate.protection.scene import eventually

_FIFREEZE: Final = 0xC0045877
_FITHAW: Final = 0xC0045878


def cannot_mount(folder: Path) -> str:
    """Return why no export can be mounted here, empty when it can."""
    if os.geteuid() != 0:
        return "mounting a disk of a tap needs root"
    if missing := [name for name in ("nbdfuse", "mount", "mke2fs", "e2fsck") if tool(name) is None]:
        return f"{missing[0]} is not installed"
    disk = folder / "tried"
    with disk.open("wb") as file:
        file.truncate(32 * MIB)
    format_ext4(disk)
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse cannot be used: {error.strerror}"
    return "" if may_mount(disk) else "this machine lets nobody mount"


def format_ext4(disk: Path) -> None:
    """Make a file system whose journal is small."""
    words = ["-q", "-t", "ext4", "-J", "size=4", "-E", "lazy_itable_init=0", str(disk)]
    subprocess.run([tool("mke2fs") or "mke2fs", *words], check=True)


class Filesystem:
    """What is on ``disk``, a file, to be mounted at ``place``; ``close`` it."""

    def __init__(self, disk: Path, place: Path) -> None:
        self.disk, self.place = disk, place
        place.mkdir(parents=True)

    @property
    def is_clean(self) -> bool:
        """Whether it needs no recovery, and e2fsck finds nothing; asked before it is mounted."""
        return is_clean(self.disk)

    def mount(self) -> None:
        """Have the kernel mount it; raises OSError when it does not."""
        command = ["mount", "-t", "ext4", "-o", "loop,noatime", str(self.disk), str(self.place)]
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if ran.returncode:
            raise OSError(ran.stderr.strip())

    def close(self) -> None:
        """Unmount it."""
        _unmount(self.place)


class Exported(Filesystem):
    """A file system on an export."""

    def __init__(self, uri: str, folder: Path) -> None:
        self._fuse = folder / "export"
        super().__init__(self._fuse / "nbd", folder / "place")
        self._fuse.mkdir()
        self._serving = subprocess.Popen([tool("nbdfuse") or "nbdfuse", f"{self._fuse}/", uri])
        assert eventually(lambda: self.disk.exists() or self._serving.poll() is not None)
        assert self._serving.poll() is None, f"nbdfuse cannot serve {uri}"

    def close(self) -> None:
        """Unmount it, and the export."""
        try:
            super().close()
            _unmount(self._fuse)
            self._serving.wait(30)
        finally:
            self._serving.kill()
            self._serving.wait()


def _unmount(place: Path) -> None:
    """Unmount a place; what a server that was killed still has in the kernel's hands is waited for."""
    if os.path.ismount(place) and not eventually(lambda: not _umount(str(place))):
        _umount("--lazy", str(place))
        raise OSError(f"{place} is busy")


def _umount(*words: str) -> int:
    return subprocess.run(["umount", *words], check=False, stderr=subprocess.DEVNULL, timeout=60).returncode


class FreezingAgent(FakeAgent):
    """Stands for the agent in a guest whose file systems are mounted here: these it really freezes.

    ``frozen_at`` is when the last of them was. One that is ``lying`` says so and freezes nothing.
    """

    def __init__(self, path: Path) -> None:
        self.places: list[Path] = []
        self.lying = False
        self.frozen_at = 0.0
        super().__init__(path)
        self.filesystems = 0
        self.on_command = self._act

    def covers(self, places: list[Path]) -> None:
        """Freeze these from now on."""
        self.places = places
        self.filesystems = len(places)

    def _act(self, command: str) -> None:
        if command == FREEZE:
            if not self.lying:
                for place in self.places:
                    _control(place, _FIFREEZE)
            self.frozen_at = time.monotonic()
        elif command == THAW:
            self.let_go()

    def let_go(self) -> None:
        """Thaw whatever is frozen."""
        for place in self.places:
            with suppress(OSError):
                _control(place, _FITHAW)


def _control(place: Path, request: int) -> None:
    opened = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(opened, request, 0)
    finally:
        os.close(opened)


def owned(folder: Path, login: str) -> None:
    """Make a folder that is a login's alone."""
    folder.mkdir(mode=0o700)
    shutil.chown(folder, login, login)
