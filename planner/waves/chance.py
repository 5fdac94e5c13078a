"""Chances: how long the waves take and whether they end in time, by drawing rates and churn many times.

A draw takes one rate of the line for the whole migration (30 % to either side) and, for each wave, a
churn around what is expected (lognormal, sigma 0.5: the spread between VMs evens out in a wave). Seeds
go over the line in the order of the waves. The same seed gives the same draws on any machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from planner.model import Estimate

DRAWS = 400
_RATE = 0.3
_SIGMA = 0.5


@dataclass(frozen=True, slots=True)
class Run:
    """A wave as it is drawn. Times are seconds since work began; a wave without a window has no start."""

    seed_bytes: float
    churn_bytes_s: float
    final_min: float  # of the last copy, at the usual rate and churn
    around_min: float  # stop, comparison, boot: what no rate changes
    start_s: float | None = None
    hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Chances:
    """Hours from the begin of seeding to the end, and for each wave the chance to overrun its window."""

    makespan_h: Estimate
    overrun: tuple[float | None, ...]


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _draw(runs: Sequence[Run], rate_bytes_s: float, dice: random.Random) -> tuple[float, list[bool]]:
    rate = rate_bytes_s * dice.uniform(1 - _RATE, 1 + _RATE)
    at_s = 0.0  # when the line is free
    end_s = 0.0
    late: list[bool] = []
    for run in runs:
        churn = math.exp(dice.gauss(0.0, _SIGMA))
        at_s += run.seed_bytes / rate
        final_s = 60 * run.final_min * churn * rate_bytes_s / rate
        begin_s = at_s if run.start_s is None else max(at_s, run.start_s)
        done_s = begin_s + final_s + 60 * run.around_min
        end_s = max(end_s, done_s)
        # Deltas of what is seeded go over the same line until the wave is over.
        at_s += min(run.churn_bytes_s * churn / rate, 0.9) * max(begin_s - at_s, 0.0)
        late.append(run.start_s is not None and done_s > run.start_s + 3600 * run.hours)
    return end_s, late


def chances(runs: Sequence[Run], rate_bytes_s: float, seed: int) -> Chances:
    """Return makespan and overruns of waves in order; times are rounded so that every machine agrees."""
    if not runs:
        return Chances(Estimate(0.0, 0.0), ())
    dice = random.Random(seed)  # noqa: S311 - draws of a simulation, nothing secret
    drawn = [_draw(runs, rate_bytes_s, dice) for _ in range(DRAWS)]
    spans = [end_s / 3600 for end_s, _ in drawn]
    overrun = tuple(
        None if run.start_s is None else round(sum(late[at] for _, late in drawn) / DRAWS, 3)
        for at, run in enumerate(runs)
    )
    return Chances(Estimate(round(_percentile(spans, 0.5), 2), round(_percentile(spans, 0.95), 2)), overrun)
