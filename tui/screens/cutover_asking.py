"""What is meant in 7 Cutover by step and gate, and what going back costs, for whoever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from planner.names import visible
from tui.screens.cutover_clock import p50_p95
from tui.screens.cutover_replay import ReplayingPlace
from tui.screens.steering import Steering
from tui.text import line

if TYPE_CHECKING:
    from migrate.gates.seeing import Seen
    from migrate.sheet import SheetStep


class AskingPlace(ReplayingPlace, Steering):
    """A place that asks, and then acts on the run that is shown."""

    # what is meant

    @property
    def step(self) -> SheetStep | None:
        """The step under the cursor."""
        return self.sheet.step(str(self.table.key)) if self.sheet is not None else None

    @property
    def gate(self) -> Seen | None:
        """The gate under the cursor unless it is passed, else the first that waits; None for none."""
        if self.sheet is None:
            return None
        gates = [seen for seen in self.sheet.gates.gates if seen.state != "passed" and not self.sheet.outcome]
        here = next((seen for seen in gates if seen.gate.id == self.table.key), None)
        return here or next((seen for seen in gates if seen.state in ("open", "shut")), None)

    # asking

    def _cost(self) -> Content:
        from tui.cli.way_back import cost

        if self.sheet is None or self.sheet.outcome:
            return line(("nothing was begun: there is nothing to go back from", "dim"))
        said = cost(self.sheet.gates.back)
        if self.price is not None:
            said += f"; it takes {p50_p95(self.price.p50, self.price.p95)}"
        return line(("going back: ", "dim"), visible(said, 400))
