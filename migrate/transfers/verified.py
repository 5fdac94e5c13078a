"""One disk held against a receiver's: compared, repaired from its source when asked, compared again.

A repair is a pass that compares by digests of its own around what was found, or the whole disk when
not all of it was looked at, and sends what differs. Nothing is called good by it: only the comparison
of everything that follows does that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from migrate.keys.names import Holder
from migrate.replication.channel import ChannelClosed
from migrate.replication.comparing import Likeness, compare
from migrate.replication.coverage import Coverage, Method, full
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.tls import TlsChannel
from migrate.replication.trees import DiskTree
from migrate.transfers.direct import OneDisk
from planner.errors import Unreachable

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. ``first`` is before a repair, ``last`` after it; the same when there was none.

    ``peer`` and ``serial`` are who answered the last comparison.
    """

    first: Likeness
    last: Likeness
    repaired_bytes: int
    peer: Holder
    serial: str

    @property
    def was_repaired(self) -> bool:
        """True when something was sent again."""
        return self.last is not self.first


def verify_disk(
    source: OneDisk,
    connect: Callable[[], TlsChannel],
    volume: str,
    choose: Callable[[DiskTree], Coverage],
    report: Report,
    *,
    repair: bool = False,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Outcome:
    """Compare what ``choose`` picks; with ``repair`` send again what differs and compare everything.

    ``report`` gets what is done, bytes done and all bytes. Raises Unreachable, and what the receiver
    refuses with.
    """
    try:
        first, peer, serial = _compared(source, connect, volume, choose, report)
        if first.equal or not repair:
            return Outcome(first, first, 0, peer, serial)
        # What a sample or a part did not see may differ too, so then everything is compared.
        only = first.differing if first.coverage.method is Method.FULL else None
        with closing(source.open_read(volume)) as disk, closing(connect()) as channel:
            sent = send_pass(
                disk,
                channel,
                PassSpec(volume, f"repair {random_bytes(16).hex()}", disk.size_bytes, only=only),
                mode=Mode.COMPARE,
                adapts=True,
                progress=lambda moving: report("repair", moving.done_bytes, moving.total_bytes),
            )
        last, peer, serial = _compared(source, connect, volume, lambda tree: full(tree.size_bytes), report)
    except ChannelClosed as error:
        raise Unreachable(f"the receiver went away: {error}", "run the verb again") from error
    return Outcome(first, last, sent.sent_bytes + sent.zero_bytes, peer, serial)


def _compared(
    source: OneDisk,
    connect: Callable[[], TlsChannel],
    volume: str,
    choose: Callable[[DiskTree], Coverage],
    report: Report,
) -> tuple[Likeness, Holder, str]:
    with closing(source.open_read(volume)) as disk:
        tree = DiskTree(disk, disk.size_bytes)
        coverage = choose(tree)  # before we connect: a receiver does not wait long for the first word
        with closing(connect()) as channel:
            found = compare(
                tree, channel, volume, coverage, progress=lambda done, total: report("verify", done, total)
            )
            peer, serial = channel.peer()
            return found, peer, serial
