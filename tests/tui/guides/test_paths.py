"""Choosing a file: what is listed, completed, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.stage import text
from tui.guides.paths import FilePick, entries


def tree(root: Path) -> Path:
    (root / "exports").mkdir()
    (root / "exports" / "vInfo.csv").write_text("x", "utf-8")
    for name in ("estate-a.xlsx", "estate-b.xlsx", "notes.txt", ".hidden.xlsx", "bad\u202e.xlsx"):
        (root / name).write_text("x", "utf-8")
    return root


class Stage(App[None]):
    """An application that asks once."""

    def __init__(self, box: FilePick) -> None:
        super().__init__()
        self.box = box
        self.answers: list[str | None] = []

    def on_mount(self) -> None:
        self.push_screen(self.box, self.answers.append)


async def put(pilot: Pilot[None], typed: str) -> Input:
    found = pilot.app.screen.query_one(Input)
    found.value = typed
    await pilot.pause()
    return found


def test_only_what_is_wanted_and_can_be_shown_is_listed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    names = [Path(path).name for path, _ in entries(f"{root}/", (".xlsx",))]
    assert names == ["estate-a.xlsx", "estate-b.xlsx", "exports"]  # a project has folders of its own
    assert Path(entries(f"{root}/", (".xlsx",), folders=True)[0][0]).name == "exports"
    assert [Path(path).name for path, _ in entries(f"{root}/.h", (".xlsx",))] == [".hidden.xlsx"]
    assert entries(f"{root}/none/", ()) == []
    assert entries(f"{root}/notes.txt/", ()) == []


async def test_tab_completes_and_enter_goes_into_folders_and_takes_files(tmp_path: Path) -> None:
    root = tree(tmp_path)
    app = Stage(FilePick("File", (".xlsx",), f"{root}/"))
    async with app.run_test(size=(100, 24)) as pilot:
        box = await put(pilot, f"{root}/est")
        await pilot.press("tab")
        assert box.value == f"{root}/estate-"
        await pilot.press("enter")
        await pilot.pause()
        assert "does not exist" in text(pilot)
        assert app.answers == []
        await put(pilot, f"{root}/exp")
        await pilot.press("tab", "enter")
        assert app.answers == []
        assert "no such file is in this folder" in text(pilot)
        await put(pilot, f"{root}/estate-")
        await pilot.press("down", "down", "enter")
    assert app.answers == [f"{root}/estate-b.xlsx"]


async def test_a_folder_is_an_answer_where_one_is_wanted(tmp_path: Path) -> None:
    root = tree(tmp_path)
    app = Stage(FilePick("Folder", (".csv",), f"{root}/exports/", whole_folders=True))
    async with app.run_test(size=(100, 24)) as pilot:
        assert "vInfo.csv" in text(pilot)
        await pilot.press("enter")
    assert app.answers == [f"{root}/exports"]


async def test_leaving_answers_with_nothing(tmp_path: Path) -> None:
    app = Stage(FilePick("File", (), f"{tmp_path}/"))
    async with app.run_test() as pilot:
        await pilot.press("escape")
    assert app.answers == [None]


def test_names_are_compared_letter_by_letter() -> None:
    from tui.guides.paths import _common

    some: Any = ["a/bc", "a/bd", "a/b"]
    assert _common(some) == "a/b"
    assert _common([]) == ""
