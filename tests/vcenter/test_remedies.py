"""wherry remedy at a vCenter: what a wave's VMs lack for it is changed there, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import Plant, Staged, devices_of, machines, staged


@pytest.fixture
def stage(tmp_path: Path, vcenter: StartVCenter) -> Staged:
    """Return a stage whose VM has a CD in its drive and is not tracked."""
    plant = Plant(vcenter("-vm", "1"), tracked=False)
    return staged(tmp_path / "move", plant.peer, vcenter("-vm", "0")).planned(min(plant.machines))


def seen(stage: Staged) -> tuple[bool, list[bool]]:
    """Return whether the VM is tracked, and of each CD drive whether it is connected."""
    from pyVmomi import vim

    machine = machines(stage.source)[stage.moving]
    drives = devices_of(machine, vim.vm.device.VirtualCdrom)
    return bool(machine.config.changeTrackingEnabled), [one.connectable.connected for one in drives]


def test_a_drive_and_change_tracking(stage: Staged) -> None:
    fixes = {task["fix"] for task in stage.cli.done("remedy", "W01", "--json").document["tasks"]}
    assert {"disconnect-media", "enable-cbt"} <= fixes
    assert seen(stage) == (False, [True])
    ran = stage.cli.live("remedy", "W01")
    assert ran.code == 0, ran.text
    assert seen(stage) == (True, [False])
    assert stage.cli.live("replicate", "W01").code == 0
    assert stage.cli.live("abort", "W01").code == 0
    ran = stage.cli.live("remedy", "W01", "--undo")
    assert ran.code == 0, ran.text
    assert seen(stage) == (False, [True])
