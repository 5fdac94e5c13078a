"""What the application loads and keeps in hand until the first rows are on the screen."""

from __future__ import annotations

import gc
from pathlib import Path

from tests.loading import loaded
from tests.tui import estate
from tests.tui.stage import lines, opened, panel, table, until
from tui.actions.places import PLACES
from tui.session import Session

LATER = ("pydantic", "networkx", "sqlite_utils", "planner.model", "planner.query", "planner.plan",
         "migrate", "tui.dialogs.form", "tui.dialogs.work", "tui.screens.help")  # fmt: skip


def test_the_table_is_there_before_what_it_does_not_need(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p")
    rows = f"from pathlib import Path; next(Session(Path({str(root)!r}), judges=False).refresh())"
    found = loaded(f"import tui.app, tui.screens.inventory; from tui.session import Session; {rows}")
    assert found & set(LATER) == set()
    assert "tui.screens.inventory" in found


async def test_the_first_view_is_rows_and_what_is_unknown_is_said_before_a_vm_is_shown(
    tmp_path: Path,
) -> None:
    session = Session(estate.build(tmp_path), status_of=estate.status_of, judges=False)
    views = list(session.refresh())
    session.close()
    assert len(views[0].rows) == 12
    assert not views[0].complete
    assert views[-1].complete
    assert all(view.gaps == views[-1].gaps for view in views[1:])


async def test_a_vm_is_described_once_the_table_stands(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await pilot.press("2")
        await until(lambda: "vCPU" in panel(pilot, "detail"))
        assert table(pilot).rows


async def test_garbage_is_looked_for_again_once_rows_are_painted(tmp_path: Path) -> None:
    gc.disable()
    try:
        async with opened(estate.build(tmp_path)):
            await until(gc.isenabled)
            assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()


async def test_the_application_begins_at_a_place_of_choice(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    for place in PLACES[1:3]:
        async with opened(root, place=place.id) as pilot:
            assert f"▸ {place.title}" in lines(pilot)[0]
            await pilot.press("1")
            await pilot.pause()
            assert "▸ Overview" in lines(pilot)[0]
            await pilot.press("escape")
            await pilot.pause()
            assert f"▸ {place.title}" in lines(pilot)[0]
