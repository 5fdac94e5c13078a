"""The table of rows that lie elsewhere: only the pages on the screen are asked for, late ones are dropped."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tests.tui.stage import until
from tui.widgets.column import Column
from tui.widgets.paged_table import PAGE, PagedTable, Pages

COLUMNS = (Column(1, "name", 10), Column(2, "size", 8, lambda size: f"{size:d}", kind="number"))


class Bench(App[None]):
    """A table and what it asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[int] = []

    def compose(self) -> ComposeResult:
        yield PagedTable(COLUMNS, "nothing", id="rows")

    def on_paged_table_wanted(self, event: PagedTable.Wanted) -> None:
        self.wanted.append(event.number)


def page(number: int) -> list[list[object]]:
    return [[f"k{at}", f"row {at}", at] for at in range(number * PAGE, (number + 1) * PAGE)]


def seen(app: Bench) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def test_only_pages_on_the_screen_are_asked_for_and_once() -> None:
    app = Bench()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.query_one(PagedTable)
        table.begin(100_000)
        await until(lambda: app.wanted == [0])
        assert (table.row, table.key) == (None, None)
        assert "…" in seen(app)
        table.put(table.pages, 0, page(0))
        await pilot.pause()
        assert table.key == "k0"
        await until(lambda: "row 5" in seen(app))
        table.focus()
        await pilot.press("end")
        await pilot.pause()
        last = (100_000 - 1) // PAGE
        await until(lambda: app.wanted == [0, last])
        table.put(table.pages, last, page(last))
        await pilot.pause()
        assert table.key == "k99999"


async def test_a_page_of_other_rows_is_dropped_and_the_cursor_finds_its_row_again() -> None:
    app = Bench()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.query_one(PagedTable)
        table.begin(PAGE)
        table.put(table.pages, 0, page(0))
        table.cursor = 7
        old = table.pages
        table.begin(3)
        table.put(old, 0, page(0))
        await pilot.pause()
        assert table.row is None, "rows of the former question are not shown as those of this one"
        table.put(table.pages, 0, [["k9", "row 9", 9], ["k7", "row 7", 7], ["k8", "row 8", 8]])
        await pilot.pause()
        assert (table.cursor, table.key) == (1, "k7")
        assert table.shown_keys() == ["k9", "k7", "k8"]
        table.begin(0)
        await pilot.pause()
        assert "nothing" in seen(app)
        assert table.key is None


def test_pages_far_from_the_screen_are_forgotten_and_asked_for_again() -> None:
    wanted: list[int] = []
    pages = Pages(1_000_000, 2, wanted.append)
    for number in range(200):
        pages.put(number, page(number))
    assert pages[199 * PAGE][0] == f"k{199 * PAGE}"
    assert pages[0][0] is None
    assert pages[1] == pages[0]
    assert wanted == [0]
    assert len(pages.held()) < 100 * PAGE
