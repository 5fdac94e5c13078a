import pytest
from textual.widgets import Input, OptionList

from tests.tui.dialogs.desk import SIZES, UNSAID, answer, fits, focus_is_seen, shown, words
from tui.dialogs.pick import MOST, Choice, Pick

HOSTILE = "[bold]x[/]\x1b[31m\u202e"
FEW = (
    Choice("a", "alpha", "first of all"),
    Choice("b", "beta", why_not="it is locked"),
    Choice("c", HOSTILE, HOSTILE),
    Choice("d", "日本語サーバー", "wide"),
)


def many() -> Pick:
    return Pick("Which VM", [Choice(f"k{i}", f"vm-{i:05}", "prod") for i in range(10_000)])


async def test_enter_picks_and_arrows_pass_what_cannot_be_picked() -> None:
    async with shown(Pick("Which", FEW)) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        assert answer(pilot) == "c"


async def test_typing_narrows_by_name_and_note() -> None:
    async with shown(Pick("Which", FEW)) as pilot:
        await pilot.press(*"WIDE")
        await pilot.pause()
        assert "alpha" not in words(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) == "d"


async def test_what_cannot_be_picked_says_why_and_enter_leaves_it() -> None:
    async with shown(Pick("Which", FEW)) as pilot:
        await pilot.press(*"beta")
        await pilot.pause()
        assert "it is locked" in words(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) is UNSAID


async def test_nothing_to_choose_says_so() -> None:
    async with shown(Pick("Which", (), "no wave yet: press p")) as pilot:
        assert "no wave yet: press p" in words(pilot)
        await pilot.press("enter", "down", "up", "x", "enter")
        await pilot.pause()
        assert answer(pilot) is UNSAID


async def test_of_ten_thousand_only_some_are_drawn_and_all_are_found() -> None:
    async with shown(many()) as pilot:
        options = pilot.app.screen.query_one(OptionList)
        assert options.option_count == MOST + 1
        assert f"and {10_000 - MOST} more: type on" in options.get_option_at_index(MOST).prompt.plain  # type: ignore[union-attr]
        await pilot.press(*"09876")
        await pilot.pause()
        assert options.option_count == 1
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) == "k9876"


async def test_the_mouse_picks_and_keys_still_go_into_the_line() -> None:
    async with shown(Pick("Which", FEW)) as pilot:
        await pilot.click(OptionList, offset=(3, 1))  # the one that cannot be picked
        assert answer(pilot) is UNSAID
        await pilot.press("tab", *"al")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == "al"
        await pilot.click(OptionList, offset=(3, 0))
        await pilot.pause()
        assert answer(pilot) == "a"


@pytest.mark.parametrize("keys", [["up"], ["down", "up", "up", "up"]])
async def test_up_and_down_go_round(keys: list[str]) -> None:
    async with shown(Pick("Which", FEW)) as pilot:
        await pilot.press(*keys)
        assert pilot.app.screen.query_one(OptionList).highlighted in (0, 2, 3)
        assert isinstance(pilot.app.focused, Input)


@SIZES
async def test_it_fits_shows_its_focus_and_escape_leaves(size: tuple[int, int]) -> None:
    async with shown(Pick("Which [b]", (*FEW, *many()._choices)), size) as pilot:
        fits(pilot)
        assert "[bold]x[/]␛[31m<U+202E>" in words(pilot)
        if size >= (80, 24):
            await focus_is_seen(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert answer(pilot) is None
