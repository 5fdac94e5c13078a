"""Screens are compared with kept ones, once they came to rest.

To accept a change on purpose: ``WHERRY_ACCEPT=1 pytest tests/tui``.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

_PATIENCE_S = 10
_MADE_UP = re.compile(r"terminal-\d+")  # another in each process


def drawn(pilot: Pilot[Any], title: str) -> str:
    """Return the screen with its colours, as SVG that every process draws alike."""
    return _MADE_UP.sub("terminal", pilot.app.export_screenshot(title=title))


async def differs(path: Path, shown: Callable[[], str]) -> str:
    """Wait until what is shown is as kept in a file; returns what is shown instead, else nothing."""
    if os.environ.get("WHERRY_ACCEPT"):
        await asyncio.sleep(1)
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown(), encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else None
    for _ in range(_PATIENCE_S * 20):
        if shown() == kept:
            return ""
        await asyncio.sleep(0.05)
    return f"{path.name} differs, it is now:\n{shown()}"
