"""The peer of the inventory: an application around Textual's own DataTable, the same rows from the same file.

    python -m benchmarks.tui_peer PROJECT_DB     python -m benchmarks.tui_peer   (no table: Textual alone)

It reads the rows by SQL and writes the same cells; it has no frame, no filter and no detail.
"""

from __future__ import annotations

import sqlite3
import sys

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

from planner.units import show_bytes

TITLES = ("name", "cluster", "power", "os", "CPU", "RAM", "disk", "wave", "group", "checks")


def cells(file: str) -> list[tuple[str, ...]]:
    """Return what the table shows."""
    with sqlite3.connect(file) as store:
        return [
            (name, cluster or "–", power, guest or "–", str(cpus), show_bytes(memory), show_bytes(disk),
             "–", "–", "…")
            for name, cluster, power, guest, cpus, memory, disk in store.execute(
                "SELECT name, cluster, power, guest_os, cpus, memory_bytes, disk_bytes FROM inventory_vm"
                " WHERE inventory = (SELECT max(id) FROM inventory) ORDER BY position"
            )
        ]  # fmt: skip


class Peer(App[None]):
    """The rows in a DataTable; without a file a word and nothing else."""

    def __init__(self, file: str | None) -> None:
        super().__init__()
        self.file = file

    def compose(self) -> ComposeResult:
        """One widget."""
        yield DataTable(cursor_type="row") if self.file else Static("the first row")

    def on_mount(self) -> None:
        """Fill the table."""
        if self.file:
            table = self.query_one(DataTable)
            table.add_columns(*TITLES)
            table.add_rows(cells(self.file))


if __name__ == "__main__":
    Peer(sys.argv[1] if len(sys.argv) > 1 else None).run()
