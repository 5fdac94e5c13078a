"""Two amounts of one sentence, what is taken and what there is: those that differ never look equal."""

from __future__ import annotations

from collections.abc import Iterator

from planner.units import GIB, KIB, MIB, TIB, show_bytes

_UNITS = ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))


def told_apart(use: float, cap: float, in_bytes: bool) -> tuple[str, str]:
    """Return both amounts with as few digits as show that they differ; equal ones look equal."""
    shown = ("", "")
    for shown in _finer(use, cap, in_bytes):
        if shown[0] != shown[1] or use == cap:
            break
    return shown


def _finer(use: float, cap: float, in_bytes: bool) -> Iterator[tuple[str, str]]:
    """Yield both amounts with more and more digits."""
    if not in_bytes:
        for digits in (6, 9, 17):
            yield f"{use:.{digits}g}", f"{cap:.{digits}g}"
        return
    yield show_bytes(round(use)), show_bytes(round(cap))
    size, unit = next((one for one in _UNITS if max(use, cap) >= one[0]), (1, "B"))
    for digits in range(2, 7):
        yield f"{use / size:.{digits}f} {unit}", f"{cap / size:.{digits}f} {unit}"
    yield f"{round(use):,} B", f"{round(cap):,} B"
