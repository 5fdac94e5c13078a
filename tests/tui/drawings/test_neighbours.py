from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.units import GIB
from tests.tui.drawings.kept import (
    TRICKS,
    WIDTHS,
    cell_of,
    honest,
    names,
    same_as_kept,
    survives_ascii,
    widths,
)
from tui.drawings.cells import Picture, Spot, at
from tui.drawings.neighbours import Edge, Middle, by_traffic, neighbours

CRM = Middle("crm", ("W08 · 11 VMs · 4.2 TiB", "after ad-core, before report"))
USERS = (
    Edge("report", "report", "W09", ("1433",), 0.2 * GIB, 0.8, 13.8, across=True, hot=True),
    Edge("web", "web-dmz", "W06", ("8080", "8443"), 4 * GIB, 0.4, 0.4),
    Edge("portal", "portal", "W06", ("8080",), None, None, None, across=True),
)
NEEDS = tuple(
    Edge(f"d{n}", f"need-{n}", "W01", (str(389 + n),), n * GIB, n, n + 1, across=n % 2 == 0, hot=n % 4 == 0)
    for n in range(9)
)


def draw(
    width: int = 116, height: int = 18, selected: str | None = None, **more: tuple[Edge, ...]
) -> Picture:
    return neighbours(CRM, more.get("above", USERS), more.get("below", NEEDS), width, height, selected)


def text(picture: Picture) -> str:
    return "\n".join(line.plain for line in picture.lines)


def test_neighbours_look_as_kept() -> None:
    same_as_kept("neighbours", lambda width: draw(width, selected="d6").lines)
    same_as_kept("neighbours-none", lambda width: draw(width, above=(), below=()).lines)
    same_as_kept("neighbours-list", lambda width: draw(width // 2 if width < 150 else 66, 20, "web").lines)
    survives_ascii(draw(selected="d6").lines)


def test_edges_are_sorted_by_traffic_and_the_unknown_come_last() -> None:
    assert [edge.key for edge in by_traffic(USERS)] == ["web", "report", "portal"]
    shown = text(draw())
    assert shown.index("web-dmz") < shown.index("report") < shown.index("portal") < shown.index("║ crm")
    assert "unknown" in shown


def test_an_edge_says_ports_traffic_latency_and_wave() -> None:
    picture = draw()
    line = picture.lines[picture.spots["report"].line].plain
    for words in ("report", "W09", " 1433 ", "205 MiB", "0.8 → 14 ms", "▲ hot across waves"):
        assert words in line
    assert "hot" not in picture.lines[picture.spots["web"].line].plain
    assert "8080, 8443" in picture.lines[picture.spots["web"].line].plain


def test_hot_is_said_in_the_narrowest_list_too() -> None:
    picture = draw(40)
    assert "▲" in picture.lines[picture.spots["report"].line].plain


def test_what_has_no_room_is_summed() -> None:
    picture = draw(height=14)
    line = next(line.plain for line in picture.lines if "more" in line.plain)
    hidden = [edge for edge in NEEDS if edge.key not in picture.spots]
    assert hidden
    assert f"and {len(hidden)} more" in line
    assert f"{sum(edge.day_bytes or 0 for edge in hidden) / GIB:.1f} GiB" in line
    assert f"▲ {sum(edge.hot for edge in hidden)} hot" in line
    some = (replace(USERS[1], key=f"u{n}", day_bytes=None if n > 6 else GIB) for n in range(9))
    unknown = text(draw(height=14, above=tuple(some), below=()))
    assert "known" in unknown


def test_the_selected_edge_is_always_in_the_picture_and_marked() -> None:
    for edge in (*USERS, *NEEDS):
        picture = draw(76, 14, edge.key)
        line = picture.lines[picture.spots[edge.key].line].plain
        assert line.startswith("▸ ")
        assert "═" in line
        assert sum(line.plain.startswith("▸") for line in picture.lines) == 1


def test_a_click_on_a_spot_finds_its_edge() -> None:
    picture = draw()
    for key, spot in picture.spots.items():
        assert isinstance(spot, Spot)
        line, first, last = spot
        assert at(picture.spots, line, first) == at(picture.spots, line, last) == key
    assert at(picture.spots, 0, 4) is None


def test_nothing_seen_is_said_as_not_seen() -> None:
    shown = text(draw(above=(), below=()))
    assert "no flows seen from other groups" in shown
    assert "no flows seen to other groups" in shown
    assert "▼" not in shown
    assert "0 groups" not in shown


@pytest.mark.parametrize("width", [40, 60, *WIDTHS])
@pytest.mark.parametrize("name", TRICKS)
def test_a_hostile_name_moves_no_column(name: str, width: int) -> None:
    edges = tuple(Edge(n, name, f"W{n}", (name,), n * GIB, 1.0, 2.0) for n in (1, 2))
    tame = tuple(replace(edge, name="tame", ports=("1",)) for edge in edges)
    hostile, plain = (neighbours(Middle("m"), some, (), width, 20) for some in (edges, tame))
    honest(hostile.lines, width)
    for key in (1, 2):
        cells = {cell_of(picture.lines[picture.spots[key].line], ".0 GiB") for picture in (hostile, plain)}
        assert len(cells) == 1
    box = neighbours(Middle(name, (name,)), edges, edges, width, 20)
    honest(box.lines, width)
    edges_of_box = {cell_of(line, "║") for line in box.lines if "║" in line.plain}
    assert len(edges_of_box) == (0 if width < 70 else 1)


numbers = st.none() | st.floats(0, 1e15)
edges = st.lists(
    st.builds(
        Edge,
        st.integers(0, 99),
        names,
        names,
        st.lists(names, max_size=3).map(tuple),
        numbers,
        numbers,
        numbers,
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@given(
    names,
    st.lists(names, max_size=2).map(tuple),
    edges,
    edges,
    widths,
    st.integers(0, 30),
    st.integers(0, 99),
)
def test_any_neighbours_fit(
    name: str,
    notes: tuple[str, ...],
    above: list[Edge],
    below: list[Edge],
    width: int,
    height: int,
    selected: int,
) -> None:
    picture = neighbours(Middle(name, notes), above, below, width, height, selected)
    honest(picture.lines, width)
    assert len(picture.lines) <= height
    assert all(spot.line < len(picture.lines) for spot in picture.spots.values())


def test_five_hundred_edges_cost_a_screen() -> None:
    many = tuple(replace(USERS[0], key=number, day_bytes=float(number)) for number in range(500))
    picture = neighbours(CRM, many, many[:1], 116, 30, 3)
    assert len(picture.lines) == 30
    assert 3 in picture.spots
