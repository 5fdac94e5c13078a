"""What the guest writes, and what its disks must hold of it at any instant.

    record n to A, fsync ── said ── record n to B, fsync ── said ── record n + 1 to A ...

So at every checkpoint A holds as many records as B or one more, all that were said before, each whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RECORD_BYTES: Final = 512
STATE_EVERY: Final = 4  # records, after which a small file is replaced by a new one
DISKS: Final = ("a", "b")


@dataclass(frozen=True, slots=True)
class Held:
    """What a disk holds: its records, and the file that is replaced, None when there is none."""

    records: bytes
    state: bytes | None


def text(number: int) -> bytes:
    """Return record ``number`` as the guest writes it."""
    word = b"%d " % (100_000_000 + number)
    return word * 51 + b".\n"


def count(records: bytes) -> int:
    """Return how many records there are, whole and in order from 1 on; -1 when that is not all."""
    number, rest = divmod(len(records), RECORD_BYTES)
    wanted = b"".join(map(text, range(1, number + 1)))
    return -1 if rest or records != wanted else number


def complaints(held: Mapping[str, Held], said: Mapping[str, int]) -> list[str]:
    """Return what is wrong with two disks at a checkpoint before which these records had been said."""
    counts = {disk: count(held[disk].records) for disk in DISKS}
    wrong = [f"records of {disk} are broken" for disk in DISKS if counts[disk] < 0]
    if wrong:
        return wrong
    for disk in DISKS:
        if counts[disk] < said[disk]:
            wrong.append(f"records of {disk} are lost: {said[disk]} were said, {counts[disk]} are there")
        wrong += _state_complaints(disk, held[disk].state, counts[disk], said[disk])
    if not counts["b"] <= counts["a"] <= counts["b"] + 1:
        wrong.append(f"a and b are of different instants: {counts['a']} and {counts['b']} records")
    return wrong


def _state_complaints(disk: str, state: bytes | None, there: int, said: int) -> list[str]:
    newest = there - there % STATE_EVERY
    fitting = {newest}
    if newest == there and there > said:  # written, and its file not replaced yet
        fitting.add(newest - STATE_EVERY)
    texts = {b"%d\n" % number if number > 0 else None for number in fitting}
    return [] if state in texts else [f"the file replaced on {disk} is {state!r} at {there} records"]
