"""The fault matrix: every kind of fault at every call that a wave's run makes, one in each run of the twin.

The cells come in an order drawn from the seed, and so does the call of its kind that a cell strikes. All
struck runs have the luck of one calm run, so what differs between them and it is what the fault did.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from migrate.rehearsals.faults import ENGINE, Cell, Fault, matrix
from migrate.rehearsals.remedies import remedy
from migrate.rehearsals.striking import Strike
from migrate.run.actions import Outcome
from migrate.run.runbook import Runbook
from migrate.twin import TwinRun


class Ending(StrEnum):
    """How a struck run ended, the best first."""

    ON = "went on"
    ASKED = "went on when a person said so"
    BACK = "went back"
    STUCK = "waits for a person"


ORDER = tuple(Ending)


@dataclass(frozen=True, slots=True)
class Struck:
    """What one fault did. ``late_s`` is how much later the run ended than the calm one with its luck.

    ``cutover_s`` is how long its cutover took, None when it had none to the end; ``fits`` whether that
    is within the window, None without a window. ``grave`` says that it should be seen to before the night.
    """

    where: str
    call: str
    fault: str
    step: str
    ending: Ending
    late_s: float
    cutover_s: float | None
    back_s: float | None
    fits: bool | None
    grave: bool
    remedy: str

    @property
    def what(self) -> str:
        """The fault in words."""
        return str(Cell(self.where, self.call, Fault(self.fault)))


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the struck runs of a rehearsal said, the worst first; ``cells`` is how many there are to try."""

    cells: int
    struck: tuple[Struck, ...]

    @property
    def endings(self) -> dict[str, int]:
        """How many runs ended in which way, all ways named."""
        return {ending.value: sum(one.ending is ending for one in self.struck) for ending in ORDER}


def strike_all(
    runbook: Runbook,
    seed: int,
    most: int,
    window_s: float | None,
    run: Callable[[Strike], TwinRun],
    report: Callable[[int], None],
) -> Matrix:
    """Run up to ``most`` cells of the matrix; ``run`` does one run with the luck of ``seed``."""
    counted = Strike()
    calm = run(counted)
    cells = matrix(counted.calls)
    rng = random.Random(seed)  # noqa: S311 - an order, not a secret
    chosen = rng.sample(cells, k=min(most, len(cells)))
    struck = []
    for number, cell in enumerate(chosen, 1):
        strike = Strike(cell, rng.randint(1, counted.calls[cell.where, cell.call]))
        struck.append(_judge(runbook, calm, run(strike), strike, cell, window_s))
        report(number)
    return Matrix(len(cells), tuple(sorted(struck, key=_worst_first)))


def calls_of(counted: Strike) -> Mapping[tuple[str, str], int]:
    """Return how often a run made each call, those on the engine's own account left out."""
    return {key: count for key, count in counted.calls.items() if key[0] != ENGINE}


def _judge(
    runbook: Runbook, calm: TwinRun, run: TwinRun, strike: Strike, cell: Cell, window_s: float | None
) -> Struck:
    ending = _ending(run)
    whole = run.outcome is Outcome.COMMITTED
    fits = None if window_s is None or not whole else run.cutover_s <= window_s
    lasting = not cell.passes
    return Struck(
        where=cell.where,
        call=cell.call,
        fault=cell.fault.value,
        step=runbook.step(strike.hit).title if strike.hit else "",
        ending=ending,
        late_s=max(run.ended_s - calm.ended_s, 0.0) if whole else 0.0,
        cutover_s=run.cutover_s if whole else None,
        back_s=run.back_s,
        fits=fits,
        grave=(fits is False) or (not lasting and ending in (Ending.BACK, Ending.STUCK)),
        remedy=remedy(cell, ending is Ending.STUCK, ending is Ending.BACK, fits is False),
    )


def _ending(run: TwinRun) -> Ending:
    if run.stuck:
        return Ending.STUCK
    if run.outcome is not Outcome.COMMITTED:
        return Ending.BACK
    return Ending.ASKED if run.decided else Ending.ON


def _worst_first(one: Struck) -> tuple[bool, int, float, str]:
    return (not one.grave, -ORDER.index(one.ending), -(one.back_s or one.late_s), one.what)
