"""The faults of a rehearsal: what can go wrong at which call, in words, and what to do before the night.

    Cell ── kind (what happens), where (source, target, transfers, engine), call (or the kind of a step)

The matrix of a wave holds every kind at every call that its own runbook makes, and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrate.sites.aside import PutsAside
from migrate.sites.ports import FullSite
from migrate.sites.rules import Rules

SLOW_TIMES = 10.0
STALL_S = 1800.0
OUTAGE_S = 600.0  # longer than the patience with a site, shorter than that with the line
RESTART_S = 120.0  # until an engine or a receiver that died runs again
CONNECT_S = 10.0  # until a call to a site that does not answer gives up


class Fault(StrEnum):
    """What happens at the call that is struck."""

    ONCE = "fails once"
    ALWAYS = "fails from then on"
    LOST = "is done, its answer lost"
    SLOW = "is slow from then on"
    STALLS = "stalls"
    OUTAGE = "finds the site unreachable"
    MOVER = "loses its mover"
    RECEIVER = "loses the receiver"
    LINK = "loses the link"
    BEFORE = "engine killed before it"
    AFTER = "engine killed after it"


def _calls(changing: bool) -> frozenset[str]:
    """Return the calls of the site protocol: those with the key of an attempt change something."""
    return frozenset(
        name
        for part in (*FullSite.__mro__, Rules, PutsAside)
        for name, found in vars(part).items()
        if inspect.isfunction(found) and not name.startswith("_") and name not in _NO_ANSWERS
        if ("op" in inspect.signature(found).parameters and name != "find_snapshot") is changing
    )


_NO_ANSWERS = frozenset({"open_read", "open_write"})  # they hand out disks, which the twin has none of
CHANGING, READING = _calls(changing=True), _calls(changing=False)
SITE_CALLS = CHANGING | READING
TRANSFERS, ENGINE = "transfers", "engine"

_OF_CHANGING = (Fault.ONCE, Fault.ALWAYS, Fault.LOST, Fault.SLOW, Fault.STALLS, Fault.OUTAGE)
_OF_READING = (Fault.ONCE, Fault.ALWAYS, Fault.STALLS, Fault.OUTAGE)
_OF_CARRYING = (Fault.ONCE, Fault.ALWAYS, Fault.SLOW, Fault.STALLS, Fault.MOVER, Fault.RECEIVER, Fault.LINK)
_OF_ENGINE = (Fault.BEFORE, Fault.AFTER)


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One field of the matrix."""

    where: str
    call: str
    fault: Fault

    @property
    def passes(self) -> bool:
        """True when the world is well again by itself."""
        return self.fault is not Fault.ALWAYS

    def __str__(self) -> str:
        if self.where == ENGINE:
            return f"{self.call}: {self.fault.value}"
        return f"{self.where} {self.call} {self.fault.value}"


def matrix(calls: Mapping[tuple[str, str], int]) -> tuple[Cell, ...]:
    """Return every cell of a run that makes these calls; the keys are (where, call)."""
    return tuple(sorted(Cell(where, call, fault) for where, call in calls for fault in _faults(where, call)))


def _faults(where: str, call: str) -> tuple[Fault, ...]:
    if where == ENGINE:
        return _OF_ENGINE
    if where == TRANSFERS:
        return _OF_CARRYING
    return _OF_CHANGING if call in CHANGING else _OF_READING
