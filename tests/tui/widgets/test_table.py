from typing import Any

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.strip import Strip

from tests.tui.stage import until
from tui.theme import harbour
from tui.widgets.column import Column, fitting
from tui.widgets.flash import by_key, changed_fields
from tui.widgets.scrolled import amid
from tui.widgets.table import MARGIN, VirtualTable

COLUMNS = (Column(1, "name", 10, flex=True, keep=9), Column(2, "size", 6, str, right=True, keep=5),
           Column(3, "note", 12, tone=lambda note: "warn" if note else "", keep=1))  # fmt: skip


HOSTILE = "[bold]x[/]\x1b[31m\u202e"


def rows(number: int) -> list[tuple[Any, ...]]:
    return [(f"k{i}", f"name {i}", (i * 7) % number, "odd" if i % 2 else "") for i in range(number)]


class Host(App[None]):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.table = VirtualTable(COLUMNS, "nothing here")
        self.number = number
        self.opened: list[Any] = []
        self.sorted = 0
        self.register_theme(harbour())
        self.theme = "harbour"

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.set_rows(rows(self.number))
        self.table.focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        self.opened.append(event.table.key)

    def on_virtual_table_sorted(self, event: VirtualTable.Sorted) -> None:
        self.sorted += 1

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(self.table.size.height)]


async def test_keys_move_the_cursor_and_it_stays_on_the_screen() -> None:
    async with Host(1000).run_test(size=(60, 12)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        walk = "down 1 j 2 k 1 up 0 up 0 pagedown 10 end 999 down 999 pageup 989 home 0 G 999 g 0"
        for key, wanted in zip(walk.split()[::2], map(int, walk.split()[1::2]), strict=True):
            await pilot.press(key)
            await pilot.pause()
            assert table.cursor == wanted, key
            top = table.scroll_offset.y
            assert top <= table.cursor < top + table.size.height - 1, key


async def test_it_draws_only_what_is_on_the_screen() -> None:
    asked: list[Any] = []

    class Counting(list[Any]):
        def __getitem__(self, index: Any) -> Any:
            asked.append(index)
            return super().__getitem__(index)

    async with Host(3).run_test(size=(60, 20)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        table.set_rows(Counting(rows(100_000)))
        await pilot.pause()
        assert len(set(asked)) < 50
        await pilot.press("end")
        await pilot.pause()
        assert table.key == "k99999"
        assert len(set(asked)) < 100


async def test_sorting_goes_through_the_columns_and_keeps_the_row() -> None:
    async with Host(10).run_test(size=(60, 14)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        await pilot.press("down", "down")
        assert table.key == "k2"
        table.sort_next()
        assert table.sort_words == "by name ↑"
        table.sort_next()
        assert [table.rows[i][2] for i in table.order] == list(range(10))
        assert table.key == "k2"
        table.sort_by(1, reverse=True)
        assert [table.rows[i][2] for i in table.order] == list(range(9, -1, -1))
        table.sort_by(2, reverse=True)
        assert [table.rows[i][3] for i in table.order] == ["odd"] * 5 + [""] * 5  # unknown stays last
        table.sort_next()
        assert table.sorted_by is None
        assert list(table.order) == list(range(10))
        assert table.key == "k2"


async def test_new_rows_and_filters_keep_the_cursor_on_its_row() -> None:
    async with Host(50).run_test(size=(60, 12)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        assert table.move_to("k20")
        table.set_rows(rows(50)[10:])
        assert table.key == "k20"
        assert table.cursor == 10
        table.set_matches([5, 10, 15])
        assert table.key == "k20"
        assert table.cursor == 1
        table.set_matches([5, 15])
        assert table.key == "k25"
        table.set_matches([])
        assert table.key is None
        assert table.row is None
        await pilot.press("down", "up", "end", "home", "pagedown")
        table.set_matches(None)
        assert table.key == "k10"


@pytest.mark.parametrize("on_the_way", [(), (6,), (30, 5), (4, 25, 9)])
async def test_a_row_amid_its_neighbours_rests_where_the_size_says_whatever_it_was_before(
    on_the_way: tuple[int, ...],
) -> None:
    async with Host(100).run_test(size=(60, on_the_way[0] if on_the_way else 14)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        await pilot.pause()
        assert table.move_amid("k95")
        for height in (*on_the_way[1:], 14):
            await pilot.resize_terminal(60, height)
            await pilot.pause()
        page = table.size.height - 1
        assert (table.scroll_offset.y, table.key) == (min(amid(95, page), 100 - page), "k95")


async def test_who_moves_or_scrolls_is_not_taken_back_to_a_row() -> None:
    async with Host(100).run_test(size=(60, 12)) as pilot:
        table = pilot.app.query_one(VirtualTable)
        await pilot.pause()
        assert not table.move_amid("none such")
        assert table.move_amid("k50")
        at_first = table.scroll_offset.y
        await pilot.press("down")
        await pilot.resize_terminal(60, 14)
        await pilot.pause()
        assert (table.key, table.scroll_offset.y) == ("k51", at_first)
        assert table.move_amid("k50")
        table.scroll_to(y=49, animate=False)
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert (table.key, table.scroll_offset.y) == ("k50", 49)


@pytest.mark.parametrize("page", [1, 2, 3, 9, 10, 27])
def test_the_line_amid_a_page_has_as_much_of_it_before_as_after(page: int) -> None:
    aside = (page - max(1, page // 2)) // 2
    for line in range(3 * page, 6 * page):
        place = line - amid(line, page)
        assert aside <= place < page - aside
    turns = [amid(line, page) for line in range(3 * page, 6 * page)]
    assert turns == sorted(turns)
    assert len(set(turns)) <= 3 * page // max(1, page // 2) + 2


async def test_new_rows_repaint_the_lines_that_read_otherwise() -> None:
    async with Host(100).run_test(size=(60, 12)) as pilot:
        table, painted = pilot.app.query_one(VirtualTable), set()
        table.scroll_to(y=5, animate=False)
        await pilot.pause()
        draw = table.render_line

        def drawn(y: int) -> Strip:
            painted.add(y)
            return draw(y)

        table.render_line = drawn  # type: ignore[method-assign]
        for change, lines in (
            ({}, set()),
            ({7: ("k7", "name 7", 999, "odd")}, {3}),
            ({7: ("k7", "name 7", 999, "odd"), 60: ("k60", "another", 0, "")}, set()),
            ({7: ("other", "name 7", 999, "odd"), 5: ("k5", "name 5", 35, "new")}, {1, 3}),
        ):
            painted.clear()
            table.set_rows([change.get(at, row) for at, row in enumerate(rows(100))])
            await pilot.pause()
            assert painted == lines
        table.set_rows(rows(90))
        await pilot.pause()
        assert len(painted) > 5, "rows went: all is painted anew"


async def test_the_mouse_selects_opens_sorts_and_scrolls() -> None:
    app = Host(100)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click(VirtualTable, offset=(5, 4))
        assert app.table.key == "k3"
        await pilot.click(VirtualTable, offset=(5, 4), times=2)
        await pilot.pause()
        assert app.opened == ["k3"]
        await pilot.click(VirtualTable, offset=(4, 0))
        assert app.table.sort_words == "by name ↑"
        await pilot.click(VirtualTable, offset=(4, 0))
        assert app.table.sort_words == "by name ↓"
        await pilot.pause()
        assert app.sorted == 2
        cursor = app.table.cursor
        app.table.scroll_down(animate=False)
        await pilot.pause()
        assert app.table.scroll_offset.y > 0
        assert app.table.cursor == cursor


@pytest.mark.parametrize(("width", "titles"), [(60, "name size note"), (32, "name size"), (16, "name")])
async def test_narrow_tables_drop_columns_in_a_fixed_order(width: int, titles: str) -> None:
    app = Host(3)
    async with app.run_test(size=(width, 8)):
        assert app.lines()[0].split() == titles.split()
        assert all(len(text) == app.table.size.width for text in app.lines())


async def test_no_rows_says_so_and_the_cursor_is_marked_without_colour() -> None:
    app = Host(3)
    async with app.run_test(size=(60, 8)):
        assert app.lines()[1].startswith("▸  name 0")
        assert app.lines()[2].startswith("   name 1")
        app.table.set_rows([])
        assert any("nothing here" in text for text in app.lines())


async def test_what_is_said_without_rows_is_read_to_its_end() -> None:
    app = Host(0)
    async with app.run_test(size=(40, 8)):
        said = "W02/shop has no history: it was not replicated yet, or was cut over since"
        app.table.set_empty(said)
        lines = app.lines()
        assert " ".join(" ".join(lines[2:5]).split()) == said
        assert not any(text.strip() for text in lines[5:])
        assert all(len(text) == app.table.size.width for text in lines)


async def test_marks_are_drawn_in_the_margin_and_stay_while_filters_and_rows_change() -> None:
    app = Host(6)
    async with app.run_test(size=(60, 9)):
        app.table.turn_mark()
        assert app.table.cursor == 1  # goes on, so that many are marked in a row
        app.table.turn_mark()
        assert app.table.marks == {"k0", "k1"}
        assert [text[:MARGIN] for text in app.lines()[1:5]] == [" ✓ ", " ✓ ", "▸  ", "   "]
        app.table.set_matches([1, 3])
        assert [text[:MARGIN] for text in app.lines()[1:3]] == [" ✓ ", "▸  "]
        app.table.set_rows(rows(6)[1:])
        app.table.set_matches(None)
        assert app.table.marks == {"k0", "k1"}
        app.table.mark(["k4"])
        assert [text[1] for text in app.lines()[1:6]] == [" ", " ", " ", "✓", " "]
        app.table.set_rows([])
        app.table.turn_mark()
        assert app.table.marks == {"k4"}


async def test_chosen_columns_stand_in_their_order_and_hidden_ones_are_gone() -> None:
    app = Host(3)
    async with app.run_test(size=(60, 8)):
        app.table.choose((2, 0))
        assert app.lines()[0].split() == ["note", "name"]
        assert app.lines()[2].split() == ["▸", "odd", "name", "1"] or app.lines()[2].split() == [
            "odd", "name", "1"]  # fmt: skip
        assert app.table.cells(app.table.rows[1]) == ["odd", "name 1"]
        app.table.sort_next()
        assert app.table.sort_words == "by note ↑"
        app.table.sort_next()
        assert app.table.sort_words == "by name ↑"
        app.table.sort_next()
        assert app.table.sorted_by is None
        app.table.sort_by(1, reverse=True)  # by one that is hidden: the order holds, no arrow is drawn
        assert [app.table.rows[i][2] for i in app.table.order] == [2, 1, 0]
        assert "↓" not in app.lines()[0]


async def test_cells_are_what_is_shown_so_nothing_in_them_acts() -> None:
    app = Host(1)
    async with app.run_test(size=(60, 8)):
        app.table.set_rows([("k", HOSTILE, 7, HOSTILE)])
        cells = app.table.cells(app.table.rows[0])
        assert cells[1] == "7"
        for text in (*cells, *app.lines()):
            assert not {"\x1b", "\u202e"} & set(text)
        assert cells[0].startswith("[bold]x[/]")
        assert "[bold]x[/]" in app.lines()[1]


@pytest.mark.parametrize("width", range(1, 40))
def test_columns_that_fit_never_need_more_than_there_is(width: int) -> None:
    for chosen in ((0, 1, 2), (2, 1, 0), (1, 2), (2,)):
        laid = fitting(COLUMNS, chosen, width)
        assert len(laid) >= 1
        assert [index for index, _ in laid] == [i for i in chosen if i in {index for index, _ in laid}]
        if len(laid) > 1:
            assert sum(cells + 1 for _, cells in laid) <= width
        flexible = 0 in dict(laid)
        if flexible and sum(COLUMNS[i].width + 1 for i, _ in laid) <= width:
            assert sum(cells + 1 for _, cells in laid) == width


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 12])
async def test_the_narrowest_table_still_draws_lines_of_its_width(width: int) -> None:
    app = Host(3)
    async with app.run_test(size=(width, 6)):
        app.table.turn_mark()
        assert all(len(text) == app.table.size.width for text in app.lines())


def accented(app: Host, y: int) -> str:
    """Return what stands in the accent tone on a line."""
    accent = app.table._style("accent").color
    segments: list[Segment] = list(app.table.render_line(y))
    return "".join(part.text for part in segments if part.style and part.style.color == accent).strip()


async def test_cells_that_changed_flash_once() -> None:
    app = Host(50)
    async with app.run_test(size=(60, 9)) as pilot:
        await pilot.pause()
        table = app.table
        table.cursor = 2
        newer = rows(50)
        newer[1] = ("k1", "name 1", 999, "odd")
        newer[2] = ("k2", "other", *newer[2][2:])
        newer[40] = ("k40", "unseen", 1, "")
        table.set_rows(newer)
        assert table.flashed == {}  # nobody asked for it: the first read is no change
        table.set_rows(rows(50))
        table.flashes = True
        table.set_rows(newer)
        assert table.flashed == {"k1": frozenset({2}), "k2": frozenset({1})}  # only what is on the screen
        assert table.cursor == 2
        assert [accented(app, y) for y in (1, 2, 3, 4)] == ["", "999", "other", ""]
        table.set_rows(list(newer))
        assert [accented(app, y) for y in (2, 3)] == ["999", "other"]  # the same again neither ends it
        await until(lambda: not table.flashed)
        assert [accented(app, y) for y in (1, 2, 3, 4)] == ["", "", "", ""]


def test_a_value_that_was_not_known_before_is_read_not_changed() -> None:
    old = by_key([("a", None, 1), ("b", "x", 1), ("gone", 1, 1)])
    new = by_key([("a", "seen", 1), ("b", None, 2), ("fresh", 1, 1)])
    assert changed_fields(old, new) == {"b": frozenset({1, 2})}
    assert by_key([("twin", 1), ("twin", 2)]) == {}
