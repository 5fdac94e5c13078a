"""What a tap streams, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.tap.recorder import Mode


@dataclass(frozen=True, slots=True)
class Streamed:
    """What is streamed: the group, its disks as (volume, size) in the order of their numbers, and by whom.

    ``tap`` stands for the tap as long as its maps live, hex digits.
    """

    group: str
    disks: tuple[tuple[str, int], ...]
    tap: str
    generation: int = 0
    every_s: float = 5.0
    level: int = 1


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream as it stands. ``why`` says why it does not stream, or is behind ``target_s``; else empty.

    ``age_s`` is that of the oldest write the target does not have, ``p50_s`` and ``p99_s`` what it was in the
    last ten minutes; None when nobody knows. ``left_bytes`` are still to be copied.
    """

    mode: Mode
    connected: bool
    why: str
    age_s: float | None
    p50_s: float | None
    p99_s: float | None
    target_s: float
    buffered_bytes: int
    limit_bytes: int
    left_bytes: int
    sent_bytes: int
    checkpoints: int
    connections: int
    overflows: int

    @property
    def word(self) -> str:
        """How it stands in a word or two: nothing streams, or catches up, over a line that is down."""
        return self.mode.value if self.connected or self.mode is Mode.MAPPED else "cut off"
