"""A committed wave is protected at its source: what was committed stays there until its failback.

The VMs write at the target all the while. Reverse rounds go into a journal at the source; whatever dies in
one, the disks at the source are byte for byte what was committed, and that can be made an image.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrate.journal.serving import open_served
from migrate.run import compose_failback, cycles
from migrate.run import store as runs
from migrate.run.driver import Stopped
from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.run.means import Means
from migrate.run.store import RunKind
from migrate.run.wave_groups import keeping, named
from migrate.steps.untouched import LEFT_BEHIND
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.homeward import go, home, written_at
from tests.faults.killlab import RUNNING, WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import every, points_of, slice_of
from tests.faults.witness import digest, volumes_of, whole


def cycle(project: Project, onlooker: Onlooker) -> Stopped:
    """Be the engine that brings the source up to date, for ``Lab.drive``."""
    return carry_out(project, WAVE, Purpose.REVERSE, onlooker, means=Means(speaks=False, cycle=True)).stopped


def held(lab: Lab) -> dict[str, str]:
    """Return what each disk file at the source holds."""
    with lab.site("dc1") as source:
        return {volume: whole(source, volume) for volume in volumes_of(source)}


def imaged(lab: Lab, checkpoint: str) -> dict[str, str]:
    """Return what each disk of the wave's groups was at a checkpoint at the source."""
    return dict(_imaged(lab, checkpoint))


def _imaged(lab: Lab, checkpoint: str) -> Iterator[tuple[str, str]]:
    with lab.project() as project:
        groups = named(project, WAVE)
        assert {one.side for one in groups} == {"source"}
        with keeping(project, groups) as kept:
            for one in groups:
                request = {"group": one.title, "checkpoint": checkpoint}
                with kept.asks.hold("serve-image", request) as held_open:
                    for disk in held_open.told["disks"]:
                        opened = open_served(kept.store, held_open.told["socket"], disk["export"])
                        with closing(opened) as image:
                            data = bytearray(image.size_bytes)
                            image.read_into(memoryview(data), 0)
                            yield disk["volume"], digest(data)


def await_writes(lab: Lab) -> None:
    """Return when each guest at the target has written something new."""
    before = written_at(lab, "dc2")
    while any(now <= before[vm] for vm, now in written_at(lab, "dc2").items()):
        time.sleep(0.01)


def name_newest(lab: Lab, name: str) -> None:
    """Give what is newest at the source a name."""
    with lab.project() as project, keeping(project, groups := named(project, WAVE)) as kept:
        for one in groups:
            request = {
                "group": one.title,
                "name": name,
                "consistency": "crash",
                "pinned": True,
                "wait": False,
            }
            kept.asks.ask("checkpoint", request)


def whole_rounds(lab: Lab) -> list[int]:
    """Return the numbers of the reverse rounds that every group has whole."""
    with lab.project() as project:
        run = runs.latest(project, WAVE, RunKind.FAILBACK)
        assert run is not None
        return sorted({one.number for one in cycles.cycles_of(project, run, runs.history(project, run))})


def protected(lab: Lab, point: str) -> list[str]:
    """Protect the wave, die at ``point`` of it or of two cycles; fail back. Return what is wrong."""
    committed, wrong, died = held(lab), [], 0
    died += bool(go(lab, Purpose.REVERSE, [point]))
    for _ in range(2):
        if lab.drive(cycle, kill_at(point)).killed:
            died += 1
            ended = lab.drive(cycle)
            assert ended.gate == "go", ended
    if held(lab) != committed:
        wrong.append("the disks at the source are not what was committed")
    image = imaged(lab, "committed")
    wrong += [
        f"the image of {one} is not what was committed" for one in image if image[one] != committed[one]
    ]
    rounds = whole_rounds(lab)
    if rounds != list(range(len(rounds))) or len(rounds) < 4:
        wrong.append(f"these rounds are told: {rounds}")
    written = written_at(lab, "dc2")
    for purpose in (Purpose.FAILBACK, Purpose.COMMIT):
        go(lab, purpose)
    if died != bool(point):
        wrong.append(f"it died {died} times at {point!r}")
    return wrong + home(lab, written)


def test_what_was_committed_stays_until_the_failback(stage: Stage, abroad: Path) -> None:
    with Lab.copy(abroad, stage.scratch / "reverse", "dc2") as lab:
        committed = held(lab)
        await_writes(lab)
        go(lab, Purpose.REVERSE)
        assert lab.drive(Purpose.REVERSE).gate == "go", "one more round, proven by digests"
        older = imaged(lab, "latest")
        name_newest(lab, "older")
        await_writes(lab)
        assert lab.drive(cycle).gate == "go"
        assert held(lab) == committed, "what comes back is in the journal"
        image = imaged(lab, "committed")
        assert image
        assert image == {volume: committed[volume] for volume in image}
        newest = imaged(lab, "latest")
        assert newest != image, "the guests at the target write all the time"
        assert older != image
        assert newest != older
        assert imaged(lab, "older") == older, "an older one is what it was"
        written = written_at(lab, "dc2")
        go(lab, Purpose.FAILBACK)
        go(lab, Purpose.COMMIT)
        assert home(lab, written) == []
        now = held(lab)
        assert any(now[volume] != committed[volume] for volume in image), "and then it is the target's"


def test_a_reverse_round_dies_and_what_was_committed_stays(
    stage: Stage, abroad: Path, rng: random.Random
) -> None:
    points = _points(stage, abroad)
    chosen = [rng.choice([point for point in points if "/journal " in point])]
    chosen += rng.sample([point for point in slice_of(points, rng) if "/journal " not in point], 2)
    print(f"{len(chosen)} of {len(points)} boundaries of reverse protection")
    assert every(chosen, abroad, stage.scratch, protected, "dc2") == {}


@pytest.mark.soak
def test_reverse_protection_dies_at_every_boundary(stage: Stage, abroad: Path) -> None:
    assert every(_points(stage, abroad), abroad, stage.scratch, protected, "dc2") == {}


def _points(stage: Stage, abroad: Path) -> list[str]:
    with Lab.copy(abroad, stage.scratch / "reverse-points", "dc2") as lab:
        go(lab, Purpose.REVERSE)
        for _ in range(2):
            assert lab.drive(cycle).gate == "go"
        return points_of(lab)


def test_control_without_its_journal_the_source_is_gone_over(
    stage: Stage, abroad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: reverse passes that go to the disks themselves are seen."""
    monkeypatch.setattr(
        compose_failback, "_LEFT_OUT", frozenset({"create-disk", "journal", "fold", "promote"})
    )
    with Lab.copy(abroad, stage.scratch / "gone-over", "dc2") as lab:
        committed = held(lab)
        await_writes(lab)
        go(lab, Purpose.REVERSE)
        assert held(lab) != committed


def test_a_failback_that_is_taken_back_early_leaves_what_was_committed(stage: Stage, abroad: Path) -> None:
    with Lab.copy(abroad, stage.scratch / "early", "dc2") as lab:
        committed = held(lab)
        go(lab, Purpose.REVERSE)
        assert lab.drive(Purpose.ABORT).outcome == "aborted"
        assert held(lab) == committed
        go(lab, Purpose.REVERSE)
        image = imaged(lab, "committed")
        assert image == {volume: committed[volume] for volume in image}


def test_a_fenced_vm_that_somebody_starts_is_noticed_by_what_it_wrote(stage: Stage, abroad: Path) -> None:
    with Lab.copy(abroad, stage.scratch / "started", "dc2") as lab:
        go(lab, Purpose.REVERSE)
        write_at_the_source(lab, "before the round")
        ended = lab.drive(cycle)
        assert "/delta/" in ended.decide, ended
        assert lab.drive(Purpose.ABORT).outcome == "aborted"
        go(lab, Purpose.REVERSE)
        with lab.project() as project:
            run = runs.latest(project, WAVE, RunKind.FAILBACK)
            assert run is not None
            results = runs.history(project, run).results
        assert LEFT_BEHIND in {said["base"] for step, said in results.items() if step.endswith("/journal")}


def write_at_the_source(lab: Lab, op: str) -> None:
    """Start a fenced VM where it was, until it has written, and shut it down."""
    vm = RUNNING[0]
    with lab.site("dc1") as source:
        before = source.guest(vm).last_written
        source.power_on(vm, op)
        while source.guest(vm).last_written <= before:
            time.sleep(0.01)
        source.power_off(vm, op)
