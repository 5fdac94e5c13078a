"""Waves still to come are estimated by what a wave of a real lab measured."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.estimate import GOODPUT
from planner.projection import CPU_BYTES_S
from planner.units import GIB
from tests.tui.cli.command import Wherry
from tests.tui.cli.estate import disk, document, vm, write

_SAID = "estimates rest on measured rates, medians of 1 run (W01 of "


def _estate(cli: Wherry, name: str, db_bytes: int) -> str:
    """Write the estate: solo with a disk that takes a moment, db-1 with one of a size to tell rates by."""
    vms: list[dict[str, Any]] = document()["vms"]
    vms[0]["disks"][0]["size_bytes"] = db_bytes
    vms[2] = vm("vm-3", "solo", "other", [disk("solo", 0, 96)])
    return str(write(cli.root / name, vms=vms))


@pytest.fixture(scope="module")
def moved(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wherry]:
    """Return a project whose first wave runs at the target of a lab."""
    cli = Wherry(shutil.copytree(template, tmp_path_factory.mktemp("measured") / "move"))
    cli.done("discover", _estate(cli, "small.json", 4 * 1024**2))
    cli.done("plan")
    assert _SAID not in cli.done("plan", "show").out
    cli.done("plan", "approve")
    cli.done("lab", "build")
    try:
        assert cli.live("cutover", "W01").code == 0
        cli.done("discover", _estate(cli, "large.json", 400 * GIB))
        yield cli
    finally:
        assert cli("lab", "stop").code == 0


def _seeded(cli: Wherry) -> float:
    """Return the rate of the lab's seed as the record has it."""
    with sqlite3.connect(cli.root / "project.db") as db:
        rows = db.execute("SELECT detail FROM step_record WHERE kind = 'done' AND step LIKE '%/seed'")
        (said,) = [json.loads(row[0]) for row in rows]
    return float(said["data_bytes"] / said["seconds"])


def _w02(document: Any) -> Any:
    (wave,) = [wave for wave in document["plan"]["waves"] if wave["name"] == "W02"]
    return wave["estimate"]


def test_a_projection_rests_on_it(moved: Wherry) -> None:
    ran = moved.done("estimate", "--json")
    ratio = ran.document["ratio"]
    first = ran.document["lines"][0]
    assert ratio["low"] == ratio["likely"] == ratio["high"]
    carried = first["rate_mbit"] * 1e6 / 8 * ran.document["share"] * GOODPUT * ratio["likely"]
    assert carried == pytest.approx(_seeded(moved), rel=1e-3)
    assert first["p50"]["rate_bytes_s"] == pytest.approx(min(carried, CPU_BYTES_S))
    assert "as the project's runs measured it" in moved.done("estimate").err


def test_the_next_plan_uses_the_rate_and_says_what_it_rests_on(moved: Wherry) -> None:
    first = moved.done("plan", "--json").document
    (note,) = [note for note in first["plan"]["notes"] if note.startswith(_SAID)]
    assert "seeded 1 disk:" in note
    rate = _seeded(moved)
    seeded = 400 * GIB + 3 * 1024**2  # the physical RDM is copied after the stop
    assert _w02(first)["seed_h"]["p50"] == pytest.approx(seeded / rate / 3600, rel=1e-3, abs=2e-3)
    again = moved.done("plan", "--json").document
    assert (again["version"], again["fingerprint"]) == (first["version"], first["fingerprint"])


def test_edits_and_what_if_rest_on_them_too(moved: Wherry) -> None:
    before = moved.done("plan", "--json").document
    moved.done("plan", "lock", "W02")
    locked = moved.done("plan", "show", "--json").document
    assert locked["version"] > before["version"]
    assert _w02(locked) == _w02(before)
    assert any(note.startswith(_SAID) for note in locked["plan"]["notes"])
    moved.done("plan", "what-if", "--link", "250Mbit/s", "--keep")
    kept = moved.done("plan", "show", "--json").document
    assert kept["version"] > locked["version"]
    slower = 4 * _w02(before)["seed_h"]["p50"]
    assert _w02(kept)["seed_h"]["p50"] == pytest.approx(slower, rel=1e-2, abs=5e-3), "a quarter of the line"
    again = moved.done("plan", "--json").document
    assert _w02(again) == _w02(kept)
