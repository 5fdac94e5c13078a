"""Pictures of the screens, made by the code for README and docs: ``python -m tui.screenshot PROJECT DIR``.

A picture fetches nothing from anywhere: fonts are those of the reader's machine.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tui.actions.places import READY
from tui.app import WherryApp, system_clock
from tui.session import Session

SIZE = (120, 35)
PATIENCE_S = 30.0
_REMOTE_FONT = re.compile(r',\s*url\("https?://[^"]*"\) format\("[^"]*"\)')


async def take(
    session: Session, out_dir: Path, size: tuple[int, int] = SIZE, now: Callable[[], datetime] = system_clock
) -> tuple[Path, ...]:
    """Write one SVG a place into ``out_dir`` and return their paths; raises TimeoutError."""
    app = WherryApp(session.root, now=now, session=session)
    made: list[Path] = []
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(PATIENCE_S):
            while not app.view.complete:
                await asyncio.sleep(0.05)
        await pilot.pause()
        for place in READY:
            await app.action_go(place.id)
            await pilot.pause()
            path = out_dir / f"{place.id}.svg"
            picture = app.export_screenshot(title=f"wherry: {place.title}")
            path.write_text(_REMOTE_FONT.sub("", picture), encoding="utf-8")
            made.append(path)
    return tuple(made)


def save_screenshots(project_root: Path, out_dir: Path) -> tuple[Path, ...]:
    """Open the project without a terminal and write one SVG a place; returns the paths.

    Raises NotFound and BadInput when the project cannot be opened, TimeoutError when it cannot be
    read in half a minute.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(take(Session(project_root), out_dir))


if __name__ == "__main__":
    for made in save_screenshots(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{made}\n")
