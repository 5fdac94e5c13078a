"""Which segments a log is read from, where some stand for others that may be there still.

    plain 4 · plain 5 · plain 6 · plain 7                 merged: stands for 4 to 6

A merged segment and its name are durable before the first it stands for is deleted. So as long as all
of those are there it may be half made, and is left out; once one of them is gone, it is whole or it rotted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from migrate.journal.frames import DIGEST_BYTES, Header, JournalCorrupt

MERGED_FROM: Final = 2**31  # numbers of merged segments are greater, those of others are less


@dataclass(frozen=True, slots=True)
class Merged:
    """How a merged segment begins: it stands for the segments ``start`` to ``end``.

    These ended with record ``last`` in a frame of tag ``tag``, and ``state`` is what was known then.
    ``frames`` of writes follow, no more and no less.
    """

    start: int
    end: int
    last: int
    tag: bytes
    frames: int
    state: Mapping[str, Any]

    def dump(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "start": self.start,
            "end": self.end,
            "last": self.last,
            "tag": self.tag.hex(),
            "frames": self.frames,
            "state": dict(self.state),
        }

    @staticmethod
    def load(plain: Mapping[str, Any]) -> Merged:
        """Return what ``dump`` made plain; raises JournalCorrupt."""
        try:
            start, end, last, frames = (int(plain[key]) for key in ("start", "end", "last", "frames"))
            tag = bytes.fromhex(plain["tag"])
            if start <= end < MERGED_FROM and len(tag) == DIGEST_BYTES and isinstance(plain["state"], dict):
                return Merged(start, end, last, tag, frames, plain["state"])
        except (KeyError, TypeError, ValueError):
            pass
        raise JournalCorrupt("a merged segment of a journal begins with what makes no sense")


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of a log, which stands for the segments ``start`` to ``end``: itself, or merged ones.

    ``header`` is that of the first frame of a merged one.
    """

    number: int
    start: int
    end: int
    merged: Merged | None = None
    header: Header | None = None


def cover(parts: Iterable[Part]) -> list[Part]:
    """Return the parts a log is read from, in order: the newest that follow on each other.

    Older ones are left of an interrupted trim. What parts stand for lies apart or within each other, for
    a merging takes whole parts of a log.
    """
    chosen: dict[int, Part] = {}
    for part in sorted(parts, key=lambda part: (part.end - part.start, part.merged is not None)):
        inside = [one for one in chosen.values() if part.start <= one.start and one.end <= part.end]
        if sum(one.end + 1 - one.start for one in inside) < part.end + 1 - part.start:
            for one in inside:
                del chosen[one.start]
            chosen[part.start] = part
    found: list[Part] = []
    for part in sorted(chosen.values(), key=lambda part: part.start, reverse=True):
        if found and part.end != found[-1].start - 1:
            break
        found.append(part)
    return found[::-1]
