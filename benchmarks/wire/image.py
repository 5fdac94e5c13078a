"""The disk of the wire's figures: a file system of Debian packages and database-like pages, and its versions.

8 GiB, sparse, about 3 GiB of data. Packages are those the archive has today, so the hash of the disk
stands beside every figure; what is drawn is drawn by seed.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from planner.units import GIB, KIB, MIB

SIZE = 8 * GIB
PACKAGES = (
    "chromium", "emacs-common", "firefox-esr", "fonts-noto-cjk", "gcc-mingw-w64-x86-64-win32",
    "golang-1.19-src", "libboost1.74-dev", "libllvm14", "libreoffice-core", "libstd-rust-dev",
    "linux-source-6.1", "llvm-14-dev", "mono-devel", "openjdk-17-jre-headless", "postgresql-15", "rust-src",
)  # fmt: skip
_QUICK = ("emacs-common", "postgresql-15")
_PAGES = 640 * MIB
_PAGE = 8 * KIB
_MAP_GRAIN = 4 * KIB
_OTHER_LETTERS = bytes(byte ^ 0x55 for byte in range(256))


@dataclass(frozen=True, slots=True)
class Image:
    """A disk image: where it is, its allocated bytes and the blake3 of its content."""

    path: Path
    data_bytes: int
    digest: str


def make_image(folder: Path, quick: bool) -> Image:
    """Return the image, made in ``folder`` when it is not there yet; needs apt-get, dpkg-deb, mke2fs.

    Raises CalledProcessError when a package cannot be had.
    """
    path = folder / ("quick.img" if quick else "original.img")
    if not path.exists():
        size, packages, pages = (GIB, _QUICK, 64 * MIB) if quick else (SIZE, PACKAGES, _PAGES)
        debs, tree, half = folder / "debs", folder / "tree", path.with_suffix(".part")
        debs.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        for package in packages:
            if not any(debs.glob(f"{package}_*.deb")):
                _run("apt-get", "download", "-q", package, cwd=debs)
            _run("dpkg-deb", "-x", str(next(debs.glob(f"{package}_*.deb"))), str(tree))
        with (tree / "pages.db").open("wb") as file:
            for part in _database(random.Random(1), pages):
                file.write(part)
        half.unlink(missing_ok=True)
        with half.open("wb") as file:
            file.truncate(size)
        _run("mke2fs", "-q", "-F", "-t", "ext4", "-U", "6f1f27ad-9c0a-4c0e-8a51-111111111111",
             "-E", "hash_seed=6f1f27ad-9c0a-4c0e-8a51-222222222222,lazy_itable_init=0,nodiscard",
             "-d", str(tree), str(half))  # fmt: skip
        shutil.rmtree(tree)
        _run("fallocate", "--dig-holes", str(half))
        half.rename(path)
    return described(path)


def described(path: Path) -> Image:
    """Return an image with its data counted and hashed; reading it warms the page cache as well."""
    state = blake3(max_threads=2)
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(4 * MIB):
            state.update(chunk)
    return Image(path, path.stat().st_blocks * 512, str(state.hexdigest()))


def version(
    original: Image, path: Path, share: float, seed: int, longest: int = 64 * KIB
) -> tuple[Image, list[tuple[int, int]]]:
    """Write ``original`` to ``path`` with that share of its data changed; also return the change map.

    Changes have 4 KiB up to ``longest`` bytes, at multiples of 4 KiB in allocated stretches. What is new
    is content from elsewhere on the disk with other letters, so that it packs as well as the rest and
    is nowhere else. The map has (offset, length) runs, ascending, at 4 KiB.
    """
    _run("cp", "--sparse=always", str(original.path), str(path))
    rng = random.Random(seed)
    changed: set[int] = set()
    wanted = int(original.data_bytes * share) // _MAP_GRAIN
    with original.path.open("rb") as old, path.open("r+b") as file:
        runs = list(_allocated(file.fileno(), path.stat().st_size))
        weights = [length for _at, length in runs]
        while len(changed) < wanted:
            start, length = rng.choices(runs, weights)[0]
            grains = min(rng.randint(1, longest // _MAP_GRAIN), length // _MAP_GRAIN, wanted - len(changed))
            first = start // _MAP_GRAIN + rng.randrange(length // _MAP_GRAIN - grains + 1)
            elsewhere, room = rng.choices(runs, weights)[0]
            old.seek(elsewhere + rng.randrange(room))
            new = old.read(grains * _MAP_GRAIN).translate(_OTHER_LETTERS)
            file.seek(first * _MAP_GRAIN)
            file.write(new)
            changed.update(range(first, first + len(new) // _MAP_GRAIN))
        file.flush()
        os.fsync(file.fileno())
    return described(path), list(_runs(sorted(changed)))


def _runs(grains: list[int]) -> Iterator[tuple[int, int]]:
    start = end = grains[0]
    for grain in grains[1:]:
        if grain != end + 1:
            yield start * _MAP_GRAIN, (end + 1 - start) * _MAP_GRAIN
            start = grain
        end = grain
    yield start * _MAP_GRAIN, (end + 1 - start) * _MAP_GRAIN


def _allocated(fd: int, size: int) -> Iterator[tuple[int, int]]:
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(fd, start, os.SEEK_HOLE)
        if at - start >= 64 * KIB:
            yield start, at - start


def _database(rng: random.Random, size: int) -> Iterator[bytes]:
    """Yield pages as row stores have them: a header, rows of numbers, names and text, free space."""
    names = [rng.randbytes(4).hex().encode() for _ in range(20_000)]
    row = 0
    for _ in range(size // _PAGE):
        parts = [rng.randbytes(24)]
        while sum(map(len, parts)) < _PAGE - 900:
            row += 1
            parts.append(row.to_bytes(8, "big") + rng.randbytes(12) + b" ".join(rng.choices(names, k=6)))
        yield b"".join(parts).ljust(_PAGE, b"\0")[:_PAGE]


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=cwd)
