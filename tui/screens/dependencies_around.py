"""The group in the middle with what uses it and what it needs: a drawing to walk through by its edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message

from planner.sized import show_size, size_of
from tui.drawings.cells import Picture, at
from tui.drawings.neighbours import Edge, Middle, by_traffic, neighbours
from tui.text import line, plural, stack
from tui.widgets.panel import Panel


def wave_words(waves: Sequence[str], planned: bool) -> str:
    """Return ``W03``, ``W03 +1`` for more, ``stays`` for what no wave holds, nothing without a plan."""
    if not waves:
        return "stays" if planned else ""
    return waves[0] if len(waves) == 1 else f"{waves[0]} +{len(waves) - 1}"


def _edge(said: Mapping[str, Any], planned: bool) -> Edge:
    return Edge(
        said["key"],
        said["group"],
        wave_words(said["waves"], planned),
        tuple(map(str, said["ports"])),
        said["day_bytes"],
        across=bool(said["across"]),
        hot=said["hot"],
    )


class Around(Panel):
    """A group with its edges, one of them selected. Posts ``Chosen`` and ``Followed``."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "choose(-1)", "edge before", show=False),
        Binding("down,j", "choose(1)", "next edge", show=False),
        Binding("left", "side(0)", "to those that use it", show=False),
        Binding("right", "side(1)", "to those it needs", show=False),
    ]

    class Chosen(Message):
        """Another edge is selected."""

    class Followed(Message):
        """The selected edge is to be followed."""

    def __init__(self, id: str) -> None:
        super().__init__(id, "", "←→↑↓ edge · enter follows · ⌫ back")
        self._said: Mapping[str, Any] | None = None
        self._sides: tuple[list[Edge], list[Edge]] = ([], [])
        self._by_key: dict[str, Mapping[str, Any]] = {}
        self._picture = Picture((), {})
        self.selected: str | None = None

    @property
    def edge(self) -> Mapping[str, Any] | None:
        """The edge that is selected, as it was told."""
        return self._by_key.get(self.selected or "")

    def tell(self, said: Mapping[str, Any] | None) -> None:
        """Show a group as it was told; None while none is. The selection stays when it can."""
        if said is self._said:
            return
        same = said is not None and self._said is not None and said["name"] == self._said["name"]
        self._said = said
        edges = said["edges"] if said else []
        planned = bool(said and said["planned"])
        self._by_key = {edge["key"]: edge for edge in edges}
        above, below = ([_edge(one, planned) for one in edges if one["above"] is up] for up in (True, False))
        self._sides = by_traffic(above), by_traffic(below)
        if not same or self.selected not in self._by_key:
            first = [*self._sides[1], *self._sides[0]]
            crossing = next((edge for edge in first if edge.across and edge.hot), None)
            self.selected = str((crossing or first[0]).key) if first else None
        self.draw()

    def draw(self) -> None:
        """Draw it as large as there is room."""
        width, height = self.content_size
        if self._said is None or width <= 0:
            return
        said = self._said
        words = [plural(len(said["vms"]), "VM"), show_size(size_of(said["size_bytes"], said["sized"]))]
        wave = wave_words(said["waves"], said["planned"])
        notes = [" · ".join([*filter(None, [wave]), *words])]
        if said["shared_services"]:
            notes.append("serves all: ties to its users close no group")
        if said["apart"]:
            notes.append(f"must stay apart from {', '.join(said['apart'][:3])}")
        self._picture = neighbours(
            Middle(said["name"], tuple(notes)), *self._sides, width, height, self.selected
        )
        self.show(stack(self._picture.lines))

    def say(self, words: str) -> None:
        """Show words instead of a drawing."""
        self._said, self._by_key, self._sides, self.selected = None, {}, ([], []), None
        self._picture = Picture((), {})
        self.show(line((words, "dim")), top=True)

    def on_resize(self) -> None:
        """Draw it anew."""
        self.draw()

    def _choose(self, edge: Edge) -> None:
        if edge.key != self.selected:
            self.selected = str(edge.key)
            self.draw()
            self.post_message(self.Chosen())

    def action_choose(self, by: int) -> None:
        """Select the next edge."""
        edges = [*self._sides[0], *self._sides[1]]
        here = next((at for at, edge in enumerate(edges) if edge.key == self.selected), 0)
        if edges:
            self._choose(edges[max(0, min(here + by, len(edges) - 1))])

    def action_side(self, side: int) -> None:
        """Select the busiest edge of a side."""
        if self._sides[side]:
            self._choose(self._sides[side][0])

    def on_click(self, event: events.Click) -> None:
        """A click selects an edge, on the selected one it follows."""
        spot = event.screen_offset - self.content_region.offset  # the lines within may have taken it
        key = at(self._picture.spots, spot.y + round(self.scroll_y), spot.x)
        edge = next((one for side in self._sides for one in side if one.key == key), None)
        if edge is None:
            return
        if edge.key == self.selected and event.chain == 2:
            self.post_message(self.Followed())
        self._choose(edge)
