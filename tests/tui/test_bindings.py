"""Every key of every place, pressed: it does what its action says or tells why not, and never crashes.

The estate is the hostile one, on a small terminal: no name in it may take effect in what a key opens.
What an action does is tried where its own tests are; a list of those stands in ``bound``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui import bound
from tests.tui.estate import hostile_estate
from tests.tui.laid import at_group, build, waves
from tests.tui.stage import SMALL, opened, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.actions.action import Action
from tui.actions.places import PLACES
from tui.actions.table import ACTIONS, actions_at
from tui.app import WherryApp
from tui.dialogs.confirm import Confirm
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.jobs.job import Job

HERE = Path(__file__).parent
STAYS = ("quit",)  # pressed last


def app_of(pilot: Pilot[None]) -> WherryApp:
    assert isinstance(pilot.app, WherryApp)
    return pilot.app


def seen(pilot: Pilot[None]) -> tuple[Any, ...]:
    """Return everything that a person could notice."""
    app = app_of(pilot)
    strips = app.screen._compositor.render_strips()
    drawn = tuple(tuple((part.text, str(part.style)) for part in strip) for strip in strips)
    return (app.current_mode, len(app.screen_stack), app.focused, app.clipboard, drawn)


def free(app: WherryApp) -> bool:
    """Return whether nobody works for the screen; Waves looks for fixes after a rest."""
    looking = getattr(app.place, "_searching", False)
    return not looking and all(
        worker.is_finished or worker.group in ("read", "job") for worker in app.workers
    )


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    while not free(app_of(pilot)):  # an answer may lead to another question
        await until(lambda: free(app_of(pilot)), 20)
        await pilot.pause()


async def at_place(pilot: Pilot[None], place: str) -> None:
    """Close what is open, drop work that was begun, and go to the place."""
    app = app_of(pilot)
    if app.job is not None and app.job.state.running:
        app.job.close()
        await until(lambda: app.job is None or not app.job.state.running)
        await settled(pilot)
    for _ in range(9):
        if app.screen is app.place:
            break
        await pilot.press("escape")
        await settled(pilot)
    if app.current_mode != place:
        await app.action_go(place)
        await settled(pilot)
    here = app.place
    assert here is not None
    assert here.place_id == place
    if here.has_class("large"):
        await pilot.press("escape")
        await pilot.pause()
    if here.writing:
        await pilot.press("enter")
        await pilot.pause()
    if here._said[0]:
        here._hush()


def offered(place: str) -> Iterator[Action]:
    """Yield the actions of a place; those that are the same everywhere at the first place alone."""
    yield from (action for action in actions_at(place) if action.places or place == PLACES[0].id)


def keys_of(action: Action) -> list[str]:
    return action.key.split(",")


def keeps_still(action: Action, place: str) -> bool:
    """Return whether nothing is to be seen of an action where it is done here."""
    return action.id == f"go.{place}"


async def press(pilot: Pilot[None], place: str, action: Action, key: str) -> str:
    """Press one key; return what is wrong with what came of it, empty for nothing."""
    app = app_of(pilot)
    await at_place(pilot, place)
    here = app.place
    assert here is not None
    asked: list[str] = []
    act = here.action_act

    async def heard(action_id: str) -> None:
        asked.append(action_id)
        await act(action_id)

    here.action_act = heard  # type: ignore[method-assign]
    before, why = seen(pilot), here.why_not(action)
    try:
        await pilot.press(key)
        await settled(pilot)
        nothing_took_effect(pilot)
    finally:
        here.action_act = act  # type: ignore[method-assign]
    if asked[:1] != [action.id]:
        return f"it asked for {asked}"
    said = here._said[0]
    if why:
        return "" if why in said else f"it did not say why: {why!r}, but {said!r}"
    if seen(pilot) == before and not keeps_still(action, place):
        return "nothing came of it and nothing was said"
    return ""


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.id)
async def test_every_key_does_its_action_or_says_why_not(tmp_path: Path, place: Any) -> None:
    wrong: list[str] = []
    async with opened(build(tmp_path / "p", hostile_estate()), SMALL) as pilot:
        for action in offered(place.id):
            for key in keys_of(action) if action.id not in STAYS else ():
                if found := await press(pilot, place.id, action, key):
                    wrong.append(f"{action.id} ({key}): {found}")
                assert pilot.app.is_running, (action.id, key, pilot.app._exception)
        await at_place(pilot, place.id)
        await pilot.press("q")
        await until(lambda: not pilot.app.is_running or isinstance(pilot.app.screen, Confirm))  # of edits
    assert not wrong, "\n".join(wrong)


# each action has a test of its own


@cache
def functions_in(file: str) -> dict[str, ast.AST]:
    """Return the test functions of a file by name."""
    tree = ast.parse((HERE / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: node for node in tree.body if isinstance(node, functions)}


def texts_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def untried(tried: dict[str, str]) -> list[str]:
    """Return what is wrong with the list of tests."""
    wrong = [f"{action.id} has no test of its own" for action in ACTIONS if action.id not in tried]
    for action_id, where in tried.items():
        file, _, name = where.partition("::")
        action = next((item for item in ACTIONS if item.id == action_id), None)
        if action is None:
            wrong.append(f"there is no action {action_id}")
        elif not (HERE / file).is_file() or name not in functions_in(file):
            wrong.append(f"{action_id}: there is no test {where}")
        elif not {action_id, *keys_of(action)} & set(texts_in(functions_in(file)[name])):
            wrong.append(f"{action_id}: {where} never presses {action.key}")
    return wrong


def test_every_action_has_a_test_that_presses_its_key() -> None:
    assert not (wrong := untried(bound.TRIED)), "\n".join(wrong)


def test_an_action_without_a_test_would_be_seen() -> None:
    """Negative control."""
    fewer = {key: where for key, where in bound.TRIED.items() if key != "waves.plan"}
    assert untried(fewer) == ["waves.plan has no test of its own"]
    other = {**bound.TRIED, "sort": bound.TRIED["guide"], "mark": "test_gone.py::test_gone"}
    assert any(found.startswith("sort: ") and "never presses s" in found for found in untried(other))
    assert "mark: there is no test test_gone.py::test_gone" in untried(other)
    assert untried({**bound.TRIED, "fly": bound.TRIED["sort"]}) == ["there is no action fly"]


async def test_digits_go_to_places_or_say_what_to_use(tmp_path: Path) -> None:
    keys = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")
    async with opened(build(tmp_path / "p")) as pilot:
        for place, key in zip(PLACES, keys, strict=True):
            await at_place(pilot, "inventory" if place.id == "overview" else "overview")
            await pilot.press(key)
            await settled(pilot)
            here = app_of(pilot).place
            assert here is not None
            assert here.place_id == place.id


async def test_import_and_export_are_a_key_away(tmp_path: Path) -> None:
    async with opened(build(tmp_path / "p"), SMALL) as pilot:
        for key, title in (("i", "What to import"), ("e", "xlsx")):
            await at_place(pilot, "overview")
            await pilot.press(key)
            await settled(pilot)
            assert pilot.app.screen is not app_of(pilot).place
            assert title in text(pilot)


async def test_work_in_hand_is_a_key_away(tmp_path: Path) -> None:
    async with opened(build(tmp_path / "p")) as pilot:
        await pilot.press("ctrl+j")
        await pilot.pause()
        assert "nothing is being worked on" in text(pilot)
        app = app_of(pilot)
        app.start(Job(orders.plan("quick").argv(tmp_path / "p"), "planning"))
        await until(lambda: isinstance(app.screen, Work))
        await pilot.press("escape")
        await until(lambda: app.screen is app.place)
        await pilot.press("ctrl+j")
        await until(lambda: isinstance(app.screen, Work))
        assert "planning" in text(pilot)


async def test_reasons_and_the_score_are_a_key_away(tmp_path: Path) -> None:
    async with waves(build(tmp_path / "p")) as pilot:
        await at_group(pilot, "d")
        for key, said in (("t", "d"), ("o", "Score card")):
            await pilot.press(key)
            await settled(pilot)
            assert isinstance(pilot.app.screen, Reader), key
            assert said in text(pilot)
            await pilot.press("escape")
            await settled(pilot)
