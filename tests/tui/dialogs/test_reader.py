import pytest

from tests.tui.dialogs.desk import SIZES, UNSAID, answer, fits, shown, words
from tests.tui.stage import until
from tui.dialogs.reader import Reader
from tui.text import line, stack
from tui.widgets.panel import Panel

LONG = stack(line(f"line {number} [bold]x[/]") for number in range(200))


@SIZES
async def test_a_long_text_scrolls_in_a_box_that_fits(size: tuple[int, int]) -> None:
    async with shown(Reader("Why W07", LONG), size) as pilot:
        fits(pilot)
        assert "line 0 [bold]x[/]" in words(pilot)
        assert "line 199" not in words(pilot)
        await pilot.press("end")
        await until(lambda: "line 199 [bold]x[/]" in words(pilot))
        await pilot.press("home", "j", "j")
        await until(lambda: "line 2 " in words(pilot) and "line 0 " not in words(pilot))
        pilot.app.screen.query_one(Panel).scroll_down(animate=False)
        assert answer(pilot) is UNSAID


@pytest.mark.parametrize("key", ["escape", "enter", "q"])
async def test_it_is_closed(key: str) -> None:
    async with shown(Reader("x", LONG)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert answer(pilot) is None
