"""A burst of keys does what the same keys do when they are typed one by one."""

from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui import estate
from tests.tui.stage import opened, text, until
from tui.pacing import PacedApp


def burst(pilot: Pilot[None], *keys: str) -> None:
    """Hand over keys as a terminal does that read them at once."""
    driver = pilot.app._driver
    assert driver is not None
    for key in keys:
        driver.send_message(Key(key, key if len(key) == 1 else None))


def filters(pilot: Pilot[None]) -> list[str]:
    """Return what stands in the filter, if the place has one."""
    return [field.value for field in pilot.app.screen.query("#filter").results(Input)]


async def test_a_burst_reaches_the_place_it_went_to_the_filter_it_opened_and_the_table(
    tmp_path: Path,
) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        burst(pilot, "2", "slash", *"shop", "enter", "down", "down")
        await until(lambda: filters(pilot) == ["shop"])
        await until(lambda: "▸  shop-app-01" in text(pilot))


async def test_a_burst_opens_a_dialog_and_leaves_it(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        burst(pilot, "i", "escape", "question_mark", "escape", "4", "slash", *"W02", "enter", "9", "2")
        await until(lambda: "▸ Inventory" in text(pilot))
        assert len(pilot.app.screen_stack) == 1
        burst(pilot, "4")
        await until(lambda: "▸ Waves" in text(pilot))
        await until(lambda: filters(pilot) == ["W02"])


async def test_without_pacing_a_burst_goes_astray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: Textual's own way gives keys to whatever has the focus."""
    monkeypatch.setattr(PacedApp, "on_event", App.on_event)
    async with opened(estate.build(tmp_path)) as pilot:
        burst(pilot, "2", "slash", *"shop", "enter", "down", "down")
        for _ in range(20):
            await pilot.pause(0.05)
        assert filters(pilot) != ["shop"]
