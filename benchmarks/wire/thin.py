"""Seeds over a thin line, 100 Mbit/s and 50 ms, clean and lossy, beside zstd through a socket and rsync."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.wire import peers
from benchmarks.wire.figures import measured
from benchmarks.wire.image import Image
from benchmarks.wire.ours import How, Target, make_keys
from benchmarks.wire.seeds import checked
from benchmarks.wire.sheet import Sheet, ratio
from benchmarks.wire.timed import Took, timed
from benchmarks.wire.wan import FAR, Line, congestion_control, impossible, stretched
from planner.units import MIB

_OURS, _ZSTD, _RSYNC = "wherry, TLS, adaptive", "zstd -3 -T2, socket", "rsync daemon, zstd 3"
# A socket becomes the standard stream of zstd; what listens writes a file first, so that the other waits.
_SEND = "import os, socket, sys; s = socket.create_connection((sys.argv[1], 7700)); os.dup2(s.fileno(), 1); \
os.execvp('zstd', ['zstd', '-3', '-T2', '-q', '-c', sys.argv[2]])"
_TAKE = (
    "import os, socket, sys; l = socket.create_server((sys.argv[1], 7700)); open(sys.argv[3], 'w').close(); \
s, _ = l.accept(); os.dup2(s.fileno(), 0); \
os.execvp('zstd', ['zstd', '-d', '-q', '-f', '--sparse', '-o', sys.argv[2]])"
)


def run(quick: bool) -> dict[str, Any]:
    """Return the figures of thin lines; medians of three."""
    return measured("wire.thin", quick, 3, lambda image, folder, runs: rows(image, folder, runs, quick))


def rows(image: Image, folder: Path, runs: int, quick: bool) -> list[dict[str, Any]]:
    """Return the rows: the image over a clean line, 64 MiB of its packages over lossy ones."""
    if why := impossible():
        return [{"what": "seeds over a thin line", "value": None, "unit": f"not run: {why}"}]
    usual, packed = image.path, folder / "packed.img"
    if quick:
        usual = folder / "usual.img"
        _piece(image.path, usual, 64 * MIB)
    _piece(max(image.path.parent.glob("debs/*.deb"), key=lambda deb: deb.stat().st_size), packed,
           (8 if quick else 64) * MIB)  # fmt: skip
    found = [
        *_rows(Line(), usual, folder, runs, 0.95),
        *_rows(Line(loss=0.001), packed, folder, runs, 0.8),
        *_rows(Line(loss=0.01), packed, folder, runs, 0.6),
    ]
    packed.unlink()
    return found


def _piece(source: Path, piece: Path, length: int) -> None:
    with source.open("rb") as whole, piece.open("wb") as file:
        whole.seek(min(length, source.stat().st_size - length))
        for _ in range(length // MIB):
            file.write(whole.read(MIB))


def _rows(line: Line, source: Path, folder: Path, runs: int, use: float) -> list[dict[str, Any]]:
    name = f"100 Mbit/s, 50 ms, {line.loss:.1%} lost" if line.loss else "100 Mbit/s, 50 ms, clean"
    sheet = Sheet(f"seed over {name}")
    target = folder / "target.img"

    def over(way: Callable[[list[str], list[str]], Took]) -> Took:
        with stretched(line) as (near, far):
            return checked(lambda: way(near, far), source, target)

    sheet.add(_OURS, partial(over, partial(seeded, source, target, folder)))
    if not line.loss:  # it would take as long as rsync, for a figure nobody asked for
        sheet.add(_ZSTD, partial(over, partial(_zstd, source, target, folder)), peers.missing("zstd"))
    sheet.add(_RSYNC, partial(over, partial(_rsync, source, target, folder)), peers.missing("rsync"))
    sheet.run(runs)
    ours, sent = sheet.median(_OURS), sheet.median(_OURS, "wire_bytes")
    share = sent * 8 / 1e6 / line.mbit if sent else None
    found = [
        *sheet.rows(),
        ratio(f"{name}: use of the line by wherry", share, ours, f"at least {use}"),
    ]
    if line.loss:
        what = f"{name}: wall of rsync with zstd (default {congestion_control()}) by ours"
        return [*found, ratio(what, sheet.median(_RSYNC), ours, "at least 5")]
    return [*found, ratio(f"{name}: wall of zstd -3 -T2 by ours", sheet.median(_ZSTD), ours, "at least 1")]


def seeded(source: Path, target: Path, folder: Path, near: list[str], far: list[str]) -> Took:
    """Seed a fresh target over the stretched line between two namespaces."""
    peers.fresh(target, source.stat().st_size)
    receiver = Target(folder, {"disk": target}, make_keys(folder), FAR, near, far)
    try:
        return receiver.take(source, "disk", target, How(level=3, adapts=True))
    finally:
        receiver.stop()


def _zstd(source: Path, target: Path, folder: Path, near: list[str], far: list[str]) -> Took:
    peers.fresh(target, 0)
    listens = folder / "listens"
    listens.unlink(missing_ok=True)
    taking = subprocess.Popen([*far, sys.executable, "-c", _TAKE, FAR, str(target), str(listens)])
    while not listens.exists():
        time.sleep(0.01)
    send = [*near, sys.executable, "-c", _SEND, FAR, str(source)]
    took = timed(lambda: [subprocess.Popen(send), taking], target)
    return replace(took, wire_bytes=peers.zstd_bytes(source, 3))


def _rsync(source: Path, target: Path, folder: Path, near: list[str], far: list[str]) -> Took:
    peers.fresh(target, 0)
    how = ("--whole-file", "--sparse", "--ignore-times", "-z", "--compress-choice=zstd", "--compress-level=3")
    took = peers.rsync(source, target, folder, *how, host=FAR, near=near, far=far)
    return replace(took, wire_bytes=0)  # a namespace has a loopback of its own
