"""A process that we start finds our code, wherever it runs from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from planner.own_code import child_environment

ROOT = Path(__file__).parents[2]


def test_a_child_imports_our_code_before_any_other_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planner").mkdir()
    (tmp_path / "planner" / "__init__.py").write_text("raise SystemExit('another planner')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = subprocess.run(
        [sys.executable, "-P", "-c", "import planner; print(planner.__file__)"],
        env=child_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(said.stdout.strip()) == ROOT / "planner" / "__init__.py"


def test_what_was_on_the_path_stays_behind_ours_and_nothing_is_added_to_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert child_environment()["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"
    monkeypatch.delenv("PYTHONPATH")
    assert child_environment() == {**os.environ, "PYTHONPATH": str(ROOT)}


def test_one_module_alone_says_where_our_code_lies() -> None:
    found = [
        str(path.relative_to(ROOT))
        for package in ("planner", "migrate", "tui")
        for path in (ROOT / package).rglob("*.py")
        if "PYTHONPATH" in path.read_text("utf-8") and "python_path()" not in path.read_text("utf-8")
    ]
    assert found == []
