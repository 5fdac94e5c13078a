"""The wheel is whole: it carries what the code reads, nothing else, and works away from the clone."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest

from tests.demonstration import CLONE, Built, built, environment, scratch, shown


@pytest.fixture(scope="module")
def wheel() -> Built:
    made = built()
    if made.why_not:
        pytest.skip(made.why_not)
    return made


@pytest.fixture(scope="module")
def names(wheel: Built) -> set[str]:
    with zipfile.ZipFile(wheel.wheel) as archive:
        return set(archive.namelist())


def test_it_carries_samples_styles_and_schemas(names: set[str]) -> None:
    for path in CLONE.glob("sample_inventories/*/*.*"):
        assert str(path.relative_to(CLONE)) in names
    styles = list((CLONE / "tui").rglob("*.tcss"))
    assert styles
    for path in styles:
        assert str(path.relative_to(CLONE)) in names
    schemas = [
        path for floor in ("planner", "migrate", "tui") for path in (CLONE / floor).rglob("*.schema.json")
    ]
    assert schemas
    for path in schemas:
        assert str(path.relative_to(CLONE)) in names


def test_it_carries_every_module_and_no_test(names: set[str]) -> None:
    for floor in ("planner", "migrate", "tui"):
        for path in (CLONE / floor).rglob("*.py"):
            assert str(path.relative_to(CLONE)) in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "planner",
        "migrate",
        "tui",
        "sample_inventories",
    }
    assert not [name for name in names if "test" in name.split("/")[-1] and name.endswith(".py")]
    assert not [name for name in names if name.endswith((".pyc", ".db")) or "/." in name]


def test_it_names_the_command_and_the_licence(wheel: Built, names: set[str]) -> None:
    (folder,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    with zipfile.ZipFile(wheel.wheel) as archive:
        assert "wherry = tui.cli.entry:main" in archive.read(f"{folder}/entry_points.txt").decode()
        metadata = archive.read(f"{folder}/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert f"{folder}/licenses/LICENSE" in names


def test_the_code_that_runs_is_that_of_the_wheel(wheel: Built) -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, planner, migrate, tui\n"
            "print(json.dumps([room.__file__ for room in (planner, migrate, tui)]))",
        ],
        cwd=scratch(),
        env=environment(wheel.site),
        capture_output=True,
        text=True,
        check=True,
    )
    for path in json.loads(found.stdout):
        assert path.startswith(str(wheel.site)), path
        assert not path.startswith(str(CLONE))


def test_the_demo_runs_from_it_in_an_empty_directory(wheel: Built) -> None:
    ended = shown()
    assert ended.code == 0, ended.out + ended.err
    said = (ended.out + ended.err).replace(sys.prefix, "")  # the environment may lie in the clone
    assert str(CLONE) not in said, "something was taken from the clone"
    assert str(wheel.site) in ended.err, "the sample's settings come from the wheel"
    for wave in ("W01", "W02"):
        report = json.loads((ended.root / "exports" / f"report-{wave}.json").read_text("utf-8"))
        assert report["disks"]
        assert all(disk["equal"] for disk in report["disks"])
