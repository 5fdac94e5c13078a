"""Whole screens as text, compared with kept ones, and as SVG.

To accept a change on purpose: ``WHERRY_ACCEPT=1 pytest tests/tui/test_pictures.py``.
"""

import os
from pathlib import Path

import pytest

from tests.tui import estate
from tests.tui.stage import BIG, SMALL, lines, opened
from tui.actions.places import READY
from tui.modes import MODES
from tui.screenshot import take

KEPT = Path(__file__).parent / "pictures"
CHANGES_EACH_TIME = ("approved  ✔", "digest")  # when it was approved, what exactly


@pytest.mark.parametrize("size", [SMALL, BIG])
async def test_screens_look_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    changed = []
    async with opened(estate.build(tmp_path, waves=3), size) as pilot:
        for key, place in (("1", "overview"), ("2", "inventory"), ("4", "waves")):
            await pilot.press(key)
            await pilot.pause(0.05)
            kept = [line for line in lines(pilot) if not any(word in line for word in CHANGES_EACH_TIME)]
            shown = "\n".join(kept) + "\n"
            path = KEPT / f"{place}-{size[0]}x{size[1]}.txt"
            if os.environ.get("WHERRY_ACCEPT"):
                path.parent.mkdir(exist_ok=True)
                path.write_text(shown, encoding="utf-8")
            if not path.exists() or path.read_text(encoding="utf-8") != shown:
                changed.append(f"{path.name} differs, it is now:\n{shown}")
    assert not changed, "\n".join(changed)


async def test_pictures_are_made_for_every_place(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "project", estate.hostile_estate())
    out = tmp_path / "out"
    out.mkdir()
    made = await take(estate.session(root), out, now=lambda: estate.NOW)
    assert [path.name for path in made] == [f"{place.id}.svg" for place in READY if place.id in MODES]
    assert all("</svg>" in path.read_text("utf-8") for path in made)
    assert "[bold" in made[1].read_text("utf-8")
