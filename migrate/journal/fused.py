"""Layers of one disk are fused into one, a little with each read, so that no read waits long for it.

It goes from the disk's beginning to its end: below ``upto`` the fused runs are to be asked, above it the
layers they come from.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from migrate.journal.index import ZEROS, DiskIndex, FramesIndex, Span
from migrate.journal.layers import Layer
from migrate.journal.recovery import Ref

_END: Final = 2**64 - 1
_STEP: Final = 1024  # runs


class Fused:
    """``layers``, the newest first and all indexed, on their way to be one."""

    def __init__(self, number: int, layers: Sequence[Layer]) -> None:
        self.layers = layers
        self.upto = 0
        self.frames: list[Ref] = []
        self.told: list[bytes] = []
        self.runs = DiskIndex()
        self._number = number
        self._bases: list[int] = []
        self._next = [0] * len(layers)  # the first run of each that ends after ``upto``
        for layer in layers:
            assert layer.index is not None, "it was read before"
            self._bases.append(len(self.frames))
            self.frames += layer.frames
            self.told += layer.index.pieces

    @property
    def is_done(self) -> bool:
        """Whether all is one."""
        return self.upto == _END

    def step(self, runs: int = _STEP) -> None:
        """Go on by about that many runs; of the layers the first has the youngest."""
        if self.is_done:
            return
        ahead = max(runs // len(self.layers), 1)
        places = [
            (layer.runs.starts, first + ahead) for layer, first in zip(self.layers, self._next, strict=True)
        ]
        upto = min((starts[at] for starts, at in places if at < len(starts)), default=_END)
        spans: list[Span] = []
        for age, layer in enumerate(self.layers):
            spans += self._taken(age, layer.runs, upto)
        self.runs.add_newest(spans)
        self.upto = upto
        if upto == _END:
            self.layers = ()

    def as_layer(self) -> Layer:
        """Return it as one layer once it is done."""
        index = FramesIndex({self._number: self.runs}, self.told)
        return Layer(self.frames, True, index, self.runs)

    def _taken(self, age: int, runs: DiskIndex, upto: int) -> list[Span]:
        """Return what a layer has between ``self.upto`` and ``upto``."""
        first, base = self._next[age], self._bases[age]
        last = bisect_left(runs.starts, upto, first)
        rows = zip(
            runs.starts[first:last],
            runs.ends[first:last],
            runs.frames[first:last],
            runs.ats[first:last],
            strict=True,
        )
        spans = [(start, age, end, base + frame, at) for start, end, frame, at in rows]
        self._next[age] = last
        if spans and spans[-1][2] > upto:
            start, _, _, frame, at = spans[-1]
            spans[-1] = (start, age, upto, frame, at)
            self._next[age] = last - 1
        if spans and spans[0][0] < self.upto:
            start, _, end, frame, at = spans[0]
            moved = at if at == ZEROS else at + self.upto - start
            spans[0] = (self.upto, age, end, frame, moved)
        return spans
