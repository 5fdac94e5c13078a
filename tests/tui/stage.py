"""Opens the application on a project without a terminal, and reads what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui import estate
from tui.app import WherryApp
from tui.session import Session
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

BIG, SMALL = (120, 35), (80, 24)


@asynccontextmanager
async def opened(
    root: Path, size: tuple[int, int] = BIG, session: Session | None = None, **more: Any
) -> AsyncIterator[Pilot[None]]:
    """Yield the pilot of an application that has read everything once."""
    session = session or estate.session(root)
    app = WherryApp(root, session=session, now=lambda: estate.NOW, period_s=0.3, **more)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.view.complete or bool(app.view.error))
        await pilot.pause()
        yield pilot
        lines(pilot)


async def until(true: Any, seconds: float = 60.0) -> None:
    """Wait until a condition holds; fails when it does not in time, which a busy machine has plenty of."""
    for _ in range(round(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


def on(pilot: Pilot[None], kind: type[Screen[Any]]) -> bool:
    """Return whether such a screen is on top, all of it is built and has its place."""
    screen = pilot.app.screen
    return isinstance(screen, kind) and screen.is_mounted and bool(screen._compositor.size)


async def reached(pilot: Pilot[None], kind: type[Screen[Any]], seconds: float = 60.0) -> None:
    """Wait until such a screen is on top and shows all that it has; it is there before that is painted."""
    await until(lambda: on(pilot, kind), seconds)
    await pilot.pause()


def lines(pilot: Pilot[None]) -> list[str]:
    """Return the text on the screen, line by line."""
    strips = pilot.app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def text(pilot: Pilot[None]) -> str:
    """Return the text on the screen."""
    return "\n".join(lines(pilot))


def table(pilot: Pilot[None]) -> VirtualTable:
    """Return the table of the place, the first one that is shown."""
    return next(found for found in pilot.app.screen.query(VirtualTable) if found.display)


def panel(pilot: Pilot[None], name: str) -> str:
    """Return the text of a panel."""
    return pilot.app.screen.query_one(f"#{name}", Panel).text
