"""Every screen on an estate in which every name is an attack."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.model import Inventory
from planner.names import visible
from tests.tui import estate
from tests.tui.stage import BIG, SMALL, opened, table, text

BEYOND = {chr(code) for code in (*range(32), *range(0x7F, 0xA0))} | set("\u202e\u200b\u2066")


def nothing_took_effect(pilot: Pilot[None]) -> None:
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            assert not BEYOND & set(segment.text), segment
            meta = segment.style.meta if segment.style else {}
            assert "@click" not in meta, segment
            assert not (segment.style and segment.style.link), segment


async def walk(pilot: Pilot[None]) -> None:
    for key in "124":
        await pilot.press(key)
        await pilot.pause()
        nothing_took_effect(pilot)
        for _ in range(len(table(pilot).order)):
            table(pilot).action_move(1)
            await pilot.pause()
            nothing_took_effect(pilot)
        await pilot.press("enter")
        await pilot.pause()
        nothing_took_effect(pilot)
        await pilot.press("escape")
    assert pilot.app.is_running


@pytest.mark.parametrize("size", [BIG, SMALL])
async def test_hostile_names_do_nothing_on_any_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    root = estate.build(tmp_path, estate.hostile_estate(), waves=4)
    async with opened(root, size) as pilot:
        await walk(pilot)
        await pilot.press("2", "home")
        await pilot.pause()
        assert "[bold red]sale[/]" in text(pilot)
        assert "␛[31mred␛[0m" in text(pilot)


async def test_the_sample_of_hostile_names_does_nothing(tmp_path: Path) -> None:
    inventory = sample("hostile-names")
    async with opened(estate.build(tmp_path, inventory, waves=3)) as pilot:
        await walk(pilot)
        await pilot.press("2", "home")
        await pilot.pause()
        first = visible(inventory.vms[0].name)
        assert first[:12] in text(pilot)


def sample(name: str) -> Inventory:
    """Return a sample inventory."""
    from planner.samples import sample_path
    from planner.sources.document import read_document

    return read_document(sample_path(name) / "inventory.json")
