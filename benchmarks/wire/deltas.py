"""Second copies: a version with some of its data changed, to a target that holds the original.

Ours go there and back again, so that each pass stands on the one before; rsync gets a new copy of the
original each time, which is not timed. Sources and targets of all are in memory when the time begins, as a
copy that was just made is.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.wire import growth, peers
from benchmarks.wire.figures import measured
from benchmarks.wire.image import Image, version
from benchmarks.wire.ours import How, Target
from benchmarks.wire.seeds import checked
from benchmarks.wire.sheet import Sheet, ratio, row
from benchmarks.wire.timed import Took
from planner.units import MIB

_SHARES = (0.001, 0.01, 0.02, 0.05, 0.10)
Runs = Sequence[tuple[int, int]]


def run(quick: bool) -> dict[str, Any]:
    """Return the figures of deltas, and of what memory does as disks grow and multiply."""

    def all_rows(image: Image, folder: Path, runs: int) -> list[dict[str, Any]]:
        # A child's peak begins with ours, and what is measured in this process makes it grow.
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            grown = apart.submit(growth.rows, folder, quick).result()
        return [*rows(image, folder, runs), *grown]

    return measured("wire.deltas", quick, 5, all_rows)


class There:
    """A target that holds the original before and after each pass that is timed."""

    def __init__(self, original: Path, folder: Path) -> None:
        self._original = original
        self.target = folder / "target.img"
        peers.fresh(self.target, original.stat().st_size)
        self._receiver = Target(folder, {"disk": self.target})
        self._numbers = count(1)
        self._last = ""
        self._pass(original, How(level=0))

    def _pass(self, source: Path, how: How) -> Took:
        name = str(next(self._numbers))
        took = self._receiver.take(source, "disk", self.target, how, name)
        self._last = name
        return took

    def delta(self, newer: Path, changed: Runs) -> Took:
        """Send ``newer`` by its change map."""
        return self._there_and_back(newer, "delta", changed)

    def compared(self, newer: Path, changed: Runs) -> Took:
        """Send ``newer`` by comparing digests, the level as it adapts; the map is for the way back only."""
        return self._there_and_back(newer, "compare", changed)

    def _there_and_back(self, newer: Path, mode: str, changed: Runs) -> Took:
        how = How(mode, changed=changed, base=self._last if mode == "delta" else "", adapts=mode == "compare")
        read(newer)
        read(self.target)
        took = checked(lambda: self._pass(newer, how), newer, self.target)
        self._pass(self._original, How("delta", level=0, changed=changed, base=self._last))
        return took

    def by_rsync(self, newer: Path, folder: Path) -> Took:
        """Bring a fresh copy of the original up to date by rsync."""
        return _rsync(self._original, newer, folder)

    def stop(self) -> None:
        """End the receiver."""
        self._receiver.stop()


def rows(original: Image, folder: Path, runs: int) -> list[dict[str, Any]]:
    """Return the rows of deltas: 2 % changed beside the peers, then time over what changed."""
    newer, changed = version(original, folder / "newer.img", 0.02, seed=3)
    there = There(original.path, folder)
    sheet = Sheet("delta, 2 % changed")
    mapped, compared, theirs = "wherry, change map", "wherry, digest comparison", "rsync daemon, in place"
    try:
        sheet.add(mapped, partial(there.delta, newer.path, changed))
        sheet.add(compared, partial(there.compared, newer.path, changed))
        sheet.add(theirs, partial(there.by_rsync, newer.path, folder), peers.missing("rsync"))
        sheet.run(runs)
        grown = [_grown(original, there, folder, share) for share in _SHARES]
    finally:
        there.stop()
    median = sheet.median
    found = [
        *sheet.rows(),
        ratio("delta with a map: wall of rsync by ours", median(theirs), median(mapped), "at least 15"),
        ratio("delta by comparison: wall of rsync by ours", median(theirs), median(compared), "at least 8"),
        ratio("delta with a map: bytes by zstd -1 of the changed 4 KiB blocks",
              median(mapped, "wire_bytes"), _packed(newer.path, changed), "at most 1.1"),
        *grown,
    ]  # fmt: skip
    newer.path.unlink()
    return found


def _rsync(original: Path, newer: Path, folder: Path) -> Took:
    target = folder / "rsync.img"
    peers.copied(original, target)
    read(newer)
    read(target)
    took = checked(lambda: peers.rsync_delta(newer, target, folder), newer, target)
    target.unlink()
    return took


def read(path: Path) -> None:
    """Bring a file into the page cache, as far as it is not there."""
    buffer = bytearray(MIB)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _grown(original: Image, there: There, folder: Path, share: float) -> dict[str, Any]:
    newer, changed = version(original, folder / "grown.img", share, seed=11)
    found = {"what": f"delta with a map: {share:.1%} changed", **row(there.delta(newer.path, changed))}
    newer.path.unlink()
    return found


def _packed(newer: Path, changed: Runs) -> int:
    """Return the size of the changed blocks, put together and packed by ``zstd -1``; 0 without zstd."""
    if peers.missing("zstd"):
        return 0
    with newer.open("rb") as file:
        parts = []
        for offset, length in changed:
            file.seek(offset)
            parts.append(file.read(length))
    packed = subprocess.run(
        ["zstd", "-1", "-q", "-c"], input=b"".join(parts), capture_output=True, check=True
    )
    return len(packed.stdout)
