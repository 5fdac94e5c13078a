"""All ties for the screens, refused ones too: filtered and sorted here, handed out page by page.

A row begins with its key, then come the fields of ``planner.places.TIE_WORDS``; its last two are the ids of
its ends.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from tui.study.between import between, standing

if TYPE_CHECKING:
    from planner.graph import Edge
    from tui.study.room import Room

_KEPT = "edges"
_MOST = 2_000  # ties that are decided on at once
_STATES = {"accept": "accepted", "refuse": "refused", "": "found"}
Row = tuple[Any, ...]


def key_of(edge: Edge) -> str:
    """Return what tells a tie from every other one, also in the next snapshot."""
    port = "" if edge.port is None else str(edge.port)
    return "\x1f".join((edge.source, edge.target, port, edge.tie.value, edge.kind))


class _Table:
    """The rows of one snapshot and plan, and the ones that were asked for last."""

    def __init__(self, room: Room) -> None:
        from planner.graph import refused_edges

        self.known, self.plan = room.known, standing(room)
        self.edges = (*room.known.edges, *refused_edges(room.inventory))
        self.order: list[int] = []
        self._between = between(room)

    @cached_property
    def rows(self) -> list[Row]:
        """Every tie as a row."""
        return [self._row(edge) for edge in self.edges]

    @cached_property
    def at(self) -> dict[str, int]:
        """Where each tie is, by its key."""
        return {row[0]: number for number, row in enumerate(self.rows)}

    def _row(self, edge: Edge) -> Row:
        from planner.graph.edge import PERSON

        vms, found, waves = self.known.vms, self._between, self.plan.waves
        first, second = waves.get(edge.source), waves.get(edge.target)
        crosses = "" if first is None or second is None else "no" if first == second else "yes"
        groups = (found.home.get(edge.source), found.home.get(edge.target))
        carried = found.a_day(edge)
        return (
            key_of(edge),
            vms[edge.source].name,
            vms[edge.target].name,
            edge.tie.value,
            edge.kind,
            edge.port,
            None if carried is None else round(carried),
            round(edge.confidence * 100),
            "added" if edge.kind == PERSON else _STATES[edge.decision],
            crosses,
            *("" if at is None else found.groups[at].name for at in groups),
            edge.reason,
            edge.evidence,
            edge.decided,
            edge.source,
            edge.target,
        )


def _table(room: Room) -> _Table:
    found = room.kept.get(_KEPT)
    if not isinstance(found, _Table) or found.known is not room.known or found.plan is not standing(room):
        found = room.kept[_KEPT] = _Table(room)
    return found


def find(
    room: Room, text: str = "", sort: int | None = None, reverse: bool = False, crossing: bool = False
) -> dict[str, Any]:
    """Choose and sort ties; return how many there are and how many match. ``sort`` is a field of the row.

    Raises BadInput for a filter that cannot be read.
    """
    from planner.places import TIE_WORDS
    from planner.query import parse
    from planner.store import filters

    table = _table(room)
    rows = table.rows
    order = range(len(rows)) if not crossing else [at for at, row in enumerate(rows) if row[9] == "yes"]
    if text:
        wanted = parse(text, TIE_WORDS, filters.texts(room.project, "ties"))
        order = [at for at in order if wanted.matches(rows[at])]
    order = list(order)
    if sort is not None:
        known = [at for at in order if rows[at][sort] not in (None, "")]
        known.sort(key=lambda at: _comparable(rows[at][sort]), reverse=reverse)
        order = known + [at for at in order if rows[at][sort] in (None, "")]
    elif reverse:
        order.reverse()
    table.order = order
    return {"total": len(rows), "matching": len(order)}


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def page(room: Room, first: int, count: int) -> list[Row]:
    """Return rows of what was found last."""
    table = _table(room)
    return [table.rows[at] for at in table.order[first : first + count]]


def keys(room: Room) -> list[str]:
    """Return the keys of all that was found last; raises BadInput when they are too many to mark."""
    table = _table(room)
    if len(table.order) > _MOST:
        raise BadInput(
            f"{len(table.order)} ties match, and at most {_MOST} are marked at once", "filter them"
        )
    return [table.rows[at][0] for at in table.order]


def _chosen(room: Room, wanted: list[str]) -> list[Edge]:
    table = _table(room)
    missing = [key for key in wanted if key not in table.at]
    if missing or not wanted:
        raise BadInput(
            "no tie was chosen" if not wanted else f"{len(missing)} of the ties chosen are no longer there",
            "look at the table again",
        )
    return [table.edges[table.at[key]] for key in wanted]


def rule(room: Room, ruling: str, keys: list[str], why: str = "") -> dict[str, Any]:
    """Accept or refuse these ties, all or none."""
    from planner.model import Ruling
    from tui.acts.deciding import decide_ties

    ties = list(dict.fromkeys((edge.source, edge.target, edge.port) for edge in _chosen(room, keys)))
    return {"count": decide_ties(room.project, Ruling(ruling), ties, why=why, inventory=room.inventory)}


def forget(room: Room, keys: list[str]) -> dict[str, Any]:
    """Take back what was decided on these ties; returns how many words that were."""
    from tui.acts.deciding import forget as take_back

    decided = [edge for edge in _chosen(room, keys) if edge.decision]
    if not decided:
        raise BadInput(
            "nobody decided on what was chosen", "choose ties that were accepted, refused or added"
        )
    words = room.inventory.decisions
    wanted: dict[tuple[str, str], set[int | None]] = {}
    for edge in decided:
        a, b = sorted((edge.source, edge.target))
        on_port = any({item.a, item.b} == {a, b} and item.port == edge.port for item in words)
        wanted.setdefault((a, b), set()).add(edge.port if on_port else None)
    return {
        "count": sum(
            take_back(room.project, pair, port).count
            for pair, ports in wanted.items()
            for port in ([None] if None in ports else sorted(port for port in ports if port is not None))
        )
    }


WRITES = frozenset({"edges.rule", "edges.forget"})
OPS = {
    "edges.find": find,
    "edges.page": page,
    "edges.keys": keys,
    "edges.rule": rule,
    "edges.forget": forget,
}
