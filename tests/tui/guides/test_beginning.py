"""From a directory without a project to one with an estate, in the terminal."""

import shutil
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select

from migrate import audit
from planner.errors import NotFound
from planner.samples import sample_path
from planner.store import inventories
from planner.store.project import Project
from tests.tui.cli.command import refused, wherry
from tests.tui.cli.terminal import typing
from tests.tui.stage import SMALL, lines, on, text, until
from tui.app import WherryApp
from tui.dialogs.reader import Reader
from tui.guides.beginning import BeginningApp
from tui.jobs.orders import import_file


def offers(pilot: Pilot[object]) -> list[str]:
    return [str(value) for _, value in pilot.app.screen.query_one(Select)._options]


def field(pilot: Pilot[object], name: str) -> Input:
    return pilot.app.screen.query_one(f"#ask-{name}", Input)


async def test_a_project_is_made_as_the_verb_does(tmp_path: Path) -> None:
    root = tmp_path / "exit"
    root.mkdir()
    app = BeginningApp(root)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "Make a project here" in text(pilot)
        assert field(pilot, "name").value == "exit"
        assert offers(pilot)[0] == "sample:estate"
        field(pilot, "name").value = "dc1 exit"
        await pilot.press("ctrl+s")
        await until(lambda: "making the project" in text(pilot))
        await until(lambda: app.return_value is not None)
    begun = app.return_value
    assert begun is not None
    assert begun.order == import_file(["estate"])
    with Project.open(root) as project:
        assert project.name == "dc1 exit"
        assert [entry.act for entry in audit.lines(project)] == ["init"]


async def test_files_that_lie_there_are_offered_and_hostile_names_do_nothing(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.JSON", "notes.txt", "\x1b[2Jc.json", "[bold]d[red].xlsx"):
        (tmp_path / name).write_text("")
    app = BeginningApp(tmp_path)
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        assert offers(pilot)[:4] == [
            "file:\x1b[2Jc.json",
            "file:[bold]d[red].xlsx",
            "file:a.xlsx",
            "file:b.JSON",
        ]
        assert offers(pilot)[-2:] == ["other", "nothing"]
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert "␛[2Jc.json, in this directory" in text(pilot)
        assert "[bold]d[red].xlsx, in this directory" in text(pilot)
        await pilot.press("escape", "escape")
        await pilot.pause()
    assert app.return_value is None
    with pytest.raises(NotFound):
        Project.open(tmp_path)


async def test_a_path_that_is_none_is_said_and_another_one_counts_over_the_list(tmp_path: Path) -> None:
    app = BeginningApp(tmp_path / "p")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        field(pilot, "path").value = str(tmp_path / "no.xlsx")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "there is no" in text(pilot)
        field(pilot, "path").value = ""
        pilot.app.screen.query_one(Select).value = "other"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "say which file" in text(pilot)
        (tmp_path / "yes.xlsx").write_text("")
        field(pilot, "path").value = str(tmp_path / "yes.xlsx")
        await pilot.press("ctrl+s")
        await until(lambda: app.return_value is not None)
    assert app.return_value is not None
    assert app.return_value.order == import_file([str(tmp_path / "yes.xlsx")])


async def test_a_project_that_cannot_be_made_is_said_and_asked_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = BeginningApp(tmp_path / "file" / "p")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        field(pilot, "name").value = "kept"
        await pilot.press("ctrl+s")
        await until(lambda: "✖" in text(pilot))
        assert field(pilot, "name").value == "kept"
        await pilot.press("escape")
        await pilot.pause()
    assert app.return_value is None


async def test_the_application_begins_with_the_import_that_was_asked_for(tmp_path: Path) -> None:
    Project.create(tmp_path, "acme").close()
    app = WherryApp(tmp_path, order=import_file(["lab"]))
    async with app.run_test(size=(120, 35)) as pilot:
        await until(lambda: on(pilot, Reader) and "What came in" in text(pilot))
        await until(lambda: "✔ inventory 1 of the source" in text(pilot))  # its title is painted first
        await pilot.press("enter")
        await until(lambda: app.view.inventory_id is not None)
        await until(lambda: "✔ 1 import an estate" in "\n".join(lines(pilot)))


@pytest.mark.skipif(sys.platform != "linux", reason="a pseudo-terminal of Linux")
def test_wherry_ui_leads_from_an_empty_directory_into_an_estate(tmp_path: Path) -> None:
    shutil.copy(sample_path("lab") / "inventory.json", tmp_path / "estate.json")
    code, said = typing(
        [(b"Make a project here", b"\x13"), (b"What came in", b"\r"), (b"import an estate", b"q")],
        "ui", "--project", str(tmp_path),
    )  # fmt: skip
    assert code == 0, said
    with Project.open(tmp_path) as project:
        assert inventories.find_summary(project) is not None


def test_without_a_terminal_or_to_look_only_there_is_no_offer(tmp_path: Path) -> None:
    for more in ((), ("--read-only",)):
        ran = wherry("ui", "--project", str(tmp_path), *more)
        refused(ran, 2, "is not a wherry project")
    assert list(tmp_path.iterdir()) == []
