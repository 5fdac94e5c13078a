from typing import Any

import pytest
from textual.app import App, ComposeResult

from tui.widgets.column import Column
from tui.widgets.table import VirtualTable

COLUMNS = (Column(1, "name", 10, flex=True, keep=9), Column(2, "size", 6, str, right=True, keep=5),
           Column(3, "note", 12, tone=lambda note: "warn" if note else "", keep=1))  # fmt: skip


def rows(number: int) -> list[tuple[Any, ...]]:
    return [(f"k{i}", f"name {i}", (i * 7) % number, "odd" if i % 2 else "") for i in range(number)]


class Host(App[None]):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.table = VirtualTable(COLUMNS, "nothing here")
        self.number = number
        self.opened: list[Any] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.set_rows(rows(self.number))
        self.table.focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        self.opened.append(event.table.key)

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
        assert app.lines()[1].startswith("▸ name 0")
        assert app.lines()[2].startswith("  name 1")
        app.table.set_rows([])
        assert any("nothing here" in text for text in app.lines())
