"""RVTools exports: workbooks (.xlsx, .xls) and folders of csv files, versions 3.7 to 4.8.

    staged_rvtools ─▶ child: parse_rvtools ─▶ staging file ─▶ adopted by the store, or read_rvtools: nouns

An export is a file of others: outside of tests it is parsed in a child with limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from planner.model import Inventory
from planner.sources import staging
from planner.sources.books import Limits
from planner.sources.isolation import Bounds, Report, run_isolated, staging_file

_WRITING = 8  # writing what was read takes about this part of the time of reading


@contextmanager
def staged_rvtools(
    path: Path,
    *,
    limits: Limits | None = None,
    bounds: Bounds | None = None,
    report: Report | None = None,
) -> Iterator[staging.Staged]:
    """Give an export as it was parsed in a child, for as long as the block lasts.

    Raises BadInput with one sentence and a hint, whatever the file does to its parser.
    """
    with staging_file() as file:
        run_isolated("rvtools", path, file, options=asdict(limits or Limits()), bounds=bounds, report=report)
        with staging.reading(file) as connection:
            yield staging.Staged.of(connection)


def read_rvtools(
    path: Path,
    limits: Limits | None = None,
    *,
    bounds: Bounds | None = None,
    report: Report | None = None,
) -> Inventory:
    """Return an export as an inventory, parsed in a child; raises BadInput."""
    with staged_rvtools(path, limits=limits, bounds=bounds, report=report) as staged:
        return staged.inventory()


def stage(path: Path, file: Path, report: Report, **limits: int) -> None:
    """Read an export into a staging file: what the child does."""
    import gc

    from planner.sources.rvtools.reading import parse_rvtools

    gc.disable()  # nothing here goes in circles, and the child ends right after
    size = 1

    def read(done: int, most: int) -> None:
        nonlocal size
        size = most
        report(done, most + most // _WRITING)

    def wrote(done: int, most: int) -> None:
        report(size + size // _WRITING * done // most, size + size // _WRITING)

    inventory = parse_rvtools(path, Limits(**limits), read)
    with staging.writing(file) as connection:
        staging.put_inventory(connection, inventory, wrote)
    wrote(1, 1)
