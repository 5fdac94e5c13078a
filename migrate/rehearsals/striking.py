"""A strike: one fault at one call of one run on the twin, and the sites and transfers that it goes through.

Calls are counted in the order in which the run makes them; the strike hits number ``at``. A site that
is out gives no answer to any call until it is back. A pass that was cut goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from migrate.clock import SimulatedClock
from migrate.rehearsals.faults import (
    CONNECT_S,
    ENGINE,
    OUTAGE_S,
    RESTART_S,
    SITE_CALLS,
    SLOW_TIMES,
    STALL_S,
    TRANSFERS,
    Cell,
    Fault,
)
from migrate.sites.ports import Health
from migrate.sites.simulated import SimulatedSite
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Compared, Copied, Moving, Wanted
from planner.errors import StepFailed, Unreachable, WherryError

T = TypeVar("T")

PERSON_S = 300.0  # until a person has seen that something waits, and has looked at it
_ASKED_TIMES = 2  # as often a person says "again" before the way back


class EngineDied(BaseException):
    """The engine dies here; nothing of the step may catch it."""


@dataclass(slots=True)
class Strike:
    """A fault and when it hits. Without a ``cell`` nothing is struck and calls are only counted.

    ``step`` is the step that acts now, ``hit`` the one that was struck, ``since_s`` when.
    """

    cell: Cell | None = None
    at: int = 1
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    step: str = ""
    hit: str = ""
    since_s: float | None = None
    until_s: float = 0.0
    asked: int = 0
    left: dict[str, float] = field(default_factory=dict)  # share of a pass that is still to be carried

    def strikes(self, where: str, call: str, now_s: float) -> bool:
        """Count a call and return whether it is struck, for the first time or (where it stays) again."""
        self.calls[where, call] += 1
        cell = self.cell
        if cell is None or (where, call) != (cell.where, cell.call) or self.calls[where, call] < self.at:
            return False
        if self.calls[where, call] > self.at:
            return cell.fault in (Fault.ALWAYS, Fault.SLOW)
        self.hit, self.since_s = self.step, now_s
        out = {Fault.OUTAGE: OUTAGE_S, Fault.LINK: OUTAGE_S, Fault.RECEIVER: RESTART_S}
        self.until_s = now_s + out.get(cell.fault, 0.0)
        return True

    def is_out(self, where: str, now_s: float) -> bool:
        """Return whether nobody answers there at a time."""
        return (
            self.cell is not None
            and self.since_s is not None
            and where == self.cell.where
            and self.since_s <= now_s < self.until_s
        )

    def dies(self, kind: str, fault: Fault, now_s: float) -> bool:
        """Return whether the engine dies before (or after) the act of a step of that kind."""
        if fault is Fault.BEFORE:
            self.calls[ENGINE, kind] += 1
        cell = self.cell
        dies = (
            cell is not None
            and not self.hit
            and (cell.where, cell.call, cell.fault) == (ENGINE, kind, fault)
            and self.calls[ENGINE, kind] == self.at
        )
        if dies:
            self.hit, self.since_s = self.step, now_s
        return dies

    @property
    def cuts(self) -> bool:
        """True when what hits one pass hits all that are under way."""
        return self.cell is not None and self.cell.fault in (Fault.RECEIVER, Fault.LINK)

    def person(self, now_s: float) -> float | None:
        """Return when a person says "again", None when they go back instead."""
        if self.cell is None or not self.cell.passes or self.asked == _ASKED_TIMES:
            return None
        self.asked += 1
        return max(now_s + PERSON_S, self.until_s)

    def through(self, where: str, call: str, clock: SimulatedClock, act: Callable[[], T]) -> T:
        """Make a call to a site, or what the strike makes of it."""
        if self.is_out(where, clock.at_s):
            raise _silent(where, clock)
        if not self.strikes(where, call, clock.at_s):
            return act()
        assert self.cell is not None
        match self.cell.fault:
            case Fault.ONCE | Fault.ALWAYS:
                raise StepFailed(f"site {where} failed in {call}", "this fault was injected")
            case Fault.OUTAGE:
                raise _silent(where, clock)
            case Fault.LOST:
                act()
                raise Unreachable(f"the answer of site {where} to {call} was lost", "ask again")
            case fault:
                return _late(fault, clock, act)


def _silent(where: str, clock: SimulatedClock) -> WherryError:
    clock.at_s += CONNECT_S
    return Unreachable(f"{where} does not answer", "wait until it does")


def _late(fault: Fault, clock: SimulatedClock, act: Callable[[], T]) -> T:
    begun_s = clock.at_s
    result = act()
    clock.at_s += (clock.at_s - begun_s) * (SLOW_TIMES - 1) if fault is Fault.SLOW else STALL_S
    return result


class StruckSite:
    """A simulated site behind a strike: the same calls, and every attribute that is none."""

    def __init__(self, site: SimulatedSite, strike: Strike) -> None:
        self._site, self._strike = site, strike

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._site, name)
        if name not in SITE_CALLS:
            return found
        strike, where, clock = self._strike, self._site.name, self._site.clock

        def call(*args: Any, **more: Any) -> Any:
            return strike.through(where, name, clock, lambda: found(*args, **more))

        def probe(vm: str) -> Any:
            try:
                return call(vm)
            except StepFailed as error:  # a guest that is not well is an answer, no error
                clock.at_s += 1.0
                return Health(False, error.message)

        made = probe if name == "probe" else call
        setattr(self, name, made)  # the next one need not be made
        return made


@dataclass(slots=True)
class StruckTransfers:
    """Transfers behind a strike."""

    transfers: ModelledTransfers
    strike: Strike

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        """Copy, as far as the strike lets it."""
        return self._carry("copy", lambda: self.transfers.copy(wanted, report))

    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        """Compare, as far as the strike lets it."""
        return self._carry(
            "compare", lambda: self.transfers.compare(volume, size_bytes, snapshot, report, larger=larger)
        )

    def _carry(self, call: str, act: Callable[[], T]) -> T:
        strike, clock = self.strike, self.transfers.clock
        if strike.is_out(TRANSFERS, clock.at_s):
            raise _silent("the receiver", clock)
        cut = False
        if strike.strikes(TRANSFERS, call, clock.at_s):
            assert strike.cell is not None
            match strike.cell.fault:
                case Fault.ONCE | Fault.ALWAYS:
                    raise StepFailed(f"the transfer failed in {call}", "this fault was injected")
                case Fault.SLOW | Fault.STALLS as fault:
                    return _late(fault, clock, act)
                case _:
                    cut = True
        begun_s = clock.at_s
        result = act()
        carried_s = result.seconds if isinstance(result, Copied) else clock.at_s - begun_s
        share = strike.left.pop(strike.step, 1.0)
        clock.at_s -= carried_s * (1 - (share / 2 if cut else share))
        if isinstance(result, Copied):
            self.transfers.busy_until_s = clock.at_s
        if cut:
            strike.left[strike.step] = share / 2
            strike.until_s += clock.at_s - (strike.since_s or 0.0)
            strike.since_s = clock.at_s
            raise Unreachable("a transfer was cut", "run the verb again; it resumes")
        return result
