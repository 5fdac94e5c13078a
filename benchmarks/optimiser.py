"""A WAN optimiser in the path: what a box that dedupes and compresses saves on top of what wherry sends.

The box is simulated: chunks by content, 4 KiB on average, remembered for ever; a chunk it has seen is a
reference of 20 bytes, the others are packed by zstd. Real ones forget, and do not see into TLS either.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3

from benchmarks.host import facts
from benchmarks.wire import peers
from benchmarks.wire.image import make_image, version
from benchmarks.wire.ours import How, Target, make_keys
from benchmarks.wire.relay import recorded
from planner.units import KIB, MIB

_PIECE = 4 * MIB
_MASK = 4 * KIB - 1
_LEAST, _MOST = KIB, 32 * KIB
_REFERENCE = 20
_TOGETHER = 256 * KIB


class Box:
    """One optimiser; ``passes`` returns what leaves it for a stream that enters."""

    def __init__(self) -> None:
        import numpy

        self._seen: set[bytes] = set()
        rng = random.Random(9)
        self._gear = numpy.array([rng.getrandbits(32) for _ in range(256)], numpy.uint32)

    def passes(self, stream: Path) -> int:
        """Return the bytes that leave the box."""
        import zstandard

        packer = zstandard.ZstdCompressor(level=3)
        left = 0
        fresh: list[bytes] = []
        held = 0
        for chunk in self._chunks(stream):
            digest = blake3(chunk).digest(16)
            if digest in self._seen:
                left += _REFERENCE
                continue
            self._seen.add(digest)
            fresh.append(chunk)
            held += len(chunk)
            if held >= _TOGETHER:
                left += min(len(packer.compress(b"".join(fresh))), held)
                fresh, held = [], 0
        return left + (min(len(packer.compress(b"".join(fresh))), held) if held else 0)

    def _chunks(self, stream: Path) -> Iterator[bytes]:
        rest = b""
        with stream.open("rb") as file:
            while data := file.read(_PIECE):
                rest += data
                start = 0
                for cut in self._cuts(rest):
                    if cut - start >= _LEAST:
                        yield from _bounded(rest[start:cut])
                        start = cut
                rest = rest[start:]
        yield from _bounded(rest)

    def _cuts(self, data: bytes) -> list[int]:
        """Return where content says to cut: a rolling hash of 32 bytes ends in zeros."""
        import numpy

        rolled = self._gear[numpy.frombuffer(data, numpy.uint8)]
        for step in (1, 2, 4, 8, 16):
            rolled[step:] = rolled[step:] + (rolled[:-step] << step)
        found: list[int] = (numpy.flatnonzero((rolled >> 16 & _MASK) == 0) + 1).tolist()
        return found


def _bounded(chunk: bytes) -> Iterator[bytes]:
    for at in range(0, len(chunk), _MOST):
        yield chunk[at : at + _MOST]


def run(quick: bool) -> dict[str, Any]:
    """Return bytes into and out of the box for a disk and its clone, sent in several ways."""
    kept = Path(os.environ.get("WHERRY_BENCH_DIR", tempfile.gettempdir())) / "wherry-wire"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    if lacking := peers.missing("apt-get", "dpkg-deb", "mke2fs", "fallocate"):
        row = {"what": "everything", "value": None, "unit": f"not run: {lacking} is not installed"}
        return {"name": "optimiser", "rows": [row], "host": facts()}
    original = make_image(kept, True)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=kept, prefix="run-") as name:
        folder = Path(name)
        clone, _map = version(original, folder / "clone.img", 0.10, seed=7, longest=4 * MIB)
        for what, how, tls in (
            ("raw, in the clear", How(level=0, dedupe=False), False),
            ("zstd 1, in the clear", How(level=1, dedupe=False), False),
            ("zstd 1 and dedupe, in the clear", How(level=1), False),
            ("zstd 1 and dedupe, TLS", How(level=1), True),
        ):
            rows += _through(what, how, tls, (("a disk", original.path), ("its clone", clone.path)), folder)
    return {
        "name": "optimiser",
        "data_bytes": original.data_bytes,
        "blake3": original.digest,
        "columns": {"sent_mb": "MB sent by wherry", "left_mb": "MB on the line"},
        "rows": rows,
        "host": facts(),
    }


def _through(
    what: str, how: How, tls: bool, disks: tuple[tuple[str, Path], ...], folder: Path
) -> Iterator[dict[str, Any]]:
    targets = {name: folder / f"{number}.img" for number, (name, _path) in enumerate(disks)}
    for name, path in disks:
        peers.fresh(targets[name], path.stat().st_size)
    receiver = Target(folder, targets, make_keys(folder) if tls else None)
    box = Box()
    try:
        for name, path in disks:
            record = folder / "stream"
            with recorded(receiver.address, record, folder) as relay:
                receiver.take(path, name, targets[name], how, through=relay)
            sent, left = record.stat().st_size, box.passes(record)
            yield {
                "what": f"{name}, {what}",
                "value": round(left / sent, 3),
                "unit": "of what was sent leaves the box",
                "sent_mb": round(sent / 1e6, 1),
                "left_mb": round(left / 1e6, 1),
            }
            record.unlink()
    finally:
        receiver.stop()
