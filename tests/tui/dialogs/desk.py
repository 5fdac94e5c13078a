"""An application that shows one dialog and keeps its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget

from tui.dialogs.dialog import Dialog
from tui.theme import THEMES

UNSAID = object()
SIZES = pytest.mark.parametrize("size", [(80, 24), (40, 12)])
CONTROLS = {chr(code) for code in (*range(32), *range(0x7F, 0xA0))} | set("\u202e\u200b\u2066")


class Desk(App[None]):
    """A dialog over nothing."""

    def __init__(self, dialog: Dialog[Any], ansi: bool | None = None) -> None:
        super().__init__(ansi_color=ansi)
        self.dialog = dialog
        self.answer: Any = UNSAID
        for theme in THEMES:
            self.register_theme(theme())
        self.theme = "harbour"

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self.answered)

    def answered(self, answer: Any) -> None:
        self.answer = answer


@asynccontextmanager
async def shown(dialog: Dialog[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    """Yield the pilot of an application that shows a dialog."""
    async with Desk(dialog).run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


def answer(pilot: Pilot[None]) -> Any:
    """Return what the dialog answered, UNSAID while it is open."""
    assert isinstance(pilot.app, Desk)
    return pilot.app.answer


def drawn(pilot: Pilot[None]) -> list[str]:
    """Return the lines on the screen; fails when anything in them could act on a terminal."""
    strips = pilot.app.screen._compositor.render_strips()
    for strip in strips:
        for segment in strip:
            assert not CONTROLS & set(segment.text), segment
            assert "@click" not in (segment.style.meta if segment.style else {}), segment
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def words(pilot: Pilot[None]) -> str:
    """Return the text on the screen."""
    return "\n".join(drawn(pilot))


def fits(pilot: Pilot[None]) -> None:
    """Check that the box lies within the screen and its edges are drawn."""
    box = pilot.app.screen.query_one(".box")
    assert pilot.app.screen.region.contains_region(box.region), box.region
    lines = drawn(pilot)
    assert lines[box.region.y].lstrip().startswith("╭")
    assert lines[box.region.bottom - 1].lstrip().startswith("╰")


def in_sight(pilot: Pilot[None], widget: Widget) -> bool:
    """Return whether a widget is wholly on the screen, inside all that scrolls."""
    found = pilot.app.screen.find_widget(widget)
    return bool(found.region.area) and found.visible_region == found.region


async def focus_is_seen(pilot: Pilot[None]) -> None:
    """Go through everything by tab: each is drawn otherwise with the focus than without, and in sight."""
    chain = pilot.app.screen.focus_chain
    assert chain
    for _ in chain:
        await pilot.press("tab")
        await pilot.pause()
        focused = pilot.app.screen.focused
        assert focused is not None
        assert in_sight(pilot, focused), focused
        with_focus = _look(pilot, focused)
        pilot.app.screen.set_focus(None)
        await pilot.pause()
        assert _look(pilot, focused) != with_focus, focused
        focused.focus()
        await pilot.pause()


def _look(pilot: Pilot[None], widget: Widget) -> list[list[tuple[str, str]]]:
    region = widget.region.intersection(pilot.app.screen.region)
    strips = pilot.app.screen._compositor.render_strips()[region.y : region.bottom]
    return [[(part.text, str(part.style)) for part in strip.crop(region.x, region.right)] for strip in strips]
