"""The files that hold an inventory, in the formats people ask for: the document and RVTools exports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from planner.export.inventory import inventory_lines
from planner.model import Inventory

Report = Callable[[str, int, int], None]
FORMATS = ("json", "xlsx47", "xlsx310", "csv")


def write_document(inventory: Inventory, path: Path, report: Report) -> None:
    """Write the document of an inventory; raises BadInput for text that no encoding can write."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(inventory_lines(inventory, lambda done, total: report(path.name, done, total)))


def write_files(inventory: Inventory, folder: Path, formats: Sequence[str], report: Report) -> None:
    """Write ``inventory.json``, ``rvtools-4.7.xlsx``, ``rvtools-3.10.xlsx`` and ``csv/`` into a folder.

    RVTools exports one vCenter at a time: with several, names are numbered in their order.
    """
    from planner.export.rvtools.csvset import write_csv_set
    from planner.export.rvtools.per_vcenter import per_vcenter
    from planner.export.rvtools.versions import V3_10, V4_7
    from planner.export.rvtools.workbook import write_workbook

    if "json" in formats:
        write_document(inventory, folder / "inventory.json", report)
    parts = per_vcenter(inventory) if set(formats) - {"json"} else ()
    for number, part in enumerate(parts, 1):
        suffix = f"-{number}" if len(parts) > 1 else ""
        if "xlsx47" in formats:
            write_workbook(part, V4_7, folder / f"rvtools-4.7{suffix}.xlsx", report)
        if "xlsx310" in formats:
            write_workbook(part, V3_10, folder / f"rvtools-3.10{suffix}.xlsx", report)
        if "csv" in formats:
            write_csv_set(part, V4_7, folder / f"csv{suffix}", report)
