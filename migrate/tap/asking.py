"""What a target holds already of what is to be copied, asked for some pieces ahead of the copying.

    ask, ask, ask ──▶ target ──▶ digests of the grains of the first ──▶ only what differs is copied

An answer is of another moment than our own reading, which does no harm: what guests write meanwhile stands
in the order of writes by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from migrate.replication.link import Link
from migrate.replication.standing import starts
from migrate.replication.wire import DIGEST_BYTES, Frame, Kind, WireError, derive_key, grain_digests
from migrate.replication.zeros import GRAIN

_AHEAD: Final = 16
Piece = tuple[int, int, int]  # a disk's number, offset, length


class Asking:
    """Questions over one connection, about disks of these sizes; ``nonce`` is that of the welcome.

    ``hear`` takes in a frame, and hands one of digests to ``heard``.
    """

    def __init__(self, link: Link, sizes: Sequence[int], nonce: str, hear: Callable[[], object]) -> None:
        self._link = link
        self._starts = starts(sizes)
        self._key = derive_key("compare", nonce.encode())
        self._hear = hear
        self._asked: deque[Piece] = deque()
        self._told: deque[bytes] = deque()
        self._unwanted = 0  # answers that come yet
        self._was_answered = False

    @property
    def is_refused(self) -> bool:
        """Whether the other end broke off over the first questions: older releases do not know them."""
        return self._link.refused is not None and bool(self._asked) and not self._was_answered

    def next(self, pieces: Callable[[], Piece | None]) -> tuple[Piece, bytes] | None:
        """Return a piece and what is held of it; ask for those behind it that ``pieces`` returns."""
        while len(self._asked) < _AHEAD and (piece := pieces()) is not None:
            disk, offset, length = piece
            self._link.send(Kind.ASK_DIGESTS, offset=self._starts[disk] + offset, length=length)
            self._asked.append(piece)
        if not self._asked:
            return None
        while not self._told:
            self._hear()
        return self._asked.popleft(), self._told.popleft()

    def forget(self) -> None:
        """Want no answer any more to what was asked."""
        self._unwanted += len(self._asked) - len(self._told)
        self._asked.clear()
        self._told.clear()

    def heard(self, frame: Frame) -> None:
        """Take in an answer; raises WireError for one to another question."""
        self._was_answered = True
        if self._unwanted:
            self._unwanted -= 1
            return
        if len(self._told) >= len(self._asked):
            raise WireError("the target tells digests that nobody asked for")
        disk, offset, length = self._asked[len(self._told)]
        count = -(-length // GRAIN)
        if frame.offset != self._starts[disk] + offset or len(frame.body) != count * DIGEST_BYTES:
            raise WireError("the target answers for digests that were not asked for")
        self._told.append(bytes(frame.body))

    def differing(self, data: memoryview, held: bytes) -> Iterator[tuple[int, int]]:
        """Yield the runs (start, end) of grains of a piece's data that are not held."""
        here, begin = grain_digests(data, self._key), -1
        for at in range(0, len(here), DIGEST_BYTES):
            start = at // DIGEST_BYTES * GRAIN
            if here[at : at + DIGEST_BYTES] != held[at : at + DIGEST_BYTES]:
                begin = start if begin < 0 else begin
            elif begin >= 0:
                yield begin, start
                begin = -1
        if begin >= 0:
            yield begin, len(data)
