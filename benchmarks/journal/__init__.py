"""The journal: how soon an image is read from, how fast it is served, what history costs in disk and memory.

A million writes of 4 KiB that pack to half, all over a disk, in the order of a stream; images are opened as
the receiver does it, in the process that holds the log.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from benchmarks.journal import costs, first, served
from benchmarks.journal.making import make
from planner.units import GIB, TIB

_SIZES = (64 * GIB, 8 * TIB)


def run(quick: bool = False) -> dict[str, Any]:
    """Return a row for each figure; quick has a twentieth of the records.

    ``WHERRY_BENCH_DIR`` says where; it takes up to 16 GiB.
    """
    records = 50_000 if quick else 1_000_000
    where = Path(os.environ.get("WHERRY_BENCH_DIR", tempfile.gettempdir()))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=where, prefix="wherry-journal-") as name:
        folder = Path(name)
        dense = make(folder / "dense", GIB if quick else 4 * GIB, records, dense=True)
        rows += first.rows(dense)
        rows += served.rows(dense, folder, 1 if quick else 3, 2 if quick else 10)
        rows += costs.rows(dense, folder, records)
        dense.remove()
        for size_bytes in _SIZES[-1:] if quick else _SIZES:
            sparse = make(folder / "sparse", size_bytes, records)
            rows += first.rows(sparse)
            sparse.remove()
    columns = {"worst": "worst", "runs": "each run"}
    return {"name": "journal", "records": records, "columns": columns, "rows": rows, "host": facts()}
