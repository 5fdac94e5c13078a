"""A wave whose replicas are written over NBD, through a carrier; the file plugin of nbdkit is its VDDK."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pyVmomi

from migrate.sites.vsphere.folder import VCenterFolder
from tests.migrate.disks.nbd.servers import tool
from tests.vcenter.collected import finished, named
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import Plant, Staged, content, devices_of, machines, mounts, snapshots, staged

vim: Any = pyVmomi.vim
# What wherry starts in place of nbdkit: the same server, with the file that VDDK would have opened.
STAND_IN = """#!{python}
import json, os, sys
words = sys.argv[1:]
at = words.index("vddk")
told = dict(word.split("=", 1) for word in words[at + 1:])
with open({log!r}, "a") as log:
    log.write(json.dumps([told["vm"], told["file"], "--readonly" in words]) + "\\n")
store, path = told["file"][1:].split("] ", 1)
flat = os.path.join({mounts!r}[store], path.replace(".vmdk", "-flat.vmdk"))
leash = "exit-when-pipe-closed=" + told["exit-when-pipe-closed"]
slow = ["--filter=delay", "wdelay=60"] if os.path.exists({slow!r}) else []
os.execv({nbdkit!r}, [{nbdkit!r}, *words[:at], *slow[:1], "file", flat, leash, *slow[1:]])
"""


@pytest.fixture
def plant(vcenter: StartVCenter) -> Plant:
    return Plant(vcenter("-vm", "1"))


def carrier_at(peer: VCenterPeer) -> Any:
    """Make the VM that replicas hang on: one controller, nothing else."""
    service = peer.connect()
    (pool,) = [one[""] for one in named(service, vim.ResourcePool, "name").values()][:1]
    scsi = vim.vm.device.ParaVirtualSCSIController(key=-1, busNumber=0, sharedBus="noSharing")
    spec = vim.vm.ConfigSpec(
        name="wherry-carrier",
        guestId="otherGuest64",
        numCPUs=1,
        memoryMB=64,
        files=vim.vm.FileInfo(vmPathName="[LocalDS_0]"),
        deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="add", device=scsi)],
    )
    return finished(service.content.rootFolder.childEntity[0].vmFolder.CreateVM_Task(spec, pool))


@pytest.fixture
def stage(tmp_path: Path, plant: Plant, vcenter: StartVCenter, monkeypatch: pytest.MonkeyPatch) -> Staged:
    target = vcenter("-vm", "0")
    carrier_at(target)
    found = staged(tmp_path / "move", plant.peer, target)
    for name, value in (("mounts", "{}"), ("vddk", "/opt/vddk"), ("carrier", "wherry-carrier")):
        found.cli.done("settings", "set", f"sites.dc2.{name}", value)
    program = tmp_path / "bin/nbdkit"
    program.parent.mkdir()
    log, nbdkit = str(tmp_path / "opened"), str(tool("nbdkit"))
    told = {"log": log, "mounts": mounts(target), "nbdkit": nbdkit, "slow": str(tmp_path / "slow")}
    program.write_text(STAND_IN.format(python=sys.executable, **told))
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return found.planned(min(plant.machines))


def live(stage: Staged, verb: str) -> None:
    ran = stage.cli.live(verb, "W01")
    assert ran.code == 0, ran.text


def test_a_wave_goes_out_over_nbd_and_back(stage: Staged, plant: Plant, tmp_path: Path) -> None:
    name = stage.moving
    said = stage.cli("rehearse", "W01", "--depth", "dry", "--json").document
    assert [one for one in json.dumps(said["ways"]).split('"') if one.startswith("nbd: VDDK reaches it")]
    live(stage, "replicate")
    plant.write(name, os.urandom(100_000), 70_000)
    live(stage, "replicate")
    plant.write(name, os.urandom(5_000), 1_500_000)
    live(stage, "cutover")
    there = machines(stage.target)
    assert content(there[name]) == plant.written[name]
    carrier = there["wherry-carrier"]
    assert devices_of(carrier, vim.vm.device.VirtualDisk) == [], "nothing is left hanging"
    opened = [json.loads(line) for line in (tmp_path / "opened").read_text().splitlines()]
    assert {vm for vm, _, _ in opened} == {f"moref={carrier._moId}"}
    assert any(not reads for _, _, reads in opened)
    live(stage, "rollback")
    assert list(machines(stage.target)) == ["wherry-carrier"]
    assert snapshots(stage.source) == []


def receiver_of(stage: Staged) -> int:
    """Return the process that writes the replicas."""
    where = VCenterFolder.of(stage.cli.root, "dc2").where.encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is gone, or not ours to look at
            words = (process / "cmdline").read_bytes().split(b"\0")
            if where in words and b"migrate.daemons.receiver" in words:
                return int(process.name)
    raise AssertionError("no receiver runs")


def test_a_receiver_that_is_killed_while_it_writes_leaves_nothing_hanging(
    stage: Staged, plant: Plant, tmp_path: Path
) -> None:
    (tmp_path / "slow").touch()  # nothing is written within a minute
    carrier, ran = machines(stage.target)["wherry-carrier"], []
    thread = threading.Thread(target=lambda: ran.append(stage.cli.live("replicate", "W01")))
    thread.start()
    try:
        while thread.is_alive() and not (tmp_path / "opened").exists():
            time.sleep(0.1)
        assert len(devices_of(carrier, vim.vm.device.VirtualDisk)) == 1
        (tmp_path / "slow").unlink()
        os.kill(receiver_of(stage), signal.SIGKILL)
        assert len(devices_of(carrier, vim.vm.device.VirtualDisk)) == 1, "control: it took nothing off"
    finally:
        thread.join()
    assert ran[0].code == 0, ran[0].text
    assert devices_of(carrier, vim.vm.device.VirtualDisk) == []
    opened = [json.loads(line) for line in (tmp_path / "opened").read_text().splitlines()]
    assert sum(not reads for _, _, reads in opened) == 2, "it was opened to write once more"
    (replica,) = Path(mounts(stage.target)["LocalDS_0"]).glob("wherry-*/*-flat.vmdk")
    assert replica.read_bytes() == plant.written[stage.moving]
