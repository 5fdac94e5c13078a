"""Ties as a person names, filters and decides them on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.graph import Edge
    from planner.model import Ruling
    from planner.store.inventories import StoredInventory
    from planner.store.project import Project

_STATES = {"accepted": "accept", "refused": "refuse", "open": ""}


def tie_document(edge: Edge, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the document of one tie, its ends by id and name."""
    return {
        **asdict(edge),
        "source_name": names.get(edge.source, ""),
        "target_name": names.get(edge.target, ""),
        "refusable": edge.refusable,
    }


def matching(edges: Sequence[Edge], names: Mapping[str, str], terms: Sequence[str]) -> list[Edge]:
    """Return the edges that all terms choose; raises BadInput for a term with an unknown key or value."""
    found = list(edges)
    for term in (word for text in terms for word in text.split()):
        found = [edge for edge in found if _chooses(term, edge, names)]
        if not edges:
            _chooses(term, None, names)
    return found


def _chooses(term: str, edge: Edge | None, names: Mapping[str, str]) -> bool:
    from planner.errors import BadInput
    from planner.model import Tie

    key, colon, value = term.partition(":")
    if key == "tie" and colon:
        if value not in set(Tie):
            raise BadInput(f"{value!r} is no tie", f"use one of: {', '.join(Tie)}")
        return edge is not None and edge.tie == value
    if key == "kind" and colon:
        return edge is not None and edge.kind == value
    if key == "port" and colon:
        if not value.isdecimal():
            raise BadInput(f"{value!r} is no port", "write it like port:1433")
        return edge is not None and edge.port == int(value)
    if edge is None:
        return False
    if term == "decided":
        return bool(edge.decision)
    if term in _STATES:
        return edge.decision == _STATES[term]
    text = f"{names.get(edge.source, '')}\n{names.get(edge.target, '')}\n{edge.reason}"
    return term.casefold() in text.casefold()


def decide(
    project: Project,
    ruling: Ruling,
    names: tuple[str, ...],
    *,
    why: str,
    as_json: bool,
    port: int | None = None,
) -> None:
    """Remember a decision and tell what follows."""
    from tui.acts.deciding import decide as settle

    found = settle(project, ruling, names, why=why, port=port)
    summary = {"ruling": ruling.value, "vms": list(found.vms), "port": port}
    tell(found.stored, found.said, summary, as_json)


def tell(stored: StoredInventory | None, said: str, summary: dict[str, Any], as_json: bool) -> None:
    """Tell what a decision led to."""
    if as_json:
        data({**summary, "inventory": stored.id if stored else None})
        return
    line(said)
    if stored:
        line(f"inventory {stored.id}: {len(stored.inventory.decisions)} decisions count")
    say("next: wherry plan, which then says what it changes")
