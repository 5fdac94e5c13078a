"""Mending: a way on for a journal that rotted.

    volumes poisoned ── intent ── what is broken set aside ── cut before it ── a new epoch ── intent gone

Checkpoints before the damage stay, what came behind it is kept aside for people to look at, and the next
pass of each volume compares. The intent is durable first: a mending that was cut off is done again from
there before the journal is opened, so no state between is ever offered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from migrate.disks.durable import remove_file, replace_file, sync_directory
from migrate.journal.cover import MERGED_FROM, Merged
from migrate.journal.directory import DirectoryFiles
from migrate.journal.files import Files
from migrate.journal.frames import Kind, Sealer
from migrate.journal.log import SEGMENT_BYTES, Log
from migrate.journal.members import Members, load_members, save_members
from migrate.journal.recovery import (
    Found,
    Ref,
    Rotten,
    highest,
    read_mark,
    read_stored,
    read_table,
    recover,
    scan,
    state_after,
)
from migrate.journal.state import State, epoch_mark, floor_mark, promoted_mark, seal_mark
from migrate.journal.writes import ROW, is_stored
from planner.errors import Corrupt, NotFound
from planner.names import visible

_INTENT: Final = "mending.json"
_ASIDE: Final = "broken-"
_ROUND: Final = 1_000_000  # so that people see where numbers went on


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a journal: where the broken one is, why, and which checkpoints stay."""

    aside: Path
    why: str
    checkpoints: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Intent:
    """Segments ``keep`` stay as they are, ``cut`` (when it is not 0) up to byte ``end``; the rest goes aside.

    The new journal goes on behind record ``last`` and gives the numbers up to ``given`` to nothing;
    ``epoch`` is that of the broken one.
    """

    aside: str
    keep: tuple[int, ...]
    cut: int
    end: int
    floor: int
    last: int
    given: int
    epoch: int
    why: str


def damage(files: Files, name: str) -> Rotten | None:
    """Return what is broken first in a journal, by reading all of it, None when nothing is.

    Raises JournalCorrupt for what no cut before it helps, OSError.
    """
    try:
        found = recover(files, Sealer(name, files.key))
    except Rotten as rotten:
        return rotten
    for at, ref in enumerate(found.frames):
        if ref.header.kind is Kind.WRITES and not is_stored(read_table(files, ref), read_stored(files, ref)):
            return Rotten(ref.segment, ref.offset, _before(files, found, at))
    return None


def resync(folder: Path, name: str, poison: Callable[[], None]) -> Mended:
    """Go on before the damage of the journal in ``folder``, which nobody has open.

    ``poison`` records durably that the content of each volume is unknown. Raises NotFound when nothing is
    broken, JournalCorrupt, OSError.
    """
    files = DirectoryFiles(folder)
    try:
        broken = damage(files, name)
        if broken is None:
            raise NotFound(f"nothing is broken in the journal of {visible(name, 200)}", "leave it as it is")
        intent = _intended(files, folder, name, broken)
    finally:
        files.close()
    poison()
    replace_file(folder / _INTENT, json.dumps(asdict(intent), indent=1).encode())
    kept = finish(folder, name)
    return Mended(folder / intent.aside, intent.why, kept)


def finish(folder: Path, name: str) -> tuple[int, ...]:
    """Do what an intent in ``folder`` says, if there is one, and return which checkpoints stay.

    Raises JournalCorrupt, Corrupt, OSError.
    """
    if not (folder / _INTENT).is_file():
        return ()
    intent = _read(folder / _INTENT)
    _set_aside(folder, intent)
    members = load_members(folder, name) or Members()
    # a disk that joined behind the cut is compared as a whole before the next checkpoint
    since = {volume: min(record, intent.last + 1) for volume, record in members.since.items()}
    save_members(folder, name, replace(members, since=since))
    files = DirectoryFiles(folder)
    try:
        log = _begun(files, name, intent)
        log.skip(intent.given)
        log.commit()
        log.mark(seal_mark())
        log.commit()
        kept = tuple(sorted(log.state.checkpoints))
    finally:
        files.close()
    remove_file(folder / _INTENT)
    return kept


def _begun(files: Files, name: str, intent: _Intent) -> Log:
    """Return the log that goes on; what is known of the floor and the new epoch are not durable yet."""
    if not intent.keep and not intent.cut:
        known = State(epoch=intent.epoch + 1, why=intent.why, floor=intent.last, promoted=intent.last)
        return Log(files, name, Found(known, last=intent.last))
    found = scan(files, Sealer(name, files.key))
    log = Log(files, name, found)
    if intent.floor > log.state.floor:
        log.mark(floor_mark(intent.floor))
    # that segments went is known, though the word of it may be behind the cut
    log.mark(promoted_mark(found.frames[0].header.first - 1))
    log.mark(epoch_mark(intent.why))
    return log


def _given(files: Files, name: str) -> int:
    """Return a number that no record of a broken journal had, and none of what it may have lost.

    A record takes a row at least. What was cut off from the newest segment is no more than a segment.
    """
    known, behind = highest(files, Sealer(name, files.key))
    return (known + (behind + SEGMENT_BYTES) // ROW.size) // _ROUND * _ROUND + _ROUND


def _intended(files: Files, folder: Path, name: str, broken: Rotten) -> _Intent:
    before = broken.before
    taken = [path.name for path in folder.iterdir() if path.name.startswith(_ASIDE)]
    aside = f"{_ASIDE}{len(taken) + 1}"
    state = before.state
    given = _given(files, name)
    why = f"the journal was broken: {broken.message}"
    if not before.frames or before.last < state.floor:  # nothing before it can be offered
        last = max(before.last, state.floor)
        return _Intent(aside, (), 0, 0, state.floor, last, given, state.epoch, why)
    segments = tuple(dict.fromkeys(ref.segment for ref in before.frames))
    newest = before.frames[-1]
    if newest.segment >= MERGED_FROM:  # whole, or it would not be there
        return _Intent(aside, segments, 0, 0, state.floor, before.last, given, state.epoch, why)
    end = newest.offset + newest.header.size_bytes
    return _Intent(
        aside, segments[:-1], newest.segment, end, state.floor, before.last, given, state.epoch, why
    )


def _set_aside(folder: Path, intent: _Intent) -> None:
    """Move aside what is not kept; what is there already is ours, of a mending that was cut off."""
    aside = folder / intent.aside
    aside.mkdir(mode=0o700, exist_ok=True)
    for number in DirectoryFiles(folder).numbers():
        path = folder / f"{number:010d}.segment"
        there = aside / path.name
        if number in intent.keep:
            continue
        if number != intent.cut:
            if there.exists():
                path.unlink()
            else:
                path.rename(there)
        elif path.stat().st_size > intent.end:
            if not there.exists():
                os.link(path, there)
            replace_file(path, path.read_bytes()[: intent.end])
    for path in folder.glob("*.index"):
        path.unlink()  # it is made again
    sync_directory(aside)
    sync_directory(folder)


def _before(files: Files, found: Found, at: int) -> Found:
    """Return what stands before the frame at a place; a merged segment stays whole or not at all."""
    number = found.frames[at].segment
    if number >= MERGED_FROM:
        at = next(place for place, ref in enumerate(found.frames) if ref.segment == number)
    frames = found.frames[:at]
    state = state_after(files, frames).marked(floor_mark(found.state.floor), 0)
    return Found(state, frames, _last(files, frames))


def _last(files: Files, frames: Sequence[Ref]) -> int:
    if not frames:
        return 0
    opening = next(ref for ref in frames if ref.segment == frames[-1].segment)
    if opening.header.kind is Kind.MERGED:
        return Merged.load(read_mark(files, opening)).last
    return frames[-1].header.last


def _read(path: Path) -> _Intent:
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        return _Intent(**{**told, "keep": tuple(told["keep"])})
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            f"{visible(str(path), 200)} does not say how the journal is mended", "bring it back"
        ) from error
