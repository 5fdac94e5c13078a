"""Projection: how long a whole estate seeds over a line, whether its churn fits, and what binds.

Bytes are counted as disks have them. A line carries goodput times ``ratio`` of them (source bytes by
bytes sent: zstd and dedupe); sender and receiver, and the target's disks, have rates of their own, and
the smallest binds. Goodput, the cases of P50 and P95 and the run of deltas are those of
``planner.estimate``; P95 takes the low ratio as well. The rates stood on two cores in
docs/benchmarks.md (a seed in the lab): wherry at level 1, and ``cp`` ended by an fsync.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.estimate import CASES, COMPARE_BYTES_S, DELTA_PAUSE_S, copies, goodput_bytes_s

if TYPE_CHECKING:
    from planner.settings import Link

CPU_BYTES_S = 443.3e6
DISK_BYTES_S = 1133.3e6
DAY_S = 86400.0
_COPIES_MAX = 10_000  # beyond it a churn this near to the rate counts as not carried


class Binds(StrEnum):
    """What holds a copy back."""

    LINK = "link"
    CPU = "processors"
    DISK = "disks"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Source bytes by bytes sent: from nothing gained to what packages gain; judgement, until measured."""

    low: float = 1.0
    likely: float = 1.5
    high: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.likely <= self.high:
            raise BadInput("a ratio goes from low over likely to high", "write it like 1.2/1.6/2.5 or 1.6")


@dataclass(frozen=True, slots=True)
class Load:
    """What an estate is: bytes of the first copy, and bytes written a day.

    ``differs`` is the part of the first copy that images already at the target lack or have wrong, None
    where there are none: only that is sent, and both sides read everything to find it.
    """

    seed_bytes: float
    churn_bytes_day: float
    differs: float | None = None

    @property
    def sent_bytes(self) -> float:
        """What of the first copy travels."""
        return self.seed_bytes * (1.0 if self.differs is None else self.differs)

    def compared_s(self, bytes_s: float) -> float:
        """Return the seconds in which both sides read what is compared, at the same time."""
        return 0.0 if self.differs is None else self.seed_bytes / bytes_s


@dataclass(frozen=True, slots=True)
class Rates:
    """What both ends copy in source bytes a second, whatever the line."""

    cpu_bytes_s: float = CPU_BYTES_S
    disk_bytes_s: float = DISK_BYTES_S


@dataclass(frozen=True, slots=True)
class Case:
    """A line under one assumption. ``steady_s`` is None when deltas never get small."""

    rate_bytes_s: float
    binds: Binds
    seed_s: float
    churn_bytes_day: float
    carries_bytes_day: float
    steady_s: float | None

    @property
    def fits(self) -> bool:
        """True when the line carries more than is written."""
        return self.churn_bytes_day < self.carries_bytes_day


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a line means for an estate: the usual case, the bad one, and the best one for its ratio.

    ``needs_mbit`` is the line that would do in the bad case, None when no line would: then the
    processors or the disks bind.
    """

    rate_mbit: float
    p50: Case
    p95: Case
    best: Case
    needs_mbit: float | None


def outlook(load: Load, link: Link, ratio: Ratio, rates: Rates, within_days: float | None = None) -> Outlook:
    """Project an estate onto a line. ``within_days`` is when the first copy should be there."""
    (plain, usual), (slow, busy) = CASES
    compare, compare_slow = COMPARE_BYTES_S
    good = goodput_bytes_s(link)
    return Outlook(
        link.rate_mbit,
        _case(load, good * plain, ratio.likely, rates, usual, compare),
        _case(load, good * slow, ratio.low, rates, busy, compare_slow),
        _case(load, good * plain, ratio.high, rates, usual, compare),
        _needs_mbit(load, link, ratio, rates, within_days),
    )


def _case(load: Load, good: float, ratio: float, rates: Rates, churn: float, compare_bytes_s: float) -> Case:
    rate, binds = min(
        (good * ratio, Binds.LINK), (rates.cpu_bytes_s, Binds.CPU), (rates.disk_bytes_s, Binds.DISK)
    )
    written = load.churn_bytes_day * churn
    # One after the other: what is found to differ is sent meanwhile, which nobody may count on.
    read_s = load.compared_s(min(compare_bytes_s, rates.disk_bytes_s))
    return Case(
        rate,
        binds,
        read_s + load.sent_bytes / rate,
        written,
        rate * DAY_S,
        _steady_s(load.sent_bytes + read_s * rate, written / DAY_S, rate),
    )


def _steady_s(seed_bytes: float, churn_bytes_s: float, rate: float) -> float | None:
    """Return when deltas are as small as they get: no larger than what a pause between them lets pass.

    ``seed_bytes`` is what the line could carry while the first copy takes place.
    """
    if churn_bytes_s >= rate:
        return None
    gone_s = 0.0
    for number, left in enumerate(copies(seed_bytes, churn_bytes_s, rate)):
        if number and left <= churn_bytes_s * DELTA_PAUSE_S:
            return gone_s
        if number == _COPIES_MAX:
            break
        gone_s += left / rate
    return None


def _needs_mbit(
    load: Load, link: Link, ratio: Ratio, rates: Rates, within_days: float | None
) -> float | None:
    """Return the line in Mbit/s, of the same share, that carries the churn and seeds in time at P95."""
    slow, busy = CASES[1]
    wanted = load.churn_bytes_day * busy / DAY_S
    if within_days is not None:
        read_s = load.compared_s(min(COMPARE_BYTES_S[1], rates.disk_bytes_s))
        if read_s >= within_days * DAY_S:
            return None
        wanted = max(wanted, load.sent_bytes / (within_days * DAY_S - read_s))
    if wanted >= min(rates.cpu_bytes_s, rates.disk_bytes_s):
        return None
    return ceil(wanted / (goodput_bytes_s(link) * slow * ratio.low) * link.rate_mbit)
