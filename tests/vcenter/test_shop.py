"""A wave of six VMs, two of which share a disk, between two vCenters: LUN to VMDK and VMDK to LUN."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pyVmomi

from migrate.clock import SystemClock
from migrate.rehearsals.booted import rehearse_booted
from migrate.rehearsals.defined import definitions
from migrate.run.waves import find_wave
from migrate.sites.opening import open_site
from planner.model import Backing
from planner.store import settings
from planner.store.project import Project
from tests.vcenter.collected import finished, named
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.shop import (
    LUN_BESIDE,
    LUN_BESIDE_BYTES,
    LUN_HERE,
    LUN_THERE,
    LUN_THERE_BYTES,
    NODES,
    SHARED_BYTES,
    SINGLE,
    Shop,
    source,
    target,
)
from tests.vcenter.staged import Staged, machines, mounts, snapshots, staged

ALL = (*NODES, *SINGLE)
KIB, MIB = 1024, 1 << 20
vim: Any = pyVmomi.vim


@dataclass(frozen=True, slots=True)
class Move:
    """The project, and the shop at both vCenters."""

    stage: Staged
    here: Shop
    there: Shop

    def live(self, verb: str, *more: str) -> None:
        ran = self.stage.cli.live(verb, "W01", *more)
        assert ran.code == 0, ran.text

    def said(self) -> dict[str, str]:
        """Return what each step of the newest run says for itself."""
        return {step["step"]: step["said"] for step in self.stage.cli.report("W01")["steps"]}


Begin = Callable[[Backing], Move]


@pytest.fixture
def begin(tmp_path: Path, vcenter: StartVCenter) -> Iterator[Begin]:
    """Begin a project that moves the whole shop, with the cluster's disk on that backing."""
    with ExitStack() as opened:

        def begun(backing: Backing) -> Move:
            peers = (
                vcenter("-estate", str(source(tmp_path / "here", backing))),
                vcenter("-estate", str(target(tmp_path / "there"))),
            )
            here, there = (
                opened.enter_context(Shop(peer, tmp_path / name / "system"))
                for peer, name in zip(peers, ("here", "there"), strict=True)
            )
            here.lun(LUN_HERE, SHARED_BYTES)
            there.lun(LUN_THERE, LUN_THERE_BYTES)
            there.lun(LUN_BESIDE, LUN_BESIDE_BYTES)
            for shop in (here, there):
                shop.lay()
            stage = staged(tmp_path / "move", *peers)
            for site, shop in (("dc1", here), ("dc2", there)):
                stage.cli.done("settings", "set", f"sites.{site}.mover", "mover")
                stage.cli.done("settings", "set", f"sites.{site}.devices", str(shop.devices))
            stage.cli.done("deps", "together", *ALL, "--why", "one application")
            return Move(stage, here, there)

        yield begun


def remapped(move: Move, to: str, lun: str = "") -> None:
    said = f', lun = "{lun}"' if lun else ""
    sizes = {LUN_THERE: LUN_THERE_BYTES, LUN_BESIDE: LUN_BESIDE_BYTES}
    luns = ", ".join(f'{{name = "{name}", size_bytes = {size}}}' for name, size in sizes.items())
    beside = f', {{disk = "app-1/Hard disk 1", to = "rdm-virtual", lun = "{LUN_BESIDE}"}}' if lun else ""
    remaps = f'[{{disk = "node-1/Hard disk 2", to = "{to}"{said}}}{beside}]'
    more: dict[str, Any] = {"datastores": '{ds = "ds"}', "luns": f"[{luns}]", "remaps": remaps}
    move.stage.planned(*ALL, **more)


def written(shop: Shop) -> None:
    """Write a little everywhere, also to the disk that two VMs share."""
    for name in ALL:
        shop.write(name, 0, os.urandom(5 * KIB), 130 * KIB)
    shop.write("node-2", 1, os.urandom(5 * KIB), 700 * KIB)


def at_the_target(move: Move) -> dict[str, Any]:
    """Return all that a rehearsal might leave: VMs, networks, switches, and the files of datastores."""
    service = move.there.peer.connect()
    hosts = named(service, vim.HostSystem, "name", "configManager")
    stores = [Path(store) for store in mounts(move.there.peer).values()]
    files = (path for store in stores for path in sorted(store.rglob("*")) if path.is_file())
    return {
        "vms": list(machines(move.there.peer)),
        "networks": sorted(named(service, vim.Network, "name")),
        "switches": [
            [one.name for one in host["configManager"].networkSystem.networkInfo.vswitch]
            for host in hosts.values()
        ],
        "files": {str(path): path.read_bytes() for path in files},
    }


def rehearsed(move: Move) -> None:
    """Boot a copy of the shop in a bubble: all but the cluster, of which there is no checkpoint."""
    before = at_the_target(move)
    dry = move.stage.cli.done("rehearse", "W01", "--depth", "boot", "--json").document
    assert len(dry["left_out"]) == len(NODES)

    def with_tools(text: str) -> None:
        if text.startswith("start the copy of "):
            copy = machines(move.there.peer)[f"{text.removeprefix('start the copy of ')}-rehearsal"]
            tools = vim.option.OptionValue(key="SET.guest.toolsRunningStatus", value="guestToolsRunning")
            finished(copy.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[tools])))

    with (
        Project.open(move.stage.cli.root) as project,
        closing(open_site(settings.load(project), "target", project.root)) as target,
        definitions(settings.load(project), project.root, with_tools) as define,
    ):
        wave = find_wave(project, "W01")
        found = rehearse_booted(project, wave, target, SystemClock(), with_tools, define=define)
    answers = {one.name: (one.ok, one.detail) for one in found.probes}
    shares = "not started: it shares Hard disk 2 with {}, and what VMs share is in no checkpoint"
    assert {name: answers.pop(name) for name in NODES} == {
        "node-1": (None, shares.format("node-2")),
        "node-2": (None, shares.format("node-1")),
    }
    assert {name: ok for name, (ok, _) in answers.items()} == dict.fromkeys(SINGLE, True), answers
    assert (found.failure, found.removed, found.verdict.value) == ("", True, "partial")
    assert (found.copied_bytes, len(found.unproved)) == (len(SINGLE) * MIB, 3)
    (entry, *_) = move.stage.cli.done("rehearse", "W01", "--history", "--json").document["rehearsals"]
    assert (entry["depth"], entry["verdict"]) == ("boot", "partial")
    assert at_the_target(move) == before


def test_a_cluster_on_a_lun_moves_onto_a_vmdk_and_back(begin: Begin) -> None:
    move = begin(Backing.RDM_PHYSICAL)
    remapped(move, "vmdk")
    move.stage.cli.done("rehearse", "W01", "--depth", "dry")
    for _ in range(3):
        move.live("replicate")
        written(move.here)
    rehearsed(move)
    move.live("cutover")
    expected = move.here.content(*ALL)
    assert len(expected) == len(ALL) + len(NODES)
    assert move.there.content(*ALL) == expected
    assert move.there.kinds(*NODES) == dict.fromkeys(NODES, ("vmdk", "physicalSharing"))
    said = move.said()
    assert said["g0/snapshot/0"].endswith("4 disks at one instant, without 2 VMs of which none can be taken")
    (lun,) = (step.removesuffix("/ahead") for step, how in said.items() if how.startswith("2.0 MiB sent"))
    assert said[f"{lun}/ahead"].startswith("2.0 MiB sent"), "once, though two VMs have it"
    for later in ("ahead/2", "ahead/3", "final"):
        assert said[f"{lun}/{later}"].startswith("8.0 KiB sent"), later
        assert said[f"{lun}/{later}"].endswith("by comparison")
    move.live("rollback")
    names = [*ALL, "mover"]
    assert {name: one.runtime.powerState for name, one in machines(move.here.peer).items()} == dict.fromkeys(
        names, "poweredOn"
    )
    assert list(machines(move.there.peer)) == ["mover"]
    assert snapshots(move.here.peer) == []
    assert move.here.content(*ALL) == expected


def test_a_cluster_on_a_vmdk_moves_onto_a_lun_and_home_again(begin: Begin) -> None:
    move = begin(Backing.VMDK)
    remapped(move, "rdm-physical", LUN_THERE)
    move.live("replicate")
    written(move.here)
    for verb in ("replicate", "cutover", "commit"):
        move.live(verb)
    moved = {name.partition("-moved-")[0]: name for name in machines(move.here.peer)}
    for name in ALL:
        here, there = move.here.content(moved[name]), move.there.content(name)
        assert list(here.values()) == list(there.values())
    assert move.there.kinds(*NODES) == dict.fromkeys(NODES, ("physicalMode", "physicalSharing"))
    written(move.there)
    move.there.write("node-1", 1, b"past", LUN_THERE_BYTES - 700)
    ran = move.stage.cli.live("replicate", "W01", "--reverse")
    assert ran.code == 3
    assert "node-1 Hard disk 2 at site dc2 does not fit onto the one at site dc1: something lies" in ran.text
    assert f"first at byte {LUN_THERE_BYTES - 700}" in ran.text
    move.there.write("node-1", 1, bytes(4), LUN_THERE_BYTES - 700)
    move.live("replicate", "--reverse")
    written(move.there)
    move.there.write("app-1", 0, b"grown", MIB + 64 * KIB)  # that nobody can look at while its VM runs
    ran = move.stage.cli.live("failback", "W01")
    assert ran.out == "W01: stopped at app-1 Hard disk 1: final delta\n"
    assert "app-1 Hard disk 1 at site dc2 does not fit onto the one at site dc1: something lies" in ran.text
    assert "roll back, so that it runs at site dc2 again" in ran.text
    move.there.write("app-1", 0, bytes(5), MIB + 64 * KIB)
    expected = move.there.content(*ALL)
    move.live("failback")
    assert move.here.content(*ALL) == expected
    assert move.here.kinds(*NODES) == dict.fromkeys(NODES, ("vmdk", "physicalSharing"))
