"""A pass ahead at a vCenter all of whose places are taken: it waits for one, says so, and goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from migrate.claims import Rank
from migrate.run import store as runs
from migrate.sites.vsphere.folder import VCenterFolder
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.transports.slots import Limits, Slots
from planner.model import Backing
from planner.store.project import Project
from tests.tui.cli.command import Ran
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.shop import NODES, Shop, source, target
from tests.vcenter.staged import Staged, staged

_LOOK_S = 0.2
_LOOKS = 1500


@pytest.fixture
def stage(tmp_path: Path, vcenter: StartVCenter) -> Iterator[Staged]:
    """Two VMs that share a disk, all of which is read through the vCenter's web server."""
    peers = (
        vcenter("-estate", str(source(tmp_path / "here", Backing.VMDK))),
        vcenter("-estate", str(target(tmp_path / "there"))),
    )
    with ExitStack() as opened:
        for peer, name in zip(peers, ("here", "there"), strict=True):
            opened.enter_context(Shop(peer, tmp_path / name / "system")).lay()
        found = staged(tmp_path / "move", *peers)
        found.cli.done("settings", "set", "sites.dc1.mounts", "{}")
        yield found.planned(*NODES, datastores='{ds = "ds"}')


class Held:
    """All places of the source's web server, taken by another process of this machine."""

    def __init__(self, stage: Staged) -> None:
        vcenter = stage.source.connect().content.about.instanceUuid
        folder, most = VCenterFolder.of(stage.cli.root, "dc1"), Limits().http_per_vcenter
        slots = Slots(folder.state / "slots")
        self._places = [slots.take("http", f"vcenter {vcenter}", most) for _ in range(most)]

    def release(self) -> None:
        for place in self._places:
            place()


def replicated(stage: Staged) -> tuple[Ran, str]:
    """Replicate while all places are held until a pass ahead says, or has begun; return what it said."""
    held, ran = Held(stage), []
    thread = threading.Thread(target=lambda: ran.append(stage.cli.live("replicate", "W01")))
    thread.start()
    said = ""
    try:
        with Project.open(stage.cli.root) as project:
            for _ in range(_LOOKS):
                run = runs.latest(project, "W01")
                history = runs.history(project, run) if run is not None else None
                waits = history.held if history else {}
                said = next((str(waits[step]["why"]) for step in waits if step.endswith("/ahead")), "")
                begun = history is not None and any(step.endswith("/ahead") for step in history.attempts)
                if said or begun or not thread.is_alive():
                    break
                time.sleep(_LOOK_S)
    finally:
        held.release()
        thread.join()
    return ran[0], said


def test_it_waits_for_its_place_before_it_begins(stage: Staged) -> None:
    ran, said = replicated(stage)
    assert ran.code == 0, ran.text
    assert said.startswith("a place of http at vcenter ")
    assert said.endswith(", all 8 are taken")
    steps = {step["step"]: step["said"] for step in stage.cli.report("W01")["steps"]}
    ahead = [how for step, how in steps.items() if step.endswith("/ahead")]
    assert len(ahead) == 3, "a disk of each, and the one that both have"
    assert all(" sent" in how for how in ahead), "none was passed over"


def test_one_that_takes_none_begins_without(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: as it was before, when only what a snapshot holds took a place."""
    takes = Reaching.takes
    monkeypatch.setattr(
        Reaching, "takes", lambda self, volume, snapshot, rank=Rank.USUAL: takes(self, volume, snapshot)
    )
    assert replicated(stage)[1] == ""
