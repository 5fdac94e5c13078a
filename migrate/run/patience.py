"""Patience of steps: what passes by itself is tried again for a time, not for a number of tries.

A failure that may pass (nobody answers, somebody is at work there, a part is done) is tried again after a
second, then after twice as long each time, up to half a minute; the last try is when the patience with its
kind of step ends. The figures stand in the failed entry, so what follows from a record is the same for
whoever drives the run next.

    used = 0                            first failure, or the pass came further than any try before it
    used = used + rest + try in vain    else; of a try, the time in which bytes moved is not in vain

Time in which nobody drove the run, or the driver was at something else, is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Step kinds that carry or compare bytes; undoing a mark keeps what the target wrote.
OVER_THE_LINE = frozenset({"transfer", "checkpoint", "verify", "journal", "fold", "promote", "mark"})
RESUMED = frozenset({"transfer"})  # those that go on where they were
_LEAST_S = 0.002  # less than that is no patience left: figures are kept to the millisecond


@dataclass(frozen=True, slots=True)
class Spent:
    """What a failed entry says of patience: when that was, what is used, when it is tried again.

    Moments are seconds since 1970. ``again_s`` is None when a person decides. ``left_bytes`` is the least
    that any try since left to carry, None where nothing is counted.
    """

    at_s: float
    used_s: float = 0.0
    limit_s: float = 0.0
    again_s: float | None = None
    left_bytes: int | None = None

    @property
    def pause_s(self) -> float:
        """Seconds between the failure and the next try."""
        return 0.0 if self.again_s is None else self.again_s - self.at_s

    @property
    def gives_up_s(self) -> float:
        """The moment at which patience ends when somebody drives the run and no bytes move."""
        return self.at_s + self.limit_s - self.used_s

    def as_json(self) -> dict[str, Any]:
        """Return it as a failed entry holds it; what is not known is left out."""
        said = {
            "at_s": self.at_s,
            "used_s": self.used_s,
            "limit_s": self.limit_s,
            "again_s": self.again_s,
            "left_bytes": self.left_bytes,
        }
        return {name: value for name, value in said.items() if value is not None}

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> Spent | None:
        """Return what an entry says; None of one from before there was patience."""
        if "at_s" not in detail:
            return None
        return cls(
            float(detail["at_s"]),
            float(detail.get("used_s", 0.0)),
            float(detail.get("limit_s", 0.0)),
            None if detail.get("again_s") is None else float(detail["again_s"]),
            None if detail.get("left_bytes") is None else int(detail["left_bytes"]),
        )


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that failed: seconds in which no bytes moved, and bytes that were left, None if not told."""

    vain_s: float = 0.0
    left_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds there are for each kind of step, and for the first and the longest pause."""

    transfers_s: float = 900.0
    others_s: float = 90.0
    first_s: float = 1.0
    longest_s: float = 30.0

    def limit_s(self, kind: str) -> float:
        """Return how long a kind of step is tried again."""
        return self.transfers_s if kind in OVER_THE_LINE else self.others_s

    def spend(self, kind: str, before: Spent | None, now_s: float, tried: Tried = Tried()) -> Spent:
        """Return what a failure that may pass says; ``before`` is what the one before it said, if any."""
        left = tried.left_bytes if kind in RESUMED else None
        limit_s = self.limit_s(kind)
        used_s, pause_s = 0.0, self.first_s
        if before is not None:
            further = left is not None and before.left_bytes is not None and left < before.left_bytes
            if not further:
                used_s = before.used_s + before.pause_s + tried.vain_s
                pause_s = max(min(2 * before.pause_s, self.longest_s), self.first_s)
            if before.left_bytes is not None:
                left = before.left_bytes if left is None else min(left, before.left_bytes)
        rest_s = limit_s - used_s
        again_s = round(now_s + min(pause_s, rest_s), 3) if rest_s > _LEAST_S else None
        return Spent(round(now_s, 3), round(used_s, 3), limit_s, again_s, left)
