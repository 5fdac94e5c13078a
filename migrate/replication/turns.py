"""How the threads of one pass wait for each other: a lock, and waiting for what others do under it.

``threading.Condition`` is one. Whoever makes the threads brings it, so that a made-up world can decide
who goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol

from migrate.replication.channel import Channel


class Turns(Protocol):
    """One thread at a time within; ``wait_for`` lets others in meanwhile."""

    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
    def wait_for(self, predicate: Callable[[], bool], /) -> object:
        """Return when that holds; asked again whenever somebody notifies."""
        ...

    def notify_all(self) -> None: ...


MakeTurns = Callable[[], Turns]
Start = Callable[[str, Callable[[], None]], object]


def cut_off(turns: Turns, channels: Sequence[Channel]) -> None:
    """Close the channels and return when their threads have taken all of them out of the sequence.

    Nobody comes in any more: whoever calls this has seen to it, under the same lock.
    """
    with turns:
        left = tuple(channels)
        turns.notify_all()
    for channel in left:
        channel.close()
    with turns:
        turns.wait_for(lambda: not channels)


def in_thread(name: str, work: Callable[[], None]) -> None:
    """Do the work in a thread of its own, which ends with the process."""
    threading.Thread(target=work, name=name, daemon=True).start()
