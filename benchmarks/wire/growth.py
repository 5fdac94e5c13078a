"""What memory does as disks grow and multiply: a seed of a large sparse disk, and many disks at once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from benchmarks.wire import peers
from benchmarks.wire.ours import How, Target
from benchmarks.wire.sheet import row
from planner.units import GIB, MIB, TIB

_DATA = 256 * MIB


def rows(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Return seeds of the same data spread over 1 GiB up to 2 TiB."""
    found = []
    for size in (GIB, 64 * GIB) if quick else (GIB, 64 * GIB, TIB, 2 * TIB):
        source, target = folder / "sparse.img", folder / "target.img"
        peers.fresh(source, size)
        rng = random.Random(5)
        with source.open("r+b") as file:
            for part in range(_DATA // MIB):
                file.seek(size // (_DATA // MIB) * part // MIB * MIB)
                file.write(rng.randbytes(MIB))
        peers.fresh(target, size)
        receiver = Target(folder, {"disk": target})
        try:
            took = receiver.take(source, "disk", target, How())
        finally:
            receiver.stop()
        name = f"{size // TIB} TiB" if size >= TIB else f"{size // GIB} GiB"
        found.append({"what": f"seed of 256 MiB in a sparse disk of {name}", **row(took)})
        source.unlink()
        target.unlink()
    return found
