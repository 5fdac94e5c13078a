"""Every place on an estate in which every name is an attack; what keys open is tried in test_bindings."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot

from planner.model import Inventory
from planner.names import visible
from tests.tui import estate
from tests.tui.stage import BIG, SMALL, opened, table, text, until
from tui.actions.places import PLACES
from tui.app import WherryApp

WIDER = (160, 45)
BEYOND = {chr(code) for code in (*range(32), *range(0x7F, 0xA0))} | set("\u202e\u200b\u2066")


def nothing_took_effect(pilot: Pilot[None]) -> None:
    width = pilot.app.size.width
    for strip in pilot.app.screen._compositor.render_strips():
        assert sum(cell_len(segment.text) for segment in strip) == width, strip.text  # columns stand
        for segment in strip:
            assert not BEYOND & set(segment.text), segment
            meta = segment.style.meta if segment.style else {}
            assert "app.exit" not in str(meta.get("@click", "")), segment
            assert not (segment.style and segment.style.link), segment


def app_of(pilot: Pilot[None]) -> WherryApp:
    assert isinstance(pilot.app, WherryApp)
    return pilot.app


async def quiet(pilot: Pilot[None]) -> None:
    """Wait until nobody works for the screen."""

    def free() -> bool:
        return all(worker.is_finished or worker.group in ("read", "job") for worker in pilot.app.workers)

    await pilot.pause()
    while not free():
        await until(free, 20)
        await pilot.pause()


async def look_around(pilot: Pilot[None], place: str) -> None:
    """Go through the rows of a place, and through its panels."""
    app = app_of(pilot)
    await app.action_go(place)
    await quiet(pilot)
    nothing_took_effect(pilot)
    shown = table(pilot)
    for row in range(min(16, len(shown.order)) if place == "inventory" else 3):
        shown.cursor = min(row, len(shown.order) - 1)
        await pilot.pause()
        nothing_took_effect(pilot)
    for _ in range(4):
        nothing_took_effect(pilot)
        await pilot.press("tab")
        await pilot.pause()
    await pilot.press("shift+tab")


async def back_to(pilot: Pilot[None], place: str) -> None:
    app = app_of(pilot)
    for _ in range(6):
        if app.screen is app.place:
            break
        await pilot.press("escape")
        await pilot.pause()
    if app.current_mode != place:
        await app.action_go(place)
    await pilot.pause()


def build(root: Path, inventory: Inventory) -> Path:
    """Make a project of the estate with a plan."""
    return estate.build(root, inventory, waves=4)


async def test_hostile_names_do_nothing_in_any_place_at_any_size(tmp_path: Path) -> None:
    async with opened(build(tmp_path / "p", estate.hostile_estate()), SMALL) as pilot:
        for place in PLACES:
            await look_around(pilot, place.id)
            for size in (WIDER, BIG, SMALL):
                await pilot.resize_terminal(*size)
                await quiet(pilot)
                nothing_took_effect(pilot)
        await back_to(pilot, "inventory")
        table(pilot).cursor = 0
        await pilot.pause()
        assert "[bold red]sale[/]" in text(pilot)
        assert "␛[31mred␛[0m" in text(pilot)


async def test_the_sample_of_hostile_names_does_nothing(tmp_path: Path) -> None:
    inventory = sample("hostile-names")
    async with opened(build(tmp_path, inventory)) as pilot:
        for place in ("inventory", "checks"):
            await look_around(pilot, place)
        await back_to(pilot, "inventory")
        await pilot.press("home")
        await pilot.pause()
        first = visible(inventory.vms[0].name)
        assert first[:12] in text(pilot)


def test_an_escape_code_would_be_seen() -> None:
    """Negative control."""
    assert BEYOND & set("\x1b[31m")
    assert BEYOND & set("a\u202eb")
    assert not BEYOND & set(visible("\x1b[31m\u202e"))


def sample(name: str) -> Inventory:
    """Return a sample inventory."""
    from planner.samples import sample_path
    from planner.sources.document import read_document

    return read_document(sample_path(name) / "inventory.json")
