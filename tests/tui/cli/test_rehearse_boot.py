"""wherry rehearse --depth boot on a lab: a copy boots beside its replication, and nothing of it stays."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from migrate.clock import SystemClock
from migrate.rehearsals import book, booted
from migrate.rehearsals.isolating import ISOLATED
from migrate.run.waves import find_wave
from migrate.sites.copies import original_of
from migrate.sites.definition import Definition
from migrate.sites.lab.client import LabSite
from migrate.sites.ports import NewVM
from planner.store.project import Project
from tests.tui.cli.command import Wherry, refused


@pytest.fixture(scope="module")
def w02(lab: Wherry) -> Wherry:
    """Return the lab's project with W02, a pair with an RDM, replicated."""
    refused(lab("rehearse", "W02", "--depth", "boot"), 3, "no replicas to boot", "wherry replicate W02")
    assert lab.live("replicate", "W02").code == 0
    return lab


def target(cli: Wherry) -> LabSite:
    return LabSite.connect(cli.root / "lab" / "dc2")


def world(cli: Wherry) -> tuple[Any, ...]:
    """Return what is at the target: VMs, and the bytes of every disk."""
    folder = cli.root / "lab" / "dc2" / "vms"
    return target(cli).vms(), {path.name: path.read_bytes() for path in sorted(folder.rglob("*.vmdk"))}


def copies(cli: Wherry) -> list[Path]:
    return [
        path
        for path in (cli.root / "lab" / "dc2" / "vms").rglob("disk-*.vmdk")
        if b"rehearsal" in path.read_bytes()[:4096]
    ]


def test_without_live_it_is_only_said(w02: Wherry) -> None:
    before, stored = world(w02), w02.stored()
    said = w02.done("rehearse", "W02", "--depth", "boot", "--json").document
    assert (said["live"], len(said["images"]), said["networks"]) == (False, 3, {"lan": ISOLATED})
    copied = [image["size_bytes"] for image in said["images"] if not image["idle"]]
    assert (len(copied), said["room_bytes"]) == (1, sum(copied)), "what is not started is not copied"
    (why,) = said["left_out"].values()
    assert why == "not started: Hard disk 2 is an RDM in physical mode, which is in no checkpoint"
    assert (world(w02), w02.stored()) == (before, stored)
    refused(w02("rehearse", "W02", "--depth", "boot", "--live"), 2, "was not confirmed")
    ((group, record),) = said["checkpoints"].items()
    chosen = w02.done(
        "rehearse", "W02", "--depth", "boot", "--json", "--checkpoint", f"{group}={record}"
    ).document
    assert chosen["checkpoints"] == said["checkpoints"]
    refused(w02("rehearse", "W02", "--depth", "boot", "--checkpoint", "g0=99"), 2, "has no checkpoint 99")


def test_a_copy_boots_and_is_gone_and_replication_goes_on(w02: Wherry) -> None:
    before = world(w02)
    ran = w02(
        "rehearse", "W02", "--depth", "boot", "--live", "--confirm", "W02", "--note", "all well", "--json"
    )
    said = ran.document
    assert ran.code == 3, "what has a physical RDM is of no one instant, so it is not known to boot"
    assert {(one["name"], one["ok"]) for one in said["probes"]} == {("db-1", None), ("app-1", True)}
    assert "complete" in said["probes"][0]["detail"], "the guest found what it had written"
    assert (said["removed"], said["failure"]) == (True, "")
    assert len(said["unproved"]) == 1
    assert world(w02) == before, "replicas are only read, and nothing is left"
    entry = w02.done("rehearse", "W02", "--history", "--json").document["rehearsals"][0]
    assert (entry["depth"], entry["verdict"], entry["notes"]) == ("boot", "partial", "all well")
    assert w02.live("replicate", "W02").code == 0


def test_a_copy_that_is_not_of_the_checkpoint_is_not_started(w02: Wherry) -> None:
    with Project.open(w02.root) as project:
        standing = find_wave(project, "W02")
        assert standing.history is not None
        for step in standing.history.runbook.steps:
            if step.kind == "checkpoint" and (found := standing.history.results.get(step.id)):
                found["digests"] = dict.fromkeys(found["digests"], "0" * 64)
        said = booted.rehearse_booted(project, standing, target(w02), SystemClock(), lambda text: None)
        assert "of no checkpoint" in said.failure
        assert (said.probes, said.removed, said.clean) == ((), True, False)
        assert book.of_wave(project, "W02")[0].verdict is book.Verdict.FAILED
    assert copies(w02) == []


def test_a_copy_is_built_as_its_source_is_defined(w02: Wherry) -> None:
    defined = Definition(19, "otherGuest64", 1, 512)
    site, built = target(w02), {}

    def create_vm(vm: NewVM, op: str) -> None:
        built[original_of(vm.id)] = vm.definition
        LabSite.create_vm(site, vm, op)

    site.create_vm = create_vm  # type: ignore[method-assign]
    with Project.open(w02.root) as project:
        standing = find_wave(project, "W02")
        defines = {standing.wave.vms[0].id: defined}
        booted.rehearse_booted(project, standing, site, SystemClock(), lambda text: None, define=defines.get)
    assert built == {vm.id: defines.get(vm.id) for vm in standing.wave.vms}


@pytest.mark.parametrize("point", ["copy", "start", "remove"])
def test_what_a_killed_one_left_is_removed_by_the_next(w02: Wherry, point: str) -> None:
    vms = target(w02).vms()
    if (child := os.fork()) == 0:  # pragma: no cover - dies

        def die(text: str) -> None:
            if text.startswith(point):
                os.kill(os.getpid(), signal.SIGKILL)

        with Project.open(w02.root) as project:
            booted.rehearse_booted(project, find_wave(project, "W02"), target(w02), SystemClock(), die)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with Project.open(w02.root) as project:
        assert book.of_wave(project, "W02")[0].report["made"], "it stands in the book before it is made"
    if point != "copy":
        assert copies(w02)
        assert len(target(w02).vms()) > len(vms)
    assert w02.done("rehearse", "W02", "--depth", "boot", "--cleanup", "--json").document["removed"] == 1
    assert (target(w02).vms(), copies(w02)) == (vms, [])
    assert w02.done("rehearse", "W02", "--depth", "boot", "--cleanup", "--json").document["removed"] == 0
