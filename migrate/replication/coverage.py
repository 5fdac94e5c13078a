"""How much of a disk a comparison looks at, and what that is worth: all of it, a part, or a sample.

A sample is drawn from a seed that nobody knows beforehand. It takes both ends of runs of data, where
copies break most often, grains with data, and grains from anywhere; the rest is said to be unseen.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from migrate.disks.extent import Extent
from migrate.replication.trees import NODE
from migrate.replication.zeros import GRAIN
from planner.errors import BadInput

SAMPLE = 4096
_SHARE = 100  # one grain of so many, where that is fewer
_LEAST = 256


class Method(StrEnum):
    """How a comparison looks."""

    FULL = "full"
    PART = "part"
    QUICK = "quick"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is looked at. ``grains`` are the numbers of a sample; else the whole ``area`` is.

    ``data_bytes`` and ``data_looked_bytes`` are what may hold data at the source, all and looked at;
    None where everything in the area is.
    """

    method: Method
    size_bytes: int
    area: Extent
    part: tuple[int, int] | None = None
    seed: str = ""
    grains: tuple[int, ...] = ()
    data_bytes: int | None = None
    data_looked_bytes: int | None = None

    @property
    def looked_bytes(self) -> int:
        """Return how many bytes of the disk are looked at."""
        if self.method is not Method.QUICK:
            return self.area.length
        return sum(min(GRAIN, self.size_bytes - grain * GRAIN) for grain in self.grains)

    @property
    def share(self) -> float:
        """Return the part of the disk that is looked at, 0 to 1."""
        return self.looked_bytes / self.size_bytes if self.size_bytes else 1.0

    @property
    def escape_chance(self) -> float:
        """Return the chance that one wrong grain, anywhere on the disk, is not seen."""
        total = -(-self.size_bytes // GRAIN)
        looked = len(self.grains) if self.method is Method.QUICK else -(-self.area.length // GRAIN)
        return 1 - looked / total if total else 0.0

    @property
    def data_escape_chance(self) -> float:
        """Return the chance that one wrong grain, where the source holds data, is not seen."""
        if not self.data_bytes or self.data_looked_bytes is None:
            return self.escape_chance
        return 1 - self.data_looked_bytes / self.data_bytes


def full(size_bytes: int) -> Coverage:
    """Look at everything."""
    return Coverage(Method.FULL, size_bytes, Extent(0, size_bytes))


def part(size_bytes: int, number: int, parts: int) -> Coverage:
    """Look at one of ``parts`` parts of about the same size, counted from 1; raises BadInput."""
    nodes = -(-size_bytes // NODE)
    if not 1 <= number <= parts <= max(nodes, 1):
        raise BadInput(
            f"{number}/{parts} is no part of a disk with {nodes} nodes of 16 MiB",
            f"write K/N with 1 <= K <= N <= {max(nodes, 1)}",
        )
    start = nodes * (number - 1) // parts * NODE
    end = min(nodes * number // parts * NODE, size_bytes)
    return Coverage(Method.PART, size_bytes, Extent(start, end - start), (number, parts))


def parse_part(text: str) -> tuple[int | None, int]:
    """Return K and N of ``K/N``, None for K where it is ``next``; raises BadInput."""
    match = re.fullmatch(r"(next|[0-9]{1,6})/([0-9]{1,6})", text)
    if not match or match[2].strip("0") == "":
        raise BadInput(f"{text!r} is no part", "write K/N as in 3/7, or next/7")
    return (None if match[1] == "next" else int(match[1])), int(match[2])


def quick(size_bytes: int, runs: Sequence[tuple[int, int]], seed: str, most: int = SAMPLE) -> Coverage:
    """Look at about one grain of a hundred, ``most`` at most; ``runs`` are (offset, end) of data."""
    total = -(-size_bytes // GRAIN)
    spans = [(start // GRAIN, -(-end // GRAIN)) for start, end in runs]
    upto = list(accumulate(end - start for start, end in spans))
    data = upto[-1] if upto else 0
    count = min(total, most, max(_LEAST, total // _SHARE))
    draw = random.Random(seed)  # noqa: S311 - drawn anew each time, kept so that others can draw it again
    ends = [grain for start, end in spans for grain in (start, end - 1)]
    chosen = set(draw.sample(ends, min(len(ends), count // 4)))
    chosen.update(_nth(spans, upto, at) for at in draw.sample(range(data), min(data, count // 2)))
    while len(chosen) < count:
        chosen.add(draw.randrange(total))
    grains = tuple(sorted(chosen))
    seen = sum(1 for grain in grains if _is_in(spans, upto, grain))
    return Coverage(
        Method.QUICK, size_bytes, Extent(0, size_bytes), None, seed, grains, data * GRAIN, seen * GRAIN
    )


def _nth(spans: Sequence[tuple[int, int]], upto: Sequence[int], at: int) -> int:
    """Return the grain number ``at`` among those with data."""
    span = bisect_right(upto, at)
    return spans[span][1] - (upto[span] - at)


def _is_in(spans: Sequence[tuple[int, int]], upto: Sequence[int], grain: int) -> bool:
    span = bisect_right(spans, grain, key=lambda pair: pair[1])
    return span < len(upto) and spans[span][0] <= grain
