"""The wire: seeds and deltas of one disk image, beside the tools people use, in the same run.

All bring the same image to another process on this machine and end when its bytes are durable. Processor
time is that of all processes together; memory is the peak of each side.
"""

from __future__ import annotations

from typing import Any


def run(quick: bool) -> dict[str, Any]:
    """Return the figures of seeds: 8 GiB and medians of five."""
    # Not above: the ends of a transfer are modules of this package, timed with their start.
    from benchmarks.wire import seeds
    from benchmarks.wire.figures import measured

    return measured(
        "wire",
        quick,
        5,
        lambda image, folder, runs: [
            *seeds.rows(image, folder, runs),
            *seeds.clone_rows(image, folder),
        ],
    )
