"""The demonstration keeps its promises: they are read back from what it left, not from what it said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from planner.store.project import Project
from tests.demonstration import CLONE, Shown, run_demo, shown


@pytest.fixture(scope="module")
def demo() -> Shown:
    ended = shown()
    assert ended.code == 0, ended.out + ended.err
    return ended


def report(demo: Shown, wave: str) -> Any:
    return json.loads((demo.root / "exports" / f"report-{wave}.json").read_text("utf-8"))


@pytest.mark.parametrize(("wave", "state"), [("W01", "committed"), ("W02", "rolled back")])
def test_every_disk_cut_over_has_equal_hashes(demo: Shown, wave: str, state: str) -> None:
    body = report(demo, wave)
    assert body["state"] == state
    assert len(body["disks"]) == 6
    for disk in body["disks"]:
        assert disk["equal"] is True
        assert disk["source_digest"] == disk["target_digest"]
        assert len(disk["source_digest"]) == 64
        assert disk["source_digest"][:32] in demo.out
    assert len(body["vms"]) == 4
    assert all(vm["rto_s"] > 0 for vm in body["vms"])


def test_disks_were_remapped_both_ways(demo: Shown) -> None:
    ways = {
        (disk["was"], disk["became"].split()[0])
        for wave in ("W01", "W02")
        for disk in report(demo, wave)["disks"]
    }
    assert ("rdm-physical", "vmdk") in ways
    assert ("vmdk", "rdm-virtual") in ways


def test_the_run_was_killed_twice_and_no_finished_step_was_repeated(demo: Shown) -> None:
    assert demo.err.count("kill -9 of the engine") == 2
    with Project.open(demo.root) as project:
        runs = sorted(row["kind"] for row in project.rows("SELECT kind FROM run"))
        assert runs == ["failback", "remedy", "wave", "wave"], "the first is protected once it is committed"
        rows = project.rows("SELECT run, step, kind FROM step_record WHERE step != '' ORDER BY seq")
    done: set[tuple[int, str]] = set()
    for row in rows:
        key = (row["run"], row["step"])
        if row["kind"] == "intent":
            assert key not in done, f"{key} was done and begun again"
        if row["kind"] in ("done", "approved"):
            assert key not in done, f"{key} was done twice"
            done.add(key)
    assert "had happened before the interruption" in demo.err or "had not happened" in demo.err


def test_what_was_in_the_way_of_the_first_wave_is_cleared_and_its_approval_stays(demo: Shown) -> None:
    assert "crm-app-02: disconnect drives  1 drive disconnected" in demo.err
    assert "W01: 1 remedy is done" in demo.out
    assert "W01 approved by" in demo.out
    plan = (demo.root / "exports" / "plan.md").read_text("utf-8")
    assert "| crm-app-02 | CD drive connected | sales-it | 5 | wherry: disconnect-media | done: by" in plan


def test_what_the_target_wrote_is_kept(demo: Shown) -> None:
    (kept,) = report(demo, "W02")["kept"]
    assert kept["bytes"] > 0
    assert any((demo.root / "checkpoints").glob("*/manifest.json"))


def test_papers_lie_where_it_says(demo: Shown) -> None:
    names = {path.name for path in (demo.root / "exports").iterdir()}
    assert names >= {"plan.xlsx", "plan.md", "plan.json"}
    assert names >= {f"report-{wave}{end}" for wave in ("W01", "W02") for end in (".xlsx", ".md", ".json")}
    assert "wherry ui --project" in demo.out
    assert "12 disks were cut over, all with equal hashes" in demo.out


def test_nothing_else_is_left_behind(demo: Shown) -> None:
    assert [path.name for path in demo.root.parent.iterdir()] == [".demo"]


def test_no_process_of_the_lab_is_left(demo: Shown) -> None:
    ours = str(demo.root).encode()
    assert [line for line in _command_lines() if ours in line] == []


def _command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile, or is another login's
            yield path.read_bytes()


def test_one_that_was_killed_is_replaced(demo: Shown) -> None:
    with Project.open(demo.root) as project:
        assert demo.former not in ("", project.id)


def test_a_directory_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep me", "utf-8")
    ended = run_demo(CLONE, tmp_path, "--dir", str(tmp_path))
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 2
    assert "holds something that is not a demo" in ended.err
    assert "hint: name another --dir" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_its_last_words_are_a_command_that_can_be_typed(demo: Shown) -> None:
    said = next(text for text in demo.out.splitlines() if "look at it" in text).split()
    command = said[said.index("it") + 1]
    assert shutil.which(command) or (CLONE / command).exists()
    assert "the 4 sources had acknowledged" in demo.out
