"""What the benchmarks of the wire share: one image in a kept directory, and how their figures are told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.host import facts
from benchmarks.wire import peers
from benchmarks.wire.image import PACKAGES, Image, make_image

Row = dict[str, Any]
TOOLS: Final = ("apt-get", "dpkg-deb", "mke2fs", "fallocate")
COLUMNS: Final = {
    "cpu_s": "CPU s",
    "wire_mb": "MB on the wire",
    "sender_mib": "sender MiB",
    "receiver_mib": "receiver MiB",
}


def measured(
    name: str,
    quick: bool,
    runs: int,
    rows: Callable[[Image, Path, int], list[Row]],
    *,
    tools: Sequence[str] = TOOLS,
    columns: Mapping[str, str] = COLUMNS,
) -> dict[str, Any]:
    """Return the figures that ``rows`` makes of the image: a small one and a single run when ``quick``.

    ``WHERRY_BENCH_DIR`` says where; it takes up to 30 GiB, and the image is kept there.
    """
    kept = Path(os.environ.get("WHERRY_BENCH_DIR", tempfile.gettempdir())) / "wherry-wire"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    if lacking := peers.missing(*tools):
        row = {"what": "everything", "value": None, "unit": f"not run: {lacking} is not installed"}
        return {"name": name, "rows": [row], "host": facts()}
    original = make_image(kept, quick)
    runs = 1 if quick else runs
    with tempfile.TemporaryDirectory(dir=kept, prefix="run-") as folder:
        made = rows(original, Path(folder), runs)
    return {
        "name": name,
        "image": {
            "bytes": original.path.stat().st_size,
            "data_bytes": original.data_bytes,
            "blake3": original.digest,
            "packages": list(PACKAGES),
        },
        "runs": runs,
        "columns": dict(columns),
        "rows": made,
        "host": facts(),
    }
