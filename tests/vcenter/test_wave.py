"""A wave from one vCenter to another: seeded, kept up to date under writes, cut over, and both ways back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import Plant, Staged, content, machines, mounts, snapshots, staged, write


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
    stage.cli.done("rehearse", "W01", "--depth", "dry")
    for verb in ("replicate", "cutover", "commit"):
        live(stage, verb)
    against = stage.cli.done("rehearse", "W01", "--depth", "dry", "--against-run", "--json").document
    assert against["differences"] == [], "what was predicted is what was asked for"
    assert against["steps"] > 10
    here = plant.machines[name]
    assert here.name.startswith(f"{name}-moved-")
    assert here.parent.name == "wherry-moved"
    there = landed(stage, name)
    write(there, os.urandom(100_000), 300_000)
    written = content(there)
    assert written != plant.written[name]
    live(stage, "replicate", "--reverse")
    live(stage, "failback")
    assert (here.name, here.parent.name) == (name, "vm")
    assert (there.runtime.powerState, here.runtime.powerState) == ("poweredOff", "poweredOn")
    assert content(here) == written


def test_a_booted_copy_is_started_apart_and_removed(stage: Staged, plant: Plant, name: str) -> None:
    networks = '{DC0_DVPG0 = "VM Network"}'
    stage.planned(name, conduct__test_networks=networks, policies__probe_timeout_s="2.0")
    live(stage, "replicate")
    stage.target.calls(reset=True)
    ran = stage.cli.live("rehearse", "W01", "--depth", "boot")
    assert ran.code == 3, "the simulator's guests have no tools that answer"
    assert "its tools do not run" in ran.text
    asked = stage.target.calls()
    assert (asked["CreateVM_Task"], asked["PowerOnVM_Task"], asked["UnregisterVM"]) == (1, 1, 1)
    assert machines(stage.target) == {}
    (replica,) = Path(mounts(stage.target)["LocalDS_0"]).glob("wherry-*/*-flat.vmdk")
    assert replica.read_bytes() == plant.written[name]


def started_for(stage: Staged) -> dict[str, bytes]:
    """Return what the system tells everybody of each process that runs for the stage, by module."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue  # gone, or not ours to look at
        if f"MARKED={stage.cli.root}".encode() in environment.split(b"\0"):
            words = [word for word in command.decode().split("\0") if word.startswith("migrate.")]
            module = words[-1] if words else ""  # behind the one that detaches it
            found[module] = command + environment
    found.pop("", None)
    return found


def test_an_engine_and_its_movers_log_in_by_themselves_and_show_no_password(
    stage: Staged, plant: Plant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHERRY_IN_PROCESS")
    monkeypatch.setenv("MARKED", str(stage.cli.root))  # what is started for us inherits it
    secret = stage.source.password.encode()
    try:
        live(stage, "replicate")
        seen = started_for(stage)
        assert {"migrate.engine.process", "migrate.movers.process", "migrate.daemons.receiver"} <= seen.keys()
        assert not [module for module, said in seen.items() if secret in said]
    finally:
        stage.cli("engine", "stop")
    (replica,) = Path(mounts(stage.target)["LocalDS_0"]).glob("wherry-*/*-flat.vmdk")
    assert replica.read_bytes() == plant.written[name]
    holders = [
        path.name for path in stage.cli.root.rglob("*") if path.is_file() and secret in path.read_bytes()
    ]
    assert holders == ["password", "password"], "of each site one file has it, and nothing else"
