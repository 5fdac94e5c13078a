import pytest
from textual.widgets import Button, Checkbox, Input, Select, TextArea

from planner.errors import BadInput
from planner.names import visible
from tests.tui.dialogs.desk import SIZES, UNSAID, answer, drawn, fits, focus_is_seen, in_sight, shown, words
from tests.tui.stage import text
from tui.dialogs.form import Ask, Form
from tui.text import line

HOSTILE = "[bold]x[/]\x1b[31m\u202e"


def judged(text: str) -> str:
    if text == "raise":
        raise BadInput("raise is no cap", "write a number")
    return "" if text.isdigit() else "a cap is a number"


ASKS = (
    Ask("name", "Name", needed=True, placeholder="W07"),
    Ask("cap", "VMs at most", judge=judged),
    Ask("kind", "Kind", "b", choices=(("a", "alpha"), ("b", HOSTILE))),
    Ask("lock", "Locked", yes_no=True),
    Ask("secret", "Password", secret=True),
    Ask("why", "Reason", long=True),
)


def form(**more: object) -> Form:
    return Form("A window [b]", ASKS, said=line("What it is for."), **more)  # type: ignore[arg-type]


async def put(pilot: object, field: str, text: str) -> None:
    widget = pilot.app.screen.query_one(f"#ask-{field}")  # type: ignore[attr-defined]
    widget.focus()
    await pilot.press(*text)  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]


async def test_all_kinds_of_values_come_back_as_text() -> None:
    async with shown(form(), (100, 40)) as pilot:
        assert isinstance(pilot.app.focused, Input)
        await pilot.press(
            *" W7 ".replace(" ", ""), "tab", *"40", "tab", "tab", "space", "tab", *"s3", "space"
        )
        await put(pilot, "why", "two")
        await pilot.press("enter", *"lines")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert answer(pilot) == {
            "name": "W7", "cap": "40", "kind": "b", "lock": "yes", "secret": "s3 ", "why": "two\nlines",
        }  # fmt: skip


async def test_yes_and_no_differ_without_colours() -> None:
    async with shown(form(), (100, 40)) as pilot:
        assert "[ ] Locked" in text(pilot)
        pilot.app.screen.query_one("#ask-lock").focus()
        await pilot.press("space")
        await pilot.pause()
        assert "[✔] Locked" in text(pilot)


async def test_an_example_does_not_look_like_a_value() -> None:
    async with shown(form(), (100, 40)) as pilot:
        assert "(W07)" in text(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "Name: this is needed" in text(pilot)
        await put(pilot, "name", "W08")
        assert "(W07)" not in text(pilot)


async def test_a_list_is_chosen_from() -> None:
    async with shown(Form("x", [ASKS[2]])) as pilot:
        await pilot.press("enter", "up", "enter")
        await pilot.pause()
        assert pilot.app.screen.query_one(Select).value == "a"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert answer(pilot) == {"kind": "a"}


@pytest.mark.parametrize(
    ("name", "cap", "said"),
    [("", "3", "Name: this is needed"), ("W7", "many", "a cap is a number"),
     ("W7", "raise", "raise is no cap: write a number"), ("same", "", "there is one of that name")],
)  # fmt: skip
async def test_what_is_wrong_is_said_and_the_form_stays(name: str, cap: str, said: str) -> None:
    def together(values: object) -> str:
        return "there is one of that name" if values["name"] == "same" else ""  # type: ignore[index]

    async with shown(form(judge=together)) as pilot:
        await put(pilot, "name", name)
        await put(pilot, "cap", cap)
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) is UNSAID
        assert f"▲ {said}" in words(pilot)
        fits(pilot)


async def test_what_was_wrong_is_no_longer_said_once_it_is_mended() -> None:
    async with shown(form()) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert "this is needed" in words(pilot)
        await put(pilot, "name", "W7")
        assert "this is needed" not in words(pilot)


async def test_a_secret_is_never_on_the_screen() -> None:
    async with shown(Form("Sign in", [ASKS[4]])) as pilot:
        await pilot.press(*"hunter2")
        await pilot.pause()
        assert "hunter" not in words(pilot)
        assert "•••••••" in words(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert answer(pilot) == {"secret": "hunter2"}


async def test_hostile_texts_are_shown_as_they_are() -> None:
    asks = [Ask("a", HOSTILE, HOSTILE), Ask("b", HOSTILE, yes_no=True), Ask("c", "c", HOSTILE, long=True)]
    async with shown(Form(HOSTILE, asks, yes=HOSTILE, said=line(visible(HOSTILE)))) as pilot:
        assert "[bold]x[/]" in words(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert answer(pilot)["a"] == HOSTILE  # what is stored is what was there


@pytest.mark.parametrize(("button", "said"), [("#done", {"name": "W7"}), ("#leave", None)])
async def test_the_mouse_answers(button: str, said: object) -> None:
    async with shown(Form("x", [ASKS[0]])) as pilot:
        await pilot.press(*"W7")
        await pilot.click(button)
        await pilot.pause()
        assert answer(pilot) == said


@SIZES
async def test_it_fits_shows_its_focus_and_escape_leaves(size: tuple[int, int]) -> None:
    async with shown(form(), size) as pilot:
        fits(pilot)
        if size >= (80, 24):
            assert in_sight(pilot, pilot.app.screen.query_one("#done", Button))
            for kind in (Checkbox, TextArea, Input):
                assert pilot.app.screen.query(kind)
            await focus_is_seen(pilot)
        assert len(drawn(pilot)) == size[1]
        await pilot.press("escape")
        await pilot.pause()
        assert answer(pilot) is None
