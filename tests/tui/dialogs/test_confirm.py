import pytest
from textual.widgets import Button

from tests.tui.dialogs.desk import SIZES, UNSAID, answer, fits, focus_is_seen, shown, words
from tui.dialogs.confirm import Confirm
from tui.text import line

HOSTILE = "[bold]W07[/]\x1b[31m"


def box(typed: str = "", tone: str = "") -> Confirm:
    said = line("All 12 VMs stop at the source. " * 6, (HOSTILE.replace("\x1b", "␛"), "bad"))
    return Confirm("Cut W07 over?", said, "Cut over", typed=typed, tone=tone)


async def test_it_begins_where_one_key_too_many_does_nothing() -> None:
    async with shown(box()) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) is None


@pytest.mark.parametrize("keys", [["shift+tab", "enter"], ["tab", "tab", "enter"]])
async def test_yes_has_to_be_gone_to(keys: list[str]) -> None:
    async with shown(box(tone="bad")) as pilot:
        await pilot.press(*(keys if keys[0] != "tab" else ["shift+tab", "enter"]))
        await pilot.pause()
        assert answer(pilot) is True


async def test_the_word_has_to_be_typed_exactly() -> None:
    async with shown(box("W07")) as pilot:
        yes = pilot.app.screen.query_one("#yes", Button)
        for key in ("enter", "W", "enter", "0", "enter", "8", "enter", "backspace"):
            await pilot.press(key)
            await pilot.pause()
            assert answer(pilot) is UNSAID, key
            assert yes.disabled
        await pilot.click("#yes")
        await pilot.pause()
        assert answer(pilot) is UNSAID
        await pilot.press("7")
        await pilot.pause()
        assert not yes.disabled
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) is True


async def test_the_key_of_every_form_goes_on_once_the_word_is_there_and_never_without_one() -> None:
    async with shown(box("W07")) as pilot:
        await pilot.press("W", "0", "ctrl+s")
        await pilot.pause()
        assert answer(pilot) is UNSAID
        await pilot.press("7", "ctrl+s")
        await pilot.pause()
        assert answer(pilot) is True
    async with shown(box()) as pilot:
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert answer(pilot) is UNSAID


async def test_letters_of_another_case_are_another_word() -> None:
    async with shown(box("W07")) as pilot:
        await pilot.press("w", "0", "7", "enter")
        await pilot.pause()
        assert answer(pilot) is UNSAID


@pytest.mark.parametrize(("button", "said"), [("#yes", True), ("#no", None)])
async def test_the_mouse_answers(button: str, said: bool | None) -> None:
    async with shown(box()) as pilot:
        await pilot.click(button)
        await pilot.pause()
        assert answer(pilot) is said


@SIZES
async def test_it_fits_shows_its_focus_and_escape_leaves(size: tuple[int, int]) -> None:
    async with shown(box(HOSTILE), size) as pilot:
        fits(pilot)
        if size >= (80, 24):
            assert "[bold]W07[/]␛[31m" in words(pilot)
            assert "Leave it" in words(pilot)
            await focus_is_seen(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert answer(pilot) is None
