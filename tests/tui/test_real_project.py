"""The screens on the real read model, checks and planner, from the lab sample."""

from pathlib import Path

from planner.model import Inventory
from planner.planning import make_plan
from planner.store import inventories, plans, settings
from planner.store.project import Project
from tests.tui.stage import lines, opened, panel, table, text, until
from tests.tui.test_hostile import sample
from tui.session import Session


def planned(root: Path, inventory: Inventory) -> Path:
    """Make a project with the real planner's plan."""
    with Project.create(root, "acme") as project:
        stored = inventories.save(project, inventory)
        plan = make_plan(
            project=project.name,
            inventory=stored.inventory,
            inventory_fingerprint=stored.fingerprint,
            settings=settings.load(project),
            created_at="2026-03-10T10:00:00Z",
        )
        plans.save(project, plan, "ann")
    return root


async def test_the_lab_sample_on_real_parts(tmp_path: Path) -> None:
    root = planned(tmp_path, sample("lab"))
    async with opened(root, session=Session(root)) as pilot:
        assert pilot.app.view.error == ""
        assert "discovered" in panel(pilot, "stages")
        assert table(pilot).rows
        await pilot.press("2")
        await pilot.pause()
        await until(lambda: table(pilot).rows[0][10] is not None)  # checks are run by another process
        assert "disk" in panel(pilot, "detail")
        await pilot.press("4")
        await until(lambda: "▸ Waves ▸ W01" in lines(pilot)[0])
        await pilot.press("enter")
        await until(lambda: "started in this order" in text(pilot))
