"""Amounts of what is taken and what there is, for sentences: those that differ never look equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.names import visible
from planner.units import GIB, KIB, MIB, TIB, show_bytes
from planner.waves.problem import Item
from planner.waves.weights import Sheet, together

EASE = 1e-6  # relative, for sums of fractions: what is over by less is not over
WORDS = (" VMs", "", " cutovers", " engineer hours")  # behind an amount, as PLAIN; bytes bring their unit
EACH_WORDS = (" groups of owner", " groups of team", " from datastore", " disks on host")  # as EACH

_UNITS = ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))


def told_apart(use: float, cap: float, in_bytes: bool) -> tuple[str, str]:
    """Return both amounts with as few digits as show that they differ; equal ones look equal."""
    shown = ("", "")
    for shown in _finer(use, cap, in_bytes):
        if shown[0] != shown[1] or use == cap:
            break
    return shown


def overfull(items: Sequence[Item], sheet: Sheet) -> list[str]:
    """Return how far items exceed caps together: ``9.2 TiB of 8.0 TiB``, ``35 of 30 engineer hours``."""
    plain, each = together(items)
    found = []
    for kind, (use, cap) in enumerate(zip(plain, sheet[0], strict=True)):
        if use > cap * (1 + EASE):
            taken, free = told_apart(use, cap, in_bytes=kind == 1)
            found.append(f"{taken} of {free}{WORDS[kind]}")
    for (kind, whose), use in sorted(each.items()):
        if use > sheet[1][kind] * (1 + EASE):
            taken, free = told_apart(use, sheet[1][kind], in_bytes=kind == 2)
            found.append(f"{taken} of {free}{EACH_WORDS[kind]} {visible(whose)}")
    return found


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
