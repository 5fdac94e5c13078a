"""Runs that stay as they are, said once where one follows the other: most of a comparison is nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from migrate.replication.blocks import Piece
from migrate.replication.wire import Kind
from planner.units import MIB

_MOST: Final = 64 * MIB  # so much is compared again, at most, after a line broke


class Keeping:
    """Puts off the last KEEP of one connection as long as what follows may belong to it."""

    def __init__(self) -> None:
        self._kept: Piece | None = None

    def joined(self, pieces: Iterable[Piece]) -> list[Piece]:
        """Return what is to be sent of these pieces, and of what was put off, in order."""
        found: list[Piece] = []
        for piece in pieces:
            kept = self._kept
            if piece.kind is not Kind.KEEP:
                found += [*self.last(), piece]
            elif kept is None or kept.offset + kept.length != piece.offset or kept.length >= _MOST:
                found += self.last()
                self._kept = piece
            else:
                self._kept = Piece(Kind.KEEP, kept.offset, kept.length + piece.length)
        return found

    def last(self) -> list[Piece]:
        """Return what was put off, to be sent now."""
        kept, self._kept = self._kept, None
        return [] if kept is None else [kept]
