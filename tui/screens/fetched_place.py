"""A place with a paged table: all of its rows are fetched before they are taken elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from tui.screens.table_place import TablePlace


class FetchedPlace(TablePlace):
    """Subclasses say in ``with_all_rows`` how all rows are fetched, if at all."""

    @abstractmethod
    def with_all_rows(self, do: Callable[[], None]) -> None:
        """Do something once all rows of the table there are here."""

    def action_copy_all(self) -> None:
        """Copy the table as it is filtered."""
        self.with_all_rows(super().action_copy_all)

    def action_copy(self) -> None:
        """Copy the marked rows, or the one under the cursor."""
        self.with_all_rows(super().action_copy)

    def _write(self, said: dict[str, str] | None) -> None:
        if said is not None:
            write = super()._write
            self.with_all_rows(lambda: write(said))
