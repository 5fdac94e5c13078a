"""A seeded source of chance for one stage. It promises the same draws on every machine.

Only ``random.Random.random`` is used, whose sequence Python guarantees; the distributions are
written out here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


def _parts(digits: int) -> list[int]:
    whole, rest = divmod(digits, 12)
    return [12] * whole + [rest] * bool(rest)


class Dice:
    """Draws of one stage; ``area`` names the stage."""

    __slots__ = ("_random",)

    def __init__(self, seed: int, area: str) -> None:
        self._random = Random(f"{seed}/{area}").random  # noqa: S311 - chance, not secrecy

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self._random() < probability

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to ``limit`` - 1."""
        return int(self._random() * limit)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def uniform(self, low: float, high: float) -> float:
        """Return a number from ``low`` up to ``high``."""
        return low + (high - low) * self._random()

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items, each as likely as any other."""
        return items[self.below(len(items))]

    def weighted(self, table: Sequence[tuple[Item, float]]) -> Item:
        """Return an item of (item, weight) pairs."""
        left = self._random() * sum(weight for _, weight in table)
        for item, weight in table:
            left -= weight
            if left < 0:
                return item
        return table[-1][0]

    def sample(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return ``count`` different items, or all of them when there are fewer."""
        pool = list(items)
        count = min(count, len(pool))
        for at in range(count):
            other = at + self.below(len(pool) - at)
            pool[at], pool[other] = pool[other], pool[at]
        return pool[:count]

    def normal(self) -> float:
        """Return a standard normal number (Box and Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self._random()))
        return radius * math.cos(2.0 * math.pi * self._random())

    def lognormal(self, median: float, sigma: float) -> float:
        """Return a lognormal number."""
        return median * math.exp(sigma * self.normal())

    def pareto(self, alpha: float) -> float:
        """Return a Pareto number of at least 1."""
        return float((1.0 - self._random()) ** (-1.0 / alpha))

    def exponential(self, mean: float) -> float:
        """Return an exponential number."""
        return -mean * math.log(1.0 - self._random())

    def hexadecimal(self, digits: int) -> str:
        """Return that many hexadecimal digits."""
        # A draw holds 53 bits: twelve digits at a time are safe.
        return "".join(f"{self.below(16**part):0{part}x}" for part in _parts(digits))

    def uuid(self, head: str = "") -> str:
        """Return text of the form of a UUID, beginning with ``head``."""
        text = head + self.hexadecimal(32 - len(head))
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
