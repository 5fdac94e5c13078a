"""Everything that was done, for the screens: filtered and sorted here, handed out page by page.

A row begins with its key, then come the fields of ``planner.places.ACT_WORDS``. What was found
stays as it was until it is asked for again, so that no row moves while somebody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.acts import Acts
    from tui.study.room import Room

_KEPT = "acts"
Row = tuple[Any, ...]


class _Found:
    """All acts as far as they were read, and those that were found last."""

    def __init__(self, acts: Acts) -> None:
        self.acts = acts
        self.order: Sequence[int] = ()
        self.seen = 0  # how many there were then


def _found(room: Room) -> _Found:
    found = room.kept.get(_KEPT)
    if not isinstance(found, _Found):
        from migrate.acts import Acts

        found = room.kept[_KEPT] = _Found(Acts(room.project))
    return found


def newest(room: Room, count: int) -> list[Row]:
    """Return rows of the newest acts, the newest first: what is shown until all are read."""
    from migrate.acts import newest as found

    return [act.row for act in reversed(found(room.project, count))]


def find(room: Room, text: str = "", sort: int | None = None, reverse: bool = False) -> dict[str, Any]:
    """Choose and sort acts, the newest first; return how many there are and how many match.

    ``sort`` is a field of the row. Raises BadInput for a filter that cannot be read.
    """
    from planner.places import ACT_WORDS
    from planner.query import parse
    from planner.store import filters

    found = _found(room)
    wanted = parse(text, ACT_WORDS, filters.texts(room.project, "acts")) if text else None
    found.acts.refresh()
    every = found.acts.all
    order: Sequence[int] = range(len(every) - 1, -1, -1)
    if wanted is not None:
        order = [at for at in order if wanted.matches(every[at].row)]
    if sort is not None:
        order = sorted(order, key=lambda at: every[at].row[sort], reverse=reverse)
    elif reverse:
        order = order[::-1]
    found.order, found.seen = order, len(every)
    return {"total": len(every), "matching": len(order)}


def page(room: Room, first: int, count: int) -> list[Row]:
    """Return rows of what was found last."""
    found = _found(room)
    return [found.acts.all[at].row for at in found.order[first : first + count]]


def newer(room: Room) -> dict[str, int]:
    """Return how many acts were written since they were looked for last."""
    found = _found(room)
    found.acts.refresh()
    return {"newer": len(found.acts.all) - found.seen}


def one(room: Room, key: str) -> dict[str, Any]:
    """Return an act with all that is on record of it; raises NotFound."""
    from planner.errors import NotFound

    acts = _found(room).acts
    acts.refresh()
    act = next((act for act in reversed(acts.all) if act.key == key), None)
    if act is None:
        raise NotFound("it is no longer on record", "read the list again")
    return {**act._asdict(), **acts.on_record(act)}


def verify(room: Room) -> dict[str, Any]:
    """Return where the audit chain breaks, None when it is whole, and its length and last digest."""
    from migrate import audit

    last = room.project.rows("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")
    return {
        "broken_at": audit.broken_at(room.project),
        "lines": last[0]["seq"] if last else 0,
        "digest": last[0]["digest"] if last else "",
    }


WRITES: frozenset[str] = frozenset()
OPS = {
    "acts.newest": newest,
    "acts.find": find,
    "acts.page": page,
    "acts.newer": newer,
    "acts.one": one,
    "acts.verify": verify,
}
