"""The night of a wave's remedies: its source is far, nothing else is asked, and what went down comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from migrate.run.actions import Outcome
from migrate.run.history import Entry, Event, History
from migrate.run.remedy import compose_remedies, fixable
from migrate.run.runbook import Runbook
from migrate.steps.kind import Context
from planner.settings import Remedies
from tests.faults.nights.estate import ODD
from tests.faults.nights.night import Night, Way
from tests.faults.nights.rack import Reached
from tests.faults.nights.strikes import Strike


class RemedyNight(Night):
    """Remedies of a wave are made, and taken back on that way. Movers and a receiver are there, idle."""

    longest_cut_s = 60.0  # within patience: when that ends a remedy is passed over, and its task left

    def run(self, strike: Strike | None = None) -> Night:
        """Go through the night; look at what only remedies promise."""
        super().run(strike)
        if self.there.asked:
            self.wrong.append(f"the target was asked for {sorted(self.there.asked)}")
        if any(call == "power_off" for call, *_ in self.here.asked):
            self.wrong.append("a guest was forced off")
        if {vm: state.power for vm, state in self.here.vms.items()} != self._powers:
            self.wrong.append("a VM that ran is down, or one that was off runs")
        if self.way is Way.UNREMEDY:
            self.wrong += [
                f"{vm} is {self.here.configuration(vm)}, and was {before}"
                for vm, before in self._before.items()
                if self.here.configuration(vm) != replace(before, consolidation_needed=False)
            ]
        return self

    def _furnish(self) -> None:
        super()._furnish()
        self.here.configurations.update(ODD)
        self._before = {vm: found for vm in ODD if (found := self.here.configuration(vm)) is not None}
        self._powers = {vm: state.power for vm, state in self.here.vms.items()}

    def _compose(self, seeds: Mapping[str, str]) -> Runbook:
        return compose_remedies(self.wave, fixable(self.wave, "", True), Remedies(), True)

    def _drive(self) -> None:
        self.movers.hire()
        self.receiving.alive()
        super()._drive()

    def _end(self, outcome: Outcome, record: Any) -> None:
        if outcome is Outcome.COMMITTED and self.way is Way.UNREMEDY:
            record.append(Entry("", Event.ROLLBACK))
        else:
            super()._end(outcome, record)

    def _context(self, history: History) -> Context:
        source: Any = Reached(self.here, far=True)
        nowhere: Any = None
        return Context(
            run="1",
            wave=self.wave.name,
            source=source,
            target=nowhere,
            transfers=nowhere,
            keeper=nowhere,
            clock=self.here.clock,
            history=history,
            report=lambda _moving: None,
        )
