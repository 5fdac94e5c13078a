"""A wave from one vCenter to another: seeded, kept up to date under writes, cut over, and both ways back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import Plant, Staged, content, machines, snapshots, staged, write


@pytest.fixture
def plant(vcenter: StartVCenter) -> Plant:
    return Plant(vcenter("-vm", "1"))


@pytest.fixture
def name(plant: Plant) -> str:
    return min(plant.machines)


@pytest.fixture
def stage(tmp_path: Path, plant: Plant, name: str, vcenter: StartVCenter) -> Staged:
    return staged(tmp_path / "move", plant.peer, vcenter("-vm", "0")).planned(name)


def live(stage: Staged, verb: str, *more: str) -> None:
    ran = stage.cli.live(verb, "W01", *more)
    assert ran.code == 0, ran.text


def landed(stage: Staged, name: str) -> Any:
    """Return the VM at the target."""
    return machines(stage.target)[name]


def test_out_and_back_before_the_commit(stage: Staged, plant: Plant, name: str) -> None:
    live(stage, "replicate")
    plant.write(name, os.urandom(100_000), 70_000)
    live(stage, "replicate")
    plant.write(name, os.urandom(5_000), 1_500_000)
    live(stage, "cutover")
    there, here = landed(stage, name), plant.machines[name]
    assert (there.runtime.powerState, here.runtime.powerState) == ("poweredOn", "poweredOff")
    assert content(there) == content(here) == plant.written[name]
    said = {step["step"]: step["said"] for step in stage.cli.report("W01")["steps"]}
    assert said["g0/d0/delta/2"].startswith("128 KiB sent"), "a delta sends what was written, and no more"
    assert said["g0/d0/final"].startswith("64.0 KiB sent")
    live(stage, "rollback")
    assert here.runtime.powerState == "poweredOn"
    assert machines(stage.target) == {}
    assert snapshots(stage.source) == []
    assert content(here) == plant.written[name]


def test_out_and_home_after_the_commit(stage: Staged, plant: Plant, name: str) -> None:
    for verb in ("replicate", "cutover", "commit"):
        live(stage, verb)
    here = plant.machines[name]
    assert here.name.startswith(f"{name}-moved-")
    there = landed(stage, name)
    write(there, os.urandom(100_000), 300_000)
    written = content(there)
    assert written != plant.written[name]
    live(stage, "replicate", "--reverse")
    live(stage, "failback")
    assert here.name == name
    assert (there.runtime.powerState, here.runtime.powerState) == ("poweredOff", "poweredOn")
    assert content(here) == written
