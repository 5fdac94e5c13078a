"""A group and what it talks to: who uses it above, what it needs below, each edge with its figures.

  web-dmz   W06  ── 8080 ────────┐   6.1 GiB   0.8 → 14 ms   ▲ hot across waves
                                 ▼
                          ╔════════════╗
                          ║ crm        ║
                          ╚══════╤═════╝
▸ mdm       W10  ◂═ 10000 ═══════┘   unknown   0.4 → ? ms    ◇ other wave
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from planner.names import visible
from planner.units import show_bytes
from tui.drawings.cells import Cells, Picture, Spot, first_shown
from tui.text import count as show_number
from tui.text import plural

LIST_BELOW = 70  # cells: narrower than this a list says the same
_ROOMY_FROM = 52  # cells: narrower than this a list has neither ports nor latency
_TRAFFIC, _LATENCY, _LISTED_PORTS = 11, 16, 10


@dataclass(frozen=True, slots=True)
class Edge:
    """What goes between the group and another one. None is not known.

    ``wave`` is shown as it is (``W06``, ``stays``). ``across``: the other end moves in another wave;
    ``hot``: the edge would suffer from it. ``key`` names the edge for the caller.
    """

    key: Hashable
    name: str
    wave: str = ""
    ports: tuple[str, ...] = ()
    day_bytes: float | None = None
    now_ms: float | None = None
    later_ms: float | None = None
    across: bool = False
    hot: bool = False


@dataclass(frozen=True, slots=True)
class Middle:
    """The group in the box: its name, and lines of what to know of it."""

    name: str
    notes: tuple[str, ...] = ()


def by_traffic(edges: Sequence[Edge]) -> list[Edge]:
    """Return edges in the order in which they are drawn: the busiest first, the unknown last."""
    return sorted(edges, key=lambda edge: (edge.day_bytes is None, -(edge.day_bytes or 0)))


def neighbours(
    middle: Middle,
    above: Sequence[Edge],
    below: Sequence[Edge],
    width: int,
    height: int,
    selected: Hashable | None = None,
) -> Picture:
    """Return the picture; the selected edge is always in it, and every edge drawn has a spot by its key."""
    users, needs = by_traffic(above), by_traffic(below)
    sketch = _Sketch(width, height, selected, middle)
    sketch.draw(users, needs)
    lines = tuple(cells.content() for cells in sketch.lines[: max(0, height)])
    return Picture(lines, {key: spot for key, spot in sketch.spots.items() if spot.line < len(lines)})


def traffic_words(day_bytes: float | None) -> str:
    """Return ``6.1 GiB``; what was not seen is unknown."""
    return "unknown" if day_bytes is None else show_bytes(day_bytes)


def latency_words(now_ms: float | None, later_ms: float | None) -> str:
    """Return ``0.8 → 14 ms``: now and as it would be."""
    if now_ms is None and later_ms is None:
        return "latency ?"
    now, later = ("?" if ms is None else f"{ms:.1f}" if ms < 10 else f"{ms:.0f}" for ms in (now_ms, later_ms))
    return f"{now} → {later} ms"


def _mark(edge: Edge) -> tuple[tuple[str, ...], str]:
    """Return the words of an edge from the longest to the shortest, and their tone."""
    if edge.hot and edge.across:
        return ("▲ hot across waves", "▲ hot", "▲"), "warn"
    if edge.across:
        return ("◇ other wave", "◇"), "dim"
    return ("",), ""


class _Sketch:
    """The picture while it is drawn, line by line from the top."""

    def __init__(self, width: int, height: int, selected: Hashable | None, middle: Middle) -> None:
        self.width, self.height = max(0, width), height
        self.selected, self.middle = selected, middle
        self.plain_list = width < LIST_BELOW
        self.trunk = width // 2 - 1
        self.has_latency = False
        self.lines: list[Cells] = []
        self.spots: dict[Hashable, Spot] = {}

    def line(self) -> Cells:
        self.lines.append(Cells(self.width))
        return self.lines[-1]

    def draw(self, users: list[Edge], needs: list[Edge]) -> None:
        notes = len(self.middle.notes)
        around = 2 + (1 + notes if self.plain_list else 4 + notes)
        room = max(2, self.height - around)
        most_above, most_below = max(1, len(users)), max(1, len(needs))
        lines_above = min(most_above, max(room // 2, room - most_below))
        known = any(ms is not None for edge in (*users, *needs) for ms in (edge.now_ms, edge.later_ms))
        self.has_latency = (
            known and self.width >= _ROOMY_FROM
        )  # a column of which nothing is known says nothing
        self.wave = min(10, max((cell_len(visible(edge.wave)) for edge in (*users, *needs)), default=0))
        self._heading("used by", len(users))
        self._side(users, lines_above, above=True)
        self._box(bool(users), bool(needs))
        if self.plain_list:
            self._heading("needs", len(needs))
        self._side(needs, room - lines_above, above=False)
        if not self.plain_list:
            self._heading("needs", len(needs))

    def _heading(self, words: str, many: int) -> None:
        """Say how many there are, at the far end of the picture or on top of a list."""
        cells = self.line()
        cells.put(2, f"{words} {plural(many, 'group')}" if many else words, "accent")
        if many and not self.plain_list:
            left = cells.put(self.trunk + 3, "a day", "dim", _TRAFFIC, right=True)
            if self.has_latency:
                cells.put(left + 2, "now → if moved", "dim", _LATENCY)

    def _side(self, edges: list[Edge], room: int, above: bool) -> None:
        if not edges:
            self.line().put(
                2, "· no flows seen from other groups" if above else "· no flows seen to other groups", "dim"
            )
            return
        shown: list[Edge] = edges
        rest: list[Edge] = []
        if len(edges) > room:
            chosen = next((at for at, edge in enumerate(edges) if edge.key == self.selected), None)
            fits = max(1, room - 1)
            first = first_shown(0, chosen, fits, len(edges))
            shown = edges[first : first + fits]
            rest = [*edges[:first], *edges[first + fits :]]
        for number, edge in enumerate(shown):
            end = number == len(shown) - 1 and not rest
            joint = "┐" if above and number == 0 else "┘" if not above and end else "┤"
            self._edge(edge, joint, above)
        if rest:
            self._rest(rest, above)

    def _edge(self, edge: Edge, joint: str, above: bool) -> None:
        chosen = edge.key == self.selected
        cells = self.line()
        words, tone = _mark(edge)
        cells.put(0, "▸" if chosen else " ", "accent")
        look = "accent" if chosen else tone if edge.hot else ""
        if self.plain_list:
            self._listed(cells, edge, look)
        else:
            self._joined(cells, edge, look, "═" if chosen else "─", joint, above)
        left = self._figures(
            cells, traffic_words(edge.day_bytes), latency_words(edge.now_ms, edge.later_ms), look
        )
        fitting = next((text for text in words if cell_len(text) <= self.width - left), "")
        cells.put(left, fitting, tone)
        self.spots[edge.key] = Spot(len(self.lines) - 1, 0, max(0, cells.used - 1))

    def _named(self, cells: Cells, edge: Edge, width: int, look: str) -> int:
        """Draw name and wave in exactly ``width`` cells."""
        wave = min(self.wave, width // 3)
        left = cells.put(2, edge.name, look, width - wave - 2)
        return cells.put(left + 2, edge.wave, "dim", wave)

    def _joined(self, cells: Cells, edge: Edge, look: str, rail: str, joint: str, above: bool) -> None:
        left = self._named(cells, edge, self.trunk * 3 // 5, look) + 1
        tone = look or "dim"
        cells.put(left, rail * (self.trunk - left), tone)
        if not above:
            cells.put(left, "◂", tone)
        ports = ", ".join(edge.ports)
        room = self.trunk - left - 6
        if ports and room > 0:
            cells.put(left + 2, f" {visible(ports)} ", look, min(cell_len(visible(ports)), room) + 2)
        cells.put(self.trunk, joint, tone)

    def _listed(self, cells: Cells, edge: Edge, look: str) -> None:
        ports = _LISTED_PORTS if self.width >= _ROOMY_FROM else 0
        left = self._named(cells, edge, self._figures_at - 4 - ports, look)
        cells.put(left + 2, ", ".join(edge.ports), look, ports)

    @property
    def _figures_at(self) -> int:
        if not self.plain_list:
            return self.trunk + 3
        return max(0, self.width - _TRAFFIC - 4 - (_LATENCY + 2 if self.has_latency else 0))

    def _figures(self, cells: Cells, traffic: str, latency: str, look: str) -> int:
        """Draw the figures; returns the cell after them, where the mark of the edge has its place."""
        left = cells.put(self._figures_at, traffic, look, _TRAFFIC, right=True) + 2
        return cells.put(left, latency, look, _LATENCY) if self.has_latency else left

    def _rest(self, rest: list[Edge], above: bool) -> None:
        cells = self.line()
        cells.put(2, f"and {show_number(len(rest))} more", "dim")
        if not self.plain_list:
            cells.put(self.trunk, "┤" if above else "┘", "dim")
        known = [edge.day_bytes for edge in rest if edge.day_bytes is not None]
        said = "in all" if len(known) == len(rest) else f"of {show_number(len(known))} known" if known else ""
        left = self._figures(cells, traffic_words(sum(known) if known else None), said, "dim")
        if said and not self.has_latency and not self.plain_list:
            left = cells.put(left, said, "dim", max(0, self.width - left)) + 2
        hot = sum(edge.hot and edge.across for edge in rest)
        if hot:
            cells.put(left, f"▲ {show_number(hot)} hot", "warn", max(0, self.width - left))

    def _box(self, used: bool, needing: bool) -> None:
        texts = [self.middle.name, *self.middle.notes]
        if self.plain_list:
            for number, text in enumerate(texts):
                self.line().put(
                    2,
                    f"═ {text}" if number == 0 else f"  {text}",
                    "accent" if number == 0 else "dim",
                    self.width - 2,
                )
            return
        if used:
            self.line().put(self.trunk, "▼", "dim")
        else:
            self.line()
        inner = min(
            max(cell_len(visible(text)) for text in texts), self.width - self.trunk - 6, self.trunk - 4
        )
        inner = max(inner, 12)
        left = self.trunk - inner // 2 - 2
        self.line().put(left, "╔" + "═" * (inner + 2) + "╗", "accent")
        for number, text in enumerate(texts):
            cells = self.line()
            cells.put(left, "║", "accent")
            cells.put(left + 2, text, "" if number == 0 else "dim", inner)
            cells.put(left + inner + 3, "║", "accent")
        bottom = self.line()
        bottom.put(left, "╚" + "═" * (inner + 2) + "╝", "accent")
        if needing:
            bottom.put(self.trunk, "╤", "accent")
