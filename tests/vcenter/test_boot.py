"""A wave's copy boots at a vCenter in a bubble of its own, and nothing of it stays."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrate.clock import SystemClock
from migrate.rehearsals import booted
from migrate.rehearsals.booted import Booted
from migrate.rehearsals.defined import definitions
from migrate.run.waves import find_wave
from migrate.sites.opening import open_site
from planner.store import settings
from planner.store.project import Project
from tests.vcenter.collected import finished, named
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import Plant, Staged, content, machines, mounts, staged

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A wave of one VM, replicated, and what its target looked like then."""

    staged: Staged
    written: bytes

    def left(self) -> dict[str, Any]:
        """Return all that a rehearsal might leave: VMs, networks, switches, and files of datastores."""
        from pyVmomi import vim

        service = self.staged.target.connect()
        hosts = named(service, vim.HostSystem, "name", "configManager")
        stores = [Path(store) for store in mounts(self.staged.target).values()]
        return {
            "vms": sorted(machines(self.staged.target)),
            "networks": sorted(named(service, vim.Network, "name")),
            "switches": {
                name: [one.name for one in host["configManager"].networkSystem.networkInfo.vswitch]
                for name, host in hosts.items()
            },
            "files": {
                str(path): path.read_bytes()
                for store in stores
                for path in sorted(store.rglob("*"))
                if path.is_file()
            },
        }

    def rehearse(self, tell: Tell) -> Booted:
        with (
            Project.open(self.staged.cli.root) as project,
            closing(open_site(settings.load(project), "target", project.root)) as target,
            definitions(settings.load(project), project.root, tell) as define,
        ):
            wave = find_wave(project, "W01")
            return booted.rehearse_booted(project, wave, target, SystemClock(), tell, define=define)

    def copy(self) -> Any:
        """Return the copy of the VM, with tools that run from now on."""
        import pyVmomi

        vim: Any = pyVmomi.vim
        copy = next(one for name, one in machines(self.staged.target).items() if name.endswith("-rehearsal"))
        tools = vim.option.OptionValue(key="SET.guest.toolsRunningStatus", value="guestToolsRunning")
        finished(copy.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[tools])))
        return copy


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory, module_vcenter: StartVCenter) -> Stage:
    plant = Plant(module_vcenter("-vm", "1"))
    name = min(plant.machines)
    root = tmp_path_factory.mktemp("boot") / "move"
    ready = staged(root, plant.peer, module_vcenter("-vm", "0"))
    ready = ready.planned(name, policies__probe_timeout_s="2")
    assert ready.cli.live("replicate", "W01").code == 0
    return Stage(ready, plant.written[name])


@pytest.fixture
def stage(replicated: Stage) -> Iterator[Stage]:
    yield replicated
    replicated.staged.target.rules([])


def test_a_copy_boots_alone_and_nothing_of_it_stays(stage: Stage) -> None:
    before = stage.left()
    said = stage.staged.cli.done("rehearse", "W01", "--depth", "boot", "--json").document
    assert (set(said["networks"].values()), said["bubble_host"] in before["switches"]) == ({""}, True)
    assert stage.left() == before
    seen: list[Any] = []

    def look(text: str) -> None:
        if text.startswith("start"):
            copy = stage.copy()
            seen.extend((content(copy), [one.name for one in copy.network], copy.runtime.host.name))

    done = stage.rehearse(look)
    assert (done.clean, done.failure) == (True, ""), done
    assert seen == [stage.written, list(done.networks.values()), said["bubble_host"]]
    assert stage.left() == before


@pytest.mark.parametrize("method", ["CreateVM_Task", "PowerOnVM_Task", "AddPortGroup"])
@pytest.mark.parametrize("effect", [{"taskFault": "HostConfigFault"}, {"dropAfter": True, "count": 1}])
def test_a_fault_leaves_nothing_either(
    stage: Stage, method: str, effect: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate.sites.vsphere.tasks.GRACE_S", 0.5)  # this vCenter is never late
    if method == "AddPortGroup" and "taskFault" in effect:
        effect = {"fault": effect["taskFault"]}  # it has no task
    before = stage.left()
    stage.staged.target.rules([{"method": method, **effect}])
    done = stage.rehearse(lambda text: None)
    assert stage.staged.target.fired() == [1]
    assert ("HostConfigFault" in done.failure, done.removed) == ("count" not in effect, True)
    assert stage.left() == before


@pytest.mark.parametrize("point", ["copy", "start", "remove"])
def test_what_a_killed_one_left_is_removed_by_another_process(stage: Stage, point: str) -> None:
    before = stage.left()
    if (child := os.fork()) == 0:  # pragma: no cover - dies

        def die(text: str) -> None:
            if text.startswith(point):
                os.kill(os.getpid(), signal.SIGKILL)

        stage.rehearse(die)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert (stage.left() != before) == (point != "copy")
    said = stage.staged.cli.done("rehearse", "W01", "--depth", "boot", "--cleanup", "--json").document
    assert said["removed"] == 1
    assert stage.left() == before
