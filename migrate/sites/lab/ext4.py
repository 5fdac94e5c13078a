"""A guest's file system: ext4 made by mke2fs from generated files, the same for the same seed."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import uuid
from pathlib import Path

from planner.errors import BadInput, StepFailed
from planner.units import KIB, MIB

_TIME = 1_767_225_600  # 2026-01-01: file times must not depend on when the lab is built
_TEXT = """
accept address auth backend buffer cache client close config connection daemon debug default enable
error event file filter group handler host index info interface kernel key limit listen local lock
log max memory module mount name network option output path pid pool port process queue rate read
request root server service session size socket state status store system table target thread
timeout token type update user value warn
"""
_WORDS = tuple(re.findall("[a-z]+", _TEXT))


def find_mke2fs() -> str:
    """Return the path of mke2fs; raises BadInput when it is not installed."""
    return _find("mke2fs")


def _find(tool: str) -> str:
    found = shutil.which(tool, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if found is None:
        raise BadInput(f"{tool} is not installed, the lab needs it for its file systems", "install e2fsprogs")
    return found


class SystemFiles:
    """The files every guest has alike, as packages are; made once, linked into each guest's tree."""

    def __init__(self, folder: Path, seed: int, size_bytes: int = 10 * MIB) -> None:
        """Generate about ``size_bytes`` of configuration, text and binaries under ``folder``."""
        self._folder = folder
        self._files: list[tuple[Path, int]] = []
        source = random.Random(f"system/{seed}")  # noqa: S311 - content, not secrets
        made = number = 0
        while made < size_bytes:
            kind = ("etc", "usr/share/doc", "usr/bin", "usr/lib")[number % 4]
            if kind in {"usr/bin", "usr/lib"}:
                data = _binary(source, source.choice((64, 128, 256, 512)) * KIB)
            else:
                data = text(source, source.choice((2, 8, 24)) * KIB)
            path = folder / kind / f"{source.choice(_WORDS)}-{number}"
            _write(path, data)
            self._files.append((path, len(data)))
            made += len(data)
            number += 1

    def grow_tree(self, tree: Path, name: str, seed: int, room_bytes: int) -> None:
        """Make a guest's tree: system files up to half of ``room_bytes``, then logs and data of its own."""
        left = room_bytes // 2
        for path, size in self._files:
            if size <= left:
                target = tree / path.relative_to(self._folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, target)
                left -= size
        source = random.Random(f"guest/{seed}/{name}")  # noqa: S311 - content, not secrets
        _write(tree / "etc/hostname", f"guest-{source.randrange(10**6):06d}\n".encode())
        left, number = room_bytes // 4, 0
        while left > 256 * KIB:
            data = log(source, 192 * KIB) if number % 3 else _binary(source, 96 * KIB)
            _write(
                tree / ("var/log" if number % 3 else "srv/data") / f"{source.choice(_WORDS)}.{number}", data
            )
            left, number = left - len(data), number + 1
        for folder in sorted(tree.rglob("*")):
            os.utime(folder, (_TIME, _TIME))


def make_ext4(disk: Path, tree: Path, offset: int, size_bytes: int, seed: str) -> None:
    """Write an ext4 with the files of ``tree`` into ``disk`` at ``offset``; raises StepFailed."""
    names = uuid.UUID(bytes=random.Random(seed).randbytes(16), version=4)  # noqa: S311 - content, not secrets
    blocks = size_bytes // KIB
    options = f"offset={offset},hash_seed={names},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    command = [find_mke2fs(), "-F", "-q", "-t", "ext4", "-U", str(names), "-E", options, "-d", str(tree)]
    _run([*command, str(disk), f"{blocks}k"])
    # mke2fs takes over the change time of each file, which nobody can set: set it in the image.
    paths = ["/", *(f"/{path.relative_to(tree)}" for path in sorted(tree.rglob("*")))]
    fields = "".join(f"sif {path} ctime @{_TIME}\nsif {path} ctime_extra 0\n" for path in paths)
    _run([_find("debugfs"), "-w", "-f", "-", f"{disk}?offset={offset}"], fields)


def _run(command: list[str], said: str = "") -> None:
    """Run a tool of e2fsprogs with a clock that stands still; raises StepFailed."""
    done = subprocess.run(
        command,
        input=said.encode(),
        capture_output=True,
        env={
            "PATH": os.defpath,
            "LC_ALL": "C",
            "E2FSPROGS_FAKE_TIME": str(_TIME),
            "MKE2FS_DEVICE_SECTSIZE": "512",
        },
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        tool = Path(command[0]).name
        raise StepFailed(f"{tool} failed: {words[-1]}", "check the space left, then build the lab again")


def text(source: random.Random, size: int) -> bytes:
    """Return ``size`` bytes of configuration-like text."""
    lines: list[str] = []
    length = 0
    while length < size:
        first, second, value = source.choices(_WORDS, k=3)
        line = f"{first}.{second} = {value} {source.randrange(10**4)}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()[:size]


def log(source: random.Random, size: int) -> bytes:
    """Return ``size`` bytes of log-like text: rising times and addresses over repeated words."""
    lines: list[str] = []
    length, clock = 0, _TIME
    shapes = [" ".join(source.choices(_WORDS, k=6)) for _ in range(24)]
    while length < size:
        clock += source.randrange(9)
        address = f"10.20.{source.randrange(256)}.{source.randrange(256)}"
        line = f"{clock} {address} {source.choice(shapes)} {source.getrandbits(32):08x}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()[:size]


def _binary(source: random.Random, size: int) -> bytes:
    """Return bytes like a program: half incompressible, half tables."""
    part = source.randbytes(size // 2)
    return part + b"".join(part[i : i + 4] + bytes(12) for i in range(0, size // 8, 4))[: size - len(part)]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (_TIME, _TIME))
