"""Seeds named on a command line, brought in before a receiver serves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.daemons.preplaced import Placed


def bring_in(seeds: Sequence[str], volumes: Sequence[tuple[str, Path, str]], store: Path) -> list[Placed]:
    """Bring in the seed of each ``ID=PATH``, with a bar, and say what came of it; raises BadInput."""
    import os

    from migrate.daemons.preplaced import place_seed
    from migrate.replication.service import open_store
    from planner.errors import BadInput
    from planner.names import visible
    from planner.units import show_bytes
    from tui.cli.progress import Bar

    targets = {volume: path for volume, path, _group in volumes}
    wanted: dict[str, Path] = {}
    for text in seeds:
        volume, equals, path = text.partition("=")
        if not (equals and path and volume in targets) or volume in wanted:
            raise BadInput(
                f"{visible(text, 200)} is not ID=PATH of a registered disk, once each",
                "write --register db=/srv/db.img --seed-from db=/media/usb/db.img",
            )
        wanted[volume] = Path(path)
    if not wanted:
        return []
    came = []
    lock = open_store(store)
    try:
        with Bar() as bar:
            for volume, seed in wanted.items():
                bar.begin(f"seed {volume}")
                placed = place_seed(volume, seed, targets[volume], store, bar.report)
                came.append(placed)
                shown = visible(volume, 200)
                if placed.kept:
                    bar.say(f"the seed of {shown} is not brought in: {placed.kept}")
                else:
                    how = "cloned" if placed.cloned else f"{show_bytes(placed.copied_bytes)} copied"
                    bar.say(f"the seed of {shown} is in place, {how}; the first pass compares it")
    finally:
        os.close(lock)
    return came


def told(placed: Placed) -> dict[str, Any]:
    """Return what came of a seed, for programs."""
    return {
        "volume": placed.volume,
        "size_bytes": placed.size_bytes,
        "copied_bytes": placed.copied_bytes,
        "resumed_bytes": placed.resumed_bytes,
        "cloned": placed.cloned,
        "kept": placed.kept or None,
    }
