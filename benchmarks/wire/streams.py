"""One disk over one to sixteen connections of a thin line that loses packets, with BBR and without.

``python -m benchmarks.wire.streams [MIB [CONTROL [STREAMS]]]`` prints the share of the line that each
carried, once each, with the start of the sender; it needs root. Random data neither packs nor dedupes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.wire import peers
from benchmarks.wire.ours import How, Target, make_keys
from benchmarks.wire.wan import FAR, Line, impossible, stretched
from planner.units import MIB

_CONTROLS = ("bbr", "reno")
_STREAMS = ("1", "4", "8", "16")
_LOSSES = (0.001, 0.01)


def shares(folder: Path, size_mib: int, controls: Sequence[str], many: Sequence[str]) -> Iterator[str]:
    """Yield a line of words for each kind of line and way to send."""
    source, target = folder / "source.img", folder / "target.img"
    source.write_bytes(os.urandom(size_mib * MIB))
    for loss in _LOSSES:
        for congestion in controls:
            for streams in many:
                line = Line(loss=loss)
                wall_s = _wall_s(line, source, target, folder, How("seed", 0, False, streams=int(streams),
                                                                   congestion=congestion))  # fmt: skip
                share = size_mib * MIB * 8 / 1e6 / line.mbit / wall_s
                yield f"{loss:.1%} lost, {congestion}, {streams} streams: {share:.0%} ({wall_s:.1f} s)"


def _wall_s(line: Line, source: Path, target: Path, folder: Path, how: How) -> float:
    with stretched(line) as (near, far):
        peers.fresh(target, source.stat().st_size)
        receiver = Target(folder, {"disk": target}, make_keys(folder), FAR, near, far)
        try:
            took = receiver.take(source, "disk", target, how)
        finally:
            receiver.stop()
    if target.read_bytes() != source.read_bytes():
        raise RuntimeError("the copy differs")
    return took.wall_s


if __name__ == "__main__":
    if why := impossible():
        raise SystemExit(f"not run: {why}")
    size, control, many = [*sys.argv[1:], *("32", "", "")[len(sys.argv) - 1 :]]
    with TemporaryDirectory(prefix="wherry-streams-") as made:
        controls, streams = [control] if control else _CONTROLS, [many] if many else _STREAMS
        for said in shares(Path(made), int(size), controls, streams):
            print(said, flush=True)
