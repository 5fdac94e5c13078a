"""Floors: what the parts of a copy cost here with nothing else done, beside wherry and its peers.

``python -m benchmarks wire.floors``. They are floors of wherry's own libraries on this machine. Ways take
turns; medians of three, the whole image over the thin line once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.wire import peers, thin
from benchmarks.wire.deltas import There, read
from benchmarks.wire.figures import TOOLS, measured
from benchmarks.wire.image import Image, version
from benchmarks.wire.ours import How
from benchmarks.wire.seeds import checked, seed
from benchmarks.wire.sheet import Sheet, ratio
from benchmarks.wire.timed import Server, Took, timed
from benchmarks.wire.wan import FAR, Line, impossible, stretched
from planner.units import MIB

_ROOT = Path(__file__).resolve().parents[2]
_STREAM_MIB = 64
_PACKET, _HEADERS = 1500, 20 + 20 + 12  # of a TUN device: no Ethernet; IP, TCP, its time stamps
_RECORD, _AROUND = 16384, 5 + 1 + 16  # of TLS 1.3: head, type of content, tag
CEILING = (_PACKET - _HEADERS) / _PACKET * _RECORD / (_RECORD + _AROUND)


def run(quick: bool) -> dict[str, Any]:
    """Return the figures, of the image of the wire; of the small one and a single run when ``quick``."""
    return measured(
        "wire.floors",
        quick,
        3,
        lambda image, folder, runs: [
            *_seeds(image, folder, runs),
            *_comparisons(image, folder, runs),
            *_line(image, folder, runs, quick),
        ],
        tools=(*TOOLS, "nbdcopy", "nbdkit", "rsync", "openssl"),
        columns={"cpu_s": "CPU s", "wire_mb": "MB on the wire"},
    )


def _seeds(original: Image, folder: Path, runs: int) -> list[dict[str, Any]]:
    source, target = original.path, folder / "target.img"
    sheet = Sheet("seed")
    alone = partial(_alone, source, target)
    bare = partial(_carried, source, target, folder)
    sheet.add("floor: the source read", partial(alone, ("read",)))
    sheet.add("floor: the target written, one flush", partial(alone, ("write",)))
    sheet.add("floor, Unix socket: read, carried, written", bare)
    sheet.add("floor, TLS: carried from memory to memory",
              partial(bare, tls=True, memory_mib=original.data_bytes // MIB))  # fmt: skip
    sealed, packed = (
        "floor, TLS: read, sealed, opened, written",
        "floor, zstd 1: read, packed, unpacked, written",
    )
    sheet.add(sealed, partial(bare, tls=True))
    sheet.add(packed, partial(bare, level=1))
    our_sealed, our_packed = "wherry, level 0, TLS", "wherry, level 1, Unix socket"
    sheet.add(our_sealed, partial(seed, source, target, folder, How(level=0), True))
    sheet.add(our_packed, partial(seed, source, target, folder, How(level=1), False))
    their_sealed, their_packed = "nbdcopy, TLS", "rsync daemon, zstd 1"
    for name, peer in (
        ("nbdcopy, Unix socket", peers.nbdcopy_unix),
        (their_sealed, peers.nbdcopy_tls),
        (their_packed, peers.rsync_zstd),
    ):
        copy = partial(checked, partial(peer, source, target, folder), source, target)
        sheet.add(name, copy)
    sheet.run(runs)
    target.unlink()
    median = sheet.median
    aim = "at most 0.5, for wherry"
    return [
        *sheet.rows(),
        ratio("seed, TLS: wall of wherry by nbdcopy's", median(our_sealed), median(their_sealed), aim),
        ratio("seed, TLS: wall of the floor by nbdcopy's", median(sealed), median(their_sealed), aim),
        ratio("seed, TLS: half the processor time of the floor by nbdcopy's wall",
              _half(median(sealed, "cpu_s")), median(their_sealed), aim),
        ratio("seed, TLS: half of nbdcopy's own processor time by its wall",
              _half(median(their_sealed, "cpu_s")), median(their_sealed), aim),
        ratio("seed, zstd 1: wall of rsync by wherry's", median(their_packed), median(our_packed),
              "at least 1.7, for wherry"),
        ratio("seed, zstd 1: wall of rsync by the floor's", median(their_packed), median(packed),
              "at least 1.7, for wherry"),
        ratio("seed, zstd 1: wall of rsync by half the processor time of the floor",
              median(their_packed), _half(median(packed, "cpu_s")), "at least 1.7, for wherry"),
    ]  # fmt: skip


def _comparisons(original: Image, folder: Path, runs: int) -> list[dict[str, Any]]:
    newer, changed = version(original, folder / "newer.img", 0.02, seed=3)
    there = There(original.path, folder)
    sheet = Sheet("comparison, 2 % changed")
    floor, ours, theirs = "floor: both disks read and summed", "wherry", "rsync daemon, in place"
    try:
        sheet.add(floor, partial(_summed, newer.path, there.target))
        sheet.add(ours, partial(there.compared, newer.path, changed))
        sheet.add(theirs, partial(there.by_rsync, newer.path, folder))
        sheet.run(runs)
    finally:
        there.stop()
    newer.path.unlink()
    there.target.unlink()
    aim, median = "at least 8, for wherry", sheet.median
    return [
        *sheet.rows(),
        ratio("comparison: wall of rsync by wherry's", median(theirs), median(ours), aim),
        ratio("comparison: wall of rsync by the floor's", median(theirs), median(floor), aim),
        ratio("comparison: wall of rsync by half the processor time of wherry", median(theirs),
              _half(median(ours, "cpu_s")), aim),
    ]  # fmt: skip


def _line(original: Image, folder: Path, runs: int, quick: bool) -> list[dict[str, Any]]:
    """Return what a clean line of 100 Mbit/s and 50 ms can carry, and what each seed pays once."""
    if why := impossible():
        return [{"what": "the thin line", "value": None, "unit": f"not run: {why}"}]
    line, target = Line(), folder / "target.img"
    small = folder / "small.img"
    small.write_bytes(os.urandom(MIB))
    streamed, once, whole = f"{_STREAM_MIB} MiB from memory, TLS", "wherry, a disk of 1 MiB", "wherry"
    sheet = Sheet("100 Mbit/s, 50 ms, clean")

    def bare() -> Took:
        with stretched(line) as (near, far):
            return _carried(small, target, folder, tls=True, memory_mib=_STREAM_MIB, near=near, far=far)

    def ours(source: Path) -> Took:
        with stretched(line) as (near, far):
            return thin.seeded(source, target, folder, near, far)

    sheet.add(streamed, bare)
    sheet.add(once, partial(ours, small))
    sheet.run(runs)
    long = Sheet("100 Mbit/s, 50 ms, clean, the whole image once")  # a minute and a half
    if not quick:
        long.add(whole, partial(ours, original.path))
        long.run(1)
    rate = line.mbit * 125_000
    median = sheet.median
    small_s, whole_s, sent = median(once), long.median(whole), long.median(whole, "wire_bytes") or 0
    paid_s = (small_s or 0) - MIB / (rate * CEILING)
    best_s = sent / (rate * CEILING)
    return [
        *sheet.rows(),
        *long.rows(),
        {"what": "thin line: payload in packets of 1,500 bytes, with time stamps and records of TLS",
         "value": round(CEILING, 3), "unit": "of the line"},
        ratio("thin line: use by a stream of TLS from memory, start included", _STREAM_MIB * MIB / rate,
              median(streamed), "at least 0.95, for wherry"),
        {"what": "thin line: what a seed pays once: start, handshakes, slow start, the last flush",
         "value": round(paid_s, 2), "unit": "s"},
        ratio("thin line: use by wherry", sent / rate, whole_s, "at least 0.95"),
        ratio("thin line: most that as many bytes can have after what is paid once", sent / rate,
              best_s + paid_s if sent else None, "at least 0.95, for wherry"),
    ]  # fmt: skip


def _half(seconds: float | None) -> float | None:
    """Return how long two processors take that are never idle; None stays None."""
    return None if seconds is None else seconds / 2


def _summed(newer: Path, target: Path) -> Took:
    read(newer)  # as wherry is given them
    read(target)
    return _alone(newer, target, ("sum", "sum"), target)


def _alone(source: Path, target: Path, whats: Sequence[str], other: Path | None = None) -> Took:
    """Run parts beside each other, the second one of ``other``."""
    sources = [source, other or source]
    if other is None:
        peers.fresh(target, source.stat().st_size)
    said = [{"source": str(path), "target": str(target)} for path in sources]
    return timed(lambda: [_child(what, told) for what, told in zip(whats, said, strict=False)], target)


def _carried(
    source: Path,
    target: Path,
    folder: Path,
    *,
    tls: bool = False,
    level: int = 0,
    memory_mib: int = 0,
    near: Sequence[str] = (),
    far: Sequence[str] = (),
) -> Took:
    """Copy by the least there is; ``memory_mib`` carries as many random bytes and leaves both disks alone."""
    peers.fresh(target, source.stat().st_size)
    at = folder / "floor.at"
    for left in (at, at.with_suffix(".sock")):
        left.unlink(missing_ok=True)
    host = FAR if far else "127.0.0.1"
    said = {
        "source": str(source), "target": str(target), "folder": str(folder), "host": host, "level": level,
        "memory_mib": memory_mib, "keys": str(peers.certificates(folder)) if tls else "",
    }  # fmt: skip
    process = _child("take", said, far)
    while not at.exists():
        if process.poll() is not None:
            raise RuntimeError("the end of a floor did not start")
        time.sleep(0.01)
    told = said | {"at": at.read_text("utf-8")}

    def copy() -> Took:
        return timed(lambda: [_child("send", told, near)], target, [server])

    server = Server(process)
    try:
        return copy() if memory_mib else checked(copy, source, target)
    finally:
        server.stop()


def _child(what: str, said: dict[str, Any], prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    command = [*prefix, sys.executable, "-m", "benchmarks.wire.floor_ends", what, json.dumps(said)]
    return subprocess.Popen(command, cwd=_ROOT)
