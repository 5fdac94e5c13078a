from textual.widgets import OptionList

from tests.tui.dialogs.desk import SIZES, answer, drawn, fits, shown, words
from tui.dialogs.columns import Columns
from tui.widgets.column import Column

COLUMNS = tuple(Column(at, title, 9) for at, title in enumerate(("name", "[b]disk[/]", "wave", "owner"), 1))


def titles(box: list[str]) -> list[str]:
    return [row.strip("│ ").strip() for row in box if "✔" in row or ("·" in row and "shows" not in row)]


async def test_chosen_columns_come_first_in_their_order_and_space_turns_them() -> None:
    async with shown(Columns(COLUMNS, (2, 0))) as pilot:
        assert titles(drawn(pilot)) == ["✔ wave", "✔ name", "· [b]disk[/]", "· owner"]
        await pilot.press("space", "down", "down", "down", "space", "enter")
        await pilot.pause()
        assert answer(pilot) == (0, 3)


async def test_brackets_move_a_column_and_the_cursor_goes_with_it() -> None:
    async with shown(Columns(COLUMNS, (0, 1, 2, 3))) as pilot:
        await pilot.press("]", "]", "[", "[", "[")
        assert pilot.app.screen.query_one(OptionList).highlighted == 0
        await pilot.press("]", "]", "]", "]", "]", "enter")
        await pilot.pause()
        assert answer(pilot) == (1, 2, 3, 0)


async def test_the_last_column_stays() -> None:
    async with shown(Columns(COLUMNS, (1,))) as pilot:
        await pilot.press("space", "enter")
        await pilot.pause()
        assert answer(pilot) == (1,)


async def test_the_mouse_turns_a_column() -> None:
    async with shown(Columns(COLUMNS, (0, 1))) as pilot:
        await pilot.click(OptionList, offset=(3, 2))
        await pilot.pause()
        assert titles(drawn(pilot))[2] == "✔ wave"
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) == (0, 1, 2)


@SIZES
async def test_it_fits_and_escape_leaves(size: tuple[int, int]) -> None:
    async with shown(Columns(COLUMNS * 12, (0, 1)), size) as pilot:
        fits(pilot)
        assert "✔ name" in words(pilot)
        await pilot.press("end", "escape")
        await pilot.pause()
        assert answer(pilot) is None
