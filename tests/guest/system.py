"""The guest's kernel and first file system, made once from Debian packages, kept under ``.cache/guest``.

The folder's name holds a hash of what it is made from, so that a changed guest is a new one. Only the
standard library is used: ``scripts/prepare test`` runs this file before there is a virtual environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.guest.initramfs import initramfs
from tests.guest.packages import libraries, required, unpack

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "guest"
QEMU: Final = "qemu-system-x86_64"
_KERNEL: Final = "linux-image-cloud-amd64"
_AGENT: Final = "qemu-guest-agent"
_SHELL: Final = "busybox-static"
_MADE_FROM: Final = ("init", "hook", "initramfs.py", "packages.py", "system.py")
_KEPT = 3


@dataclass(frozen=True, slots=True)
class System:
    """What QEMU boots."""

    kernel: Path
    initramfs: Path


def tool(name: str) -> str | None:
    """Return where a program is, also one that only administrators have on their path."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))


def lacking() -> tuple[str, ...]:
    """Return what is missing to boot a guest and to look at its disks."""
    needed = {
        "qemu-system-x86": tool(QEMU) is not None,
        "e2fsprogs": tool("e2fsck") is not None and tool("debugfs") is not None,
    }
    if not _place().exists():
        needed |= {
            "apt": tool("apt-get") is not None,
            "dpkg": tool("dpkg-deb") is not None,
            "an x86-64 machine": platform.machine() == "x86_64",
        }
    return tuple(name for name, there in needed.items() if not there)


def built(say: Callable[[str], None]) -> System:
    """Return the guest, making it first where this one was never made here; raises RuntimeError."""
    place = _place()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others may be making the same
        if not place.exists():
            say("making the test guest once, half a minute")
            _make(place)
    return System(place / "kernel", place / "initramfs")


def _make(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as made:
        root, fresh = Path(made) / "root", Path(made) / "fresh"
        root.mkdir()
        fresh.mkdir()
        kernels = [name for name in required(_KERNEL) if name.startswith("linux-image-")]
        unpack([*kernels, _SHELL, _AGENT, *libraries(_AGENT)], root)
        (kernel,) = root.glob("boot/vmlinuz-*")
        shutil.copyfile(kernel, fresh / "kernel")
        (fresh / "initramfs").write_bytes(initramfs(root))
        fresh.rename(place)
    for old in sorted(CACHE.glob("guest-*"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _place() -> Path:
    digest = hashlib.sha256()
    for name in _MADE_FROM:
        body = (HERE / name).read_bytes()
        digest.update(f"{name} {len(body)}\n".encode() + body)
    return CACHE / f"guest-{digest.hexdigest()[:16]}"


def _narrate(line: str) -> None:
    print(f"prepare: {line}", flush=True)


if __name__ == "__main__":
    if lacking():
        sys.exit()  # the tests say what is missing
    try:
        built(_narrate)
    except RuntimeError as error:
        sys.exit(f"prepare: {error}")
