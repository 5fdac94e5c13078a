"""Overview and Inventory as text and as SVG, compared with kept ones; every place has its own kept text."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrate import audit
from planner.effects import Effect
from planner.store.project import Project
from tests.tui import estate
from tests.tui.kept import differs, drawn
from tests.tui.stage import BIG, SMALL, opened, text
from tui.actions.action import Place
from tui.actions.places import PLACES
from tui.preferences import Preferences
from tui.screenshot import main, take

KEPT = Path(__file__).parent / "pictures"
WIDER = (160, 45)


@pytest.mark.parametrize("size", [SMALL, BIG, WIDER])
async def test_screens_look_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    changed = []
    async with opened(estate.build(tmp_path, waves=3), size) as pilot:
        for key, place in (("1", "overview"), ("2", "inventory")):
            await pilot.press(key)
            path = KEPT / f"{place}-{size[0]}x{size[1]}.txt"
            changed.append(await differs(path, lambda: text(pilot) + "\n"))
    assert not any(changed), "\n".join(changed)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.id)
def test_every_place_is_kept_at_three_sizes(place: Place) -> None:
    folders = (KEPT, Path(__file__).parent / "screens" / "pictures")
    for width, height in (SMALL, BIG, WIDER):
        found = [path for folder in folders for path in folder.glob(f"{place.id}*-{width}x{height}.txt")]
        assert found, (place.id, width)
        for path in found:
            shown = path.read_text("utf-8")
            assert place.title in shown
            assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize(
    ("key", "place", "theme"),
    [("1", "overview", "daylight"), ("2", "inventory", "harbour"), ("2", "inventory", "beacon")],
)
async def test_colours_are_as_kept(tmp_path: Path, key: str, place: str, theme: str) -> None:
    root = estate.build(tmp_path, waves=3)
    async with opened(root, preferences=Preferences(theme=theme)) as pilot:
        await pilot.press(key)
        changed = await differs(KEPT / f"{place}-{theme}.svg", lambda: drawn(pilot, place))
    assert not changed


async def test_pictures_are_made_for_every_place(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "project", estate.hostile_estate())
    out = tmp_path / "out"
    out.mkdir()
    made = await take(root, out, estate.session(root), now=lambda: estate.NOW, poses={}, still_s=0.2)
    assert [path.name for path in made] == [f"{place.id}.svg" for place in PLACES]
    for path in made:
        picture = path.read_text("utf-8")
        assert "</svg>" in picture
        assert 'url("http' not in picture  # nothing is fetched
    assert "[bold" in made[1].read_text("utf-8")


def test_pictures_want_a_directory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "which directory?" in capsys.readouterr().err


async def test_what_was_done_for_a_picture_has_the_time_of_the_picture(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "project")
    with Project.open(root) as project:
        audit.note(project, Effect.DRY_RUN, "rehearse", "W01", {"runs": 1, "seed": 1, "fault": ""})
    await take(root, tmp_path, estate.session(root), now=lambda: estate.NOW, poses={}, still_s=0.1)
    picture = (tmp_path / "rehearse.svg").read_text("utf-8")
    assert f"{estate.NOW:%Y-%m-%d}&#160;{estate.NOW:%H:%M}" in picture
    assert f"{datetime.now(UTC):%Y-%m-%d}" not in picture
