"""What history costs: bytes on disk for each byte that changed, memory for a million records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.journal.asking import ask
from benchmarks.journal.making import BLOCK, Made, make
from planner.units import MIB


def rows(made: Made, folder: Path, records: int) -> list[dict[str, Any]]:
    """Return the rows of a journal that was made, and of a smaller one whose data does not pack."""
    found = ask("costs", made.folder)
    million = 1_000_000 / records
    random = make(folder / "random", made.size_bytes, records // 10, packs=False)
    plain = _bytes(random, "*.segment") / (random.records * BLOCK)
    random.remove()
    single = make(folder / "single", made.size_bytes, records // 10, batch=1)
    alone = _bytes(single, "*.segment") / (single.records * BLOCK)
    alone_mib = ask("costs", single.folder)["log_mib"] * 1_000_000 / single.records
    single.remove()
    changed = made.records * BLOCK
    return [
        {"what": "journal, bytes for a changed byte that packs to half",
         "value": round(_bytes(made, "*.segment") / changed, 3), "unit": "of them"},
        {"what": "journal, bytes for a changed byte that does not pack", "value": round(plain, 4),
         "unit": "of them"},
        {"what": "journal, bytes for a changed byte that packs to half, as passes write",
         "value": round(alone, 3), "unit": "of them"},
        {"what": "index files, bytes for a changed byte",
         "value": round(_bytes(made, "*.index") / changed, 4), "unit": "of them"},
        {"what": "appending, packed and made durable, of 4 KiB writes, 64 a frame",
         "value": round(changed / MIB / made.wrote_s), "unit": "MiB/s"},
        {"what": "index files of all whole segments", "value": round(made.indexed_s * million, 2),
         "unit": "s a million records"},
        {"what": "memory of the log", "value": round(found["log_mib"] * million, 1),
         "unit": "MiB a million records"},
        {"what": "memory of the log, as passes write", "value": round(alone_mib),
         "unit": "MiB a million records"},
        {"what": "memory of an image after its first read", "value": round(found["image_mib"] * million, 1),
         "unit": "MiB a million records"},
        {"what": "memory of an image that was read all over, with 32 MiB of pieces",
         "value": round(found["everywhere_mib"], 1), "unit": "MiB"},
        {"what": "a random 4 KiB read of an image without a server, after 15,000",
         "value": round(found["read_us"], 1), "unit": "µs, median"},
        {"what": "the longest of 20,000 reads after the first", "value": round(found["longest_ms"], 1),
         "unit": "ms"},
    ]  # fmt: skip


def _bytes(made: Made, pattern: str) -> int:
    return sum(path.stat().st_size for path in made.journal.glob(pattern))
