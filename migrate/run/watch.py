"""A look at one try of a step: what is told of its bytes, and how much of its time went by without any."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from migrate.run.patience import Tried

if TYPE_CHECKING:
    from migrate.transfers.ports import Moving


class Watch:
    """Looks on at one try: what is told of its bytes is handed on."""

    def __init__(self, report: Callable[[Moving], None], now_s: Callable[[], float]) -> None:
        self._report = report
        self._now_s = now_s
        self._begun_s = now_s()
        self._first_s = self._last_s = 0.0
        self._left_bytes: int | None = None

    def __call__(self, moving: Moving) -> None:
        """Take in what one transfer says."""
        self._last_s = self._now_s()
        left = max(moving.total_bytes - moving.done_bytes, 0)
        if self._left_bytes is None:
            self._first_s = self._last_s
            self._left_bytes = left
        self._left_bytes = min(self._left_bytes, left)
        self._report(moving)

    def seen(self) -> Tried:
        """Return what the try came to that fails now; bytes moved from the first word of them to the last."""
        vain_s = self._now_s() - self._begun_s - (self._last_s - self._first_s)
        return Tried(max(vain_s, 0.0), self._left_bytes)
