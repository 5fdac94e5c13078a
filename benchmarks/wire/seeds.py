"""First copies: the image to an empty target, uncompressed and compressed, and its clone after it."""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.wire import peers
from benchmarks.wire.image import Image, version
from benchmarks.wire.ours import How, Target, make_keys
from benchmarks.wire.sheet import Sheet, ratio, row
from benchmarks.wire.timed import Took
from planner.units import MIB

_OURS = {
    "wherry, level 0, Unix socket": (How(level=0), False),
    "wherry, level 0, Unix socket, no dedupe": (How(level=0, dedupe=False), False),
    "wherry, level 0, TLS": (How(level=0), True),
    "wherry, level 1, Unix socket": (How(level=1), False),
    "wherry, adaptive, Unix socket": (How(level=1, adapts=True), False),
    "wherry, level 1, TLS": (How(level=1), True),
}


def rows(original: Image, folder: Path, runs: int) -> list[dict[str, Any]]:
    """Return the rows of the first copies; every copy is compared with its source."""
    sheet = Sheet("seed")
    target = folder / "target.img"
    stream = peers.zstd_bytes(original.path) if not peers.missing("zstd") else 0
    for our_name, (how, tls) in _OURS.items():
        sheet.add(our_name, partial(seed, original.path, target, folder, how, tls))
    for name, (peer, tools) in peers.SEEDS.items():
        copy = partial(checked, partial(peer, original.path, target, folder), original.path, target)
        counted = partial(_streamed, copy, stream) if name.startswith("zstd") else copy
        sheet.add(name, counted, peers.missing(*tools))
    sheet.run(runs)
    median = sheet.median
    sealed, packed = "wherry, level 0, TLS", "wherry, level 1, Unix socket"
    return [
        *sheet.rows(),
        ratio("seed, uncompressed, Unix socket: wall by nbdcopy's", median("wherry, level 0, Unix socket"),
              median("nbdcopy, Unix socket"), "at most 1.2"),
        ratio("seed, uncompressed, TLS: wall by nbdcopy's", median(sealed), median("nbdcopy, TLS"),
              "at most 0.5"),
        ratio("seed, compressed: wall of zstd -1 -T2 by ours", median("zstd -1 -T2, socket"), median(packed),
              "at least 1.25"),
        ratio("seed, compressed: wall of rsync with zstd by ours", median("rsync daemon, zstd 1"),
              median(packed), "at least 1.7"),
        ratio("seed, compressed: bytes by those of zstd -1 -T2", median(packed, "wire_bytes"), stream,
              "at most 1.01"),
    ]  # fmt: skip


def clone_rows(original: Image, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a clone sent after its original, and of borg's second archive of the same."""
    clone, _map = version(original, folder / "clone.img", 0.10, seed=7, longest=4 * MIB)
    first, second = folder / "first.img", folder / "second.img"
    peers.fresh(first, original.path.stat().st_size)
    peers.fresh(second, clone.path.stat().st_size)
    receiver = Target(folder, {"first": first, "second": second})
    try:
        before = receiver.take(original.path, "first", first, How())
        after = receiver.take(clone.path, "second", second, How())
    finally:
        receiver.stop()
    _must_equal(clone.path, second)
    found = [
        {"what": "clone after its original: the original", **row(before)},
        {"what": "clone after its original: the clone, 10 % different", **row(after)},
        ratio("clone: bytes by those of the original", after.wire_bytes, before.wire_bytes, "at most 0.15"),
    ]
    if not peers.missing("borg"):
        repository = folder / "borg"
        peers.borg_repository(repository)
        one = peers.borg(repository, original.path, "one")
        size = _size(repository)
        two = peers.borg(repository, clone.path, "two")
        grown = _size(repository) - size
        found += [
            {"what": "borg create, the original (its own store)", **row(replace(one, wire_bytes=size))},
            {"what": "borg create, the clone", **row(replace(two, wire_bytes=grown))},
            ratio("borg: bytes of the clone by those of the original", grown, size, "no aim"),
        ]
    for path in (clone.path, first, second):
        path.unlink()
    return found


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def seed(source: Path, target: Path, folder: Path, how: How, tls: bool) -> Took:
    """Send a first copy by wherry and return what it took."""
    peers.fresh(target, source.stat().st_size)
    receiver = Target(folder, {"disk": target}, make_keys(folder) if tls else None)
    try:
        return checked(lambda: receiver.take(source, "disk", target, how), source, target)
    finally:
        receiver.stop()


def _streamed(way: Callable[[], Took], stream: int) -> Took:
    return replace(way(), wire_bytes=stream)


def checked(way: Callable[[], Took], source: Path, target: Path) -> Took:
    """Go a way and return what it took; raises AssertionError when the copy is wrong."""
    took = way()
    _must_equal(source, target)
    return took


def _must_equal(source: Path, target: Path) -> None:
    if not filecmp.cmp(source, target, shallow=False):
        raise AssertionError("a copy differs from its source")
