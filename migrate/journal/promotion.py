"""Promotion: what is old moves from the journal into the replicas, and its segments go.

    floor, durable and witnessed ── writes to the replicas ── flush ── promoted, durable ── trim

From the floor on no checkpoint before it is offered, for the replicas may be anywhere between it and
where they were. Every later checkpoint stays whole meanwhile: its image reads these records from the
journal. A promotion that was cut off is done again from its beginning; the end is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from migrate.disks.ports import WritableDisk
from migrate.journal.files import Files
from migrate.journal.frames import Kind
from migrate.journal.log import Log
from migrate.journal.recovery import Ref, read_data, read_table
from migrate.journal.state import promoted_mark
from migrate.journal.writes import Row, cut, rows


def promote(
    log: Log,
    files: Files,
    disks: Mapping[int, WritableDisk],
    record: int,
    pace: Callable[[int], None] = lambda _bytes: None,
) -> None:
    """Bring the replicas to the checkpoint at ``record`` and withdraw those before it.

    ``disks`` are the replicas by number, open for writing. ``pace`` is told the bytes of each step and
    may raise, to stop. Raises JournalCorrupt before anything is written when a record cannot be read,
    NotFound, ProjectBusy when an image of an earlier one is open, OSError, FlushFailed.
    """
    with log.moving, log.reading() as (refs, count):
        frames = refs[:count]
        for row, _data in replay(files, frames, log.state.promoted, record):
            # what cannot be read is better known before checkpoints are withdrawn for it
            pace(0 if row.at < 0 else row.length)
        log.withdraw(record)
        for row, data in replay(files, frames, log.state.promoted, record):
            if row.at < 0:
                disks[row.disk].zero(row.offset, row.length)
            else:
                disks[row.disk].write(data, row.offset)
            pace(0 if row.at < 0 else row.length)
        for disk in disks.values():
            disk.flush()
        log.mark(promoted_mark(record))
        log.commit()
    log.trim()


def replay(files: Files, frames: Sequence[Ref], after: int, upto: int) -> Iterator[tuple[Row, bytes]]:
    """Yield the writes after record ``after`` up to ``upto`` in order; raises JournalCorrupt, OSError."""
    for ref in frames:
        header = ref.header
        if header.kind is not Kind.WRITES or header.last <= after or header.first > upto:
            continue
        data = read_data(files, ref)
        for record, row in enumerate(rows(header, read_table(files, ref)), header.first):
            if after < record <= upto:
                yield row, cut(row, data)
