"""What the parts of 4 Waves share: its widgets, the line under the cursor, and the plan on the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner.plan import Wave
from planner.sized import AtLeast
from tui.hand import Hand
from tui.screens.side_tables import SideTables
from tui.screens.waves_groups import Groups
from tui.screens.waves_lines import WaveLine
from tui.screens.waves_table import WavesTable
from tui.widgets.table import VirtualTable


class WavesPlace(SideTables):
    """The place as its parts see it."""

    sides = {"groups": "VMs>2 data>1T"}  # noqa: RUF012  (shared, never changed)

    def __init__(self) -> None:
        super().__init__()
        self.hand: Hand | None = None
        self.known_groups: dict[str, Groups] = {}
        self.old_groups: set[str] = set()  # waves of them that are shown until they are known anew
        self.groups_in = ""  # the wave whose groups are shown
        self.followed = ("", "")  # a wave, and a VM of the group that the cursor goes to in it

    @property
    def unsaved(self) -> int:
        """Number of edits that are not saved."""
        return len(self.hand.unsaved) if self.hand is not None else 0

    @property
    def waves(self) -> WavesTable:
        """The waves."""
        return self.query_one(WavesTable)

    @property
    def groups(self) -> VirtualTable:
        """The groups of the wave under the cursor."""
        return self.query_one("#groups", VirtualTable)

    @property
    def wave_line(self) -> WaveLine | None:
        """The wave under the cursor."""
        row = self.waves.row
        return row if isinstance(row, WaveLine) else None

    def groups_of(self, name: str) -> Groups | None:
        """Return the groups of a wave, None while they are asked for."""
        raise NotImplementedError

    def ask_groups(self, waves: list[str]) -> None:
        """Ask for the groups of waves, once."""
        raise NotImplementedError

    def saved_wave(self, name: str) -> Wave | None:
        """Return a wave of the saved plan, None when it has none of that name or it cannot be read."""
        raise NotImplementedError

    def saved_size(self, name: str) -> int:
        """Return the bytes of a wave as it was saved, ``AtLeast`` where not all its disks are known."""
        return next((row.size_bytes for row in self.view.waves if row.name == name), AtLeast(0))

    def follow(self, wave: str, group: str) -> None:
        """Go where a group went, as soon as both are there."""
        raise NotImplementedError

    def show_wave(self) -> None:
        """Show the groups and the judgement of the wave under the cursor."""
        raise NotImplementedError

    def marked_waves(self) -> list[str]:
        """Return the marked waves, else the one under the cursor."""
        return [str(key) for key in self.chosen()]

    def rows_now(self) -> Sequence[Any]:
        """Return the lines of all waves."""
        return self.waves.rows
