"""The wire: seeds and deltas of one disk image, beside the tools people use, in the same run.

All bring the same image to another process on this machine and end when its bytes are durable. Processor
time is that of all processes together; memory is the peak of each side.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.host import facts


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: a small image and one run when ``quick``, else 8 GiB and medians of five.

    ``WHERRY_BENCH_DIR`` says where; it takes up to 30 GiB, and the image is kept there.
    """
    # Not above: the ends of a transfer are modules of this package, timed with their start.
    from benchmarks.wire import deltas, growth, peers, seeds, thin
    from benchmarks.wire.image import PACKAGES, make_image

    kept = Path(os.environ.get("WHERRY_BENCH_DIR", tempfile.gettempdir())) / "wherry-wire"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    tools = ("apt-get", "dpkg-deb", "mke2fs", "fallocate")
    if lacking := peers.missing(*tools):
        row = {"what": "everything", "value": None, "unit": f"not run: {lacking} is not installed"}
        return {"name": "wire", "rows": [row], "host": facts()}
    original = make_image(kept, quick)
    runs = 1 if quick else 5
    with tempfile.TemporaryDirectory(dir=kept, prefix="run-") as name:
        folder = Path(name)
        rows = [
            *seeds.rows(original, folder, runs),
            *seeds.clone_rows(original, folder),
            *deltas.rows(original, folder, runs),
            *growth.rows(folder, quick),
            *thin.rows(original, folder, quick),
        ]
    return {
        "name": "wire",
        "image": {
            "bytes": original.path.stat().st_size,
            "data_bytes": original.data_bytes,
            "blake3": original.digest,
            "packages": list(PACKAGES),
        },
        "runs": runs,
        "columns": {
            "cpu_s": "CPU s",
            "wire_mb": "MB on the wire",
            "sender_mib": "sender MiB",
            "receiver_mib": "receiver MiB",
        },
        "rows": rows,
        "host": facts(),
    }
