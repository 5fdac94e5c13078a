"""A segment while it grows: each frame follows on the one before, and knows what was durable by then.

    create ── put, put, ... ── sync ── name ── put, ...

After a call that failed nobody can say what is in it: whoever makes it gives it up.
"""

from __future__ import annotations

from migrate.journal.files import Files
from migrate.journal.frames import Kind, Sealer
from migrate.journal.recovery import Ref


class Growing:
    """Segment ``number``, which is made now. Not thread-safe: whoever appends to it orders that.

    ``tag`` is that of the frame before the next, ``size_bytes`` what it holds. Each call raises OSError.
    """

    def __init__(self, files: Files, sealer: Sealer, number: int, tag: bytes) -> None:
        self._files = files
        self._sealer = sealer
        self.number = number
        self.tag = tag
        self.size_bytes = 0
        files.create(number)

    def put(
        self,
        kind: Kind,
        count: int,
        first: int,
        table: bytes,
        stored: bytes = b"",
        raw_bytes: int = 0,
        *,
        durable: int,
        floor: int,
    ) -> Ref:
        """Append a frame of ``count`` records from ``first`` on and return where it is."""
        raw = self._sealer.seal(
            kind,
            count=count,
            first=first,
            durable=durable,
            floor=floor,
            segment=self.number,
            previous=self.tag,
            table=table,
            data_bytes=len(stored),
            raw_bytes=raw_bytes,
        )
        header = self._sealer.parse(raw)
        assert header is not None
        self._files.append(self.number, (raw, table, stored))
        ref = Ref(self.number, self.size_bytes, header)
        self.size_bytes += header.size_bytes
        self.tag = header.tag
        return ref

    def sync(self) -> None:
        """Return when what was put is durable."""
        self._files.sync(self.number)

    def name(self) -> None:
        """Return when what was put is durable, and that the segment is there."""
        self.sync()
        self._files.sync_names()
