"""kill -9 of remedies at their boundaries, forward and back: the same end, each change exactly once.

A commit's tests take a seeded slice (one step of each kind, its outcome unknown); the soak takes every
boundary by itself, and all in turn in one run.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migrate.run import store as runs
from migrate.run.history import Status
from migrate.run.store import RunKind
from migrate.sites.lab import daemon
from planner.fixes import FIXES
from planner.model import Power
from tests.faults.killlab import RUNNING, WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.remedylab import (
    apply,
    changes,
    ended,
    make_template,
    remedied,
    taken_back,
    undo,
    whole_world,
)
from tests.faults.scenario import (
    Astray,
    alone,
    every,
    every_one,
    in_few,
    killed_at_each,
    not_died_at,
    points_of,
    slice_of,
)
from tests.faults.test_cutover_kill import Forgetful
from tests.faults.witness import read_witness


@dataclass(frozen=True, slots=True)
class Stage:
    """The template and what an undisturbed run found, passed and left, both ways."""

    template: Path
    scratch: Path
    begin: dict[str, Any]
    points: tuple[str, ...]
    end: dict[str, Any]
    made: Counter[tuple[str, str, str]]
    back: tuple[str, ...]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Build the template; carry the remedies out and take them back once, undisturbed."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 256 * 1024**2:
        scratch = Path(tempfile.mkdtemp(prefix="wherry-remedy-", dir=memory))
    else:
        scratch = tmp_path_factory.mktemp("remedy")
    try:
        template = make_template(scratch / "template")
        with Lab.copy(template, scratch / "undisturbed") as lab:
            begin = whole_world(lab)
            finish(lab, apply, "committed")
            points, end, made = points_of(lab), whole_world(lab), changes(lab)
            assert remedied(lab, end, made) == []
            finish(lab, undo, "rolled back")
            assert taken_back(lab, begin) == []
            back = [point for point in points_of(lab) if point not in points]
            yield Stage(template, scratch, begin, tuple(points), end, made, tuple(back))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def finish(lab: Lab, verb: Callable[..., Any], goal: str, points: Collection[str] = ()) -> list[str]:
    """Drive a verb to where it goes, which dies once at each of the points; return where it did not die.

    Raises Astray when it does not get there.
    """
    died, found = killed_at_each(lab, verb, points, lambda: ended(lab) == goal)
    if ended(lab) != goal:
        raise Astray(f"the remedies are {ended(lab) or 'under way'}, not {goal}: {found}")
    return not_died_at(points, died)


def test_an_undisturbed_run_did_what_it_should(stage: Stage) -> None:
    begin, end = stage.begin["configurations"], stage.end["configurations"]
    assert end["db"]["hw_version"] == end["spare"]["hw_version"] == 15
    assert all(end[vm]["tracking"] and not begin[vm]["tracking"] for vm in RUNNING)
    assert dict(end["db"]["modes"]) == {"2000": "persistent", "2002": "independent_persistent"}
    assert set(dict(end["app"]["modes"]).values()) == {"persistent"}
    assert end["web"]["modes"] == begin["web"]["modes"], "its guest does not listen and is not forced"
    assert not end["db"]["consolidation_needed"]
    assert not end["db"]["drives"][0]["connected"]
    calls = Counter(call for call, *_ in stage.made.elements())
    assert calls == {
        "set_change_tracking": 3, "take_snapshot": 3, "consolidate": 1, "set_drives": 1,
        "set_hardware_version": 2, "set_disk_modes": 2, "shut_down": 2, "power_on": 2,
    }  # fmt: skip


def _killed_once(stage: Stage, ways: list[tuple[str, ...]]) -> None:
    def run(lab: Lab, points: tuple[str, ...]) -> list[str]:
        missed = finish(lab, apply, "committed", points)
        return remedied(lab, stage.end, stage.made) + missed

    print(f"{sum(map(len, ways))} of {len(stage.points)} boundaries of remedies")
    assert every_one(ways, stage.template, stage.scratch, run) == {}


def test_boundaries_of_a_step_of_every_kind(stage: Stage, rng: random.Random) -> None:
    chosen = slice_of(stage.points, rng)
    assert {point.split(" ")[0].split("/")[1] for point in chosen} >= {*FIXES, "look", "halt", "resume"}
    _killed_once(stage, in_few(chosen))


@pytest.mark.soak
def test_every_boundary(stage: Stage) -> None:
    _killed_once(stage, alone(stage.points))


@pytest.mark.soak
def test_one_run_that_dies_at_every_boundary_it_reaches_both_ways(stage: Stage) -> None:
    dead: set[str] = set()

    def boundary(point: str) -> None:
        if point not in dead:
            os.kill(os.getpid(), signal.SIGKILL)

    with Lab.copy(stage.template, stage.scratch / "chain") as lab:
        for verb, goal in ((apply, "committed"), (undo, "rolled back")):
            while ended(lab) != goal:
                found = lab.drive(verb, boundary)
                assert found.error == "", found.message
                if found.killed:
                    dead.add(read_witness(lab.root)[-1]["point"])
            if verb is apply:
                assert remedied(lab, stage.end, stage.made) == []
        assert taken_back(lab, stage.begin) == []
    every_point = len(stage.points) + len(stage.back)
    print(f"died {len(dead)} times in one run of {every_point} boundaries")
    assert len(dead) > every_point * 0.8


def _killed_by_the_clock(stage: Stage, rounds: int, rng: random.Random) -> None:
    seeds = {f"round {number}": rng.randrange(2**32) for number in range(rounds)}

    def run(lab: Lab, name: str) -> list[str]:
        chance = random.Random(seeds[name])
        kills, problems = 0, []
        for verb, goal in ((apply, "committed"), (undo, "rolled back")):
            while ended(lab) != goal:
                limit_s = 0.1 + 0.01 * kills  # longer and longer, so that a slow machine gets there too
                found = lab.drive(verb, kill_after_s=chance.uniform(0.0, limit_s))
                kills += found.killed
                if found.error:
                    return [f"{found.error}: {found.message}"]
                if kills > 300:
                    raise Astray(f"the remedies are still {ended(lab) or 'under way'}")
            if verb is apply:
                problems += remedied(lab, stage.end, stage.made)
        return problems + taken_back(lab, stage.begin) + ([] if kills else ["the run was never killed"])

    assert every(list(seeds), stage.template, stage.scratch, run) == {}


def test_killed_at_random_times_until_it_ends_both_ways(stage: Stage, rng: random.Random) -> None:
    _killed_by_the_clock(stage, 1, rng)


@pytest.mark.soak
def test_killed_at_random_times_many_times(stage: Stage, rng: random.Random) -> None:
    _killed_by_the_clock(stage, 100, rng)


def _back_instead_of_on(stage: Stage, points: list[str]) -> None:
    def run(lab: Lab, point: str) -> list[str]:
        died = lab.drive(apply, kill_at(point)).killed
        finish(lab, undo, "rolled back")
        return taken_back(lab, stage.begin) + ([] if died else [f"it did not die at {point!r}"])

    assert every(points, stage.template, stage.scratch, run) == {}


def _tried(stage: Stage) -> list[str]:
    """Return the boundaries from the first intent on: before it there is nothing to take back."""
    return list(stage.points[1:])


def test_the_way_back_after_a_death_on_the_way(stage: Stage, rng: random.Random) -> None:
    chosen = slice_of(_tried(stage), rng)
    chosen = rng.sample(chosen, len(chosen) // 2)
    _back_instead_of_on(stage, [point for point in chosen if point.endswith(("after intent", "after act"))])


@pytest.mark.soak
def test_the_way_back_after_a_death_anywhere(stage: Stage) -> None:
    _back_instead_of_on(stage, _tried(stage))


def _killed_on_the_way_back(stage: Stage, ways: list[tuple[str, ...]]) -> None:
    def run(lab: Lab, points: tuple[str, ...]) -> list[str]:
        finish(lab, apply, "committed")
        missed = finish(lab, undo, "rolled back", points)
        return taken_back(lab, stage.begin) + missed

    print(f"{sum(map(len, ways))} of {len(stage.back)} boundaries of the way back")
    assert every_one(ways, stage.template, stage.scratch, run) == {}


def test_the_way_back_dies_at_boundaries_of_every_kind(stage: Stage, rng: random.Random) -> None:
    _killed_on_the_way_back(stage, in_few(slice_of(stage.back, rng)))


@pytest.mark.soak
def test_the_way_back_dies_at_every_boundary(stage: Stage) -> None:
    _killed_on_the_way_back(stage, alone(stage.back))


@pytest.mark.parametrize(
    "point", ["v0/halt after act", "v0/disk-mode after act", "v1/enable-cbt after intent"]
)
def test_a_source_that_dies_is_asked_again_and_no_vm_stays_down_for_a_remedy(
    stage: Stage, point: str
) -> None:
    def boundary(reached: str) -> None:
        if reached == point and not (lab.root / "crashed").exists():
            (lab.root / "crashed").touch()
            lab.kill_process("dc1", daemon.NAME)

    with Lab.copy(stage.template, stage.scratch / "crash") as lab:
        assert lab.drive(apply, boundary).decide.startswith(point[:3]), "nobody knows what became of it"
        lab.start_sites()
        with lab.site("dc1") as site:
            for vm in RUNNING:  # what died with its host is started by people; what a remedy stopped is not
                if site.crashed(vm):
                    site.power_on(vm, "the people after the crash")
        finish(lab, apply, "committed")
        assert whole_world(lab)["configurations"] == stage.end["configurations"]
        with lab.site("dc1") as site:
            assert all(site.observe(vm).power is Power.ON for vm in RUNNING)
            assert all(site.probe(vm).ok for vm in RUNNING)


def test_without_its_line_in_the_record_the_source_itself_is_the_witness(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "lost") as lab:
        assert lab.drive(apply, kill_at("v0/disconnect-media after act")).killed
        with lab.project() as project, project.write() as db:
            db.execute("DELETE FROM step_record WHERE step = 'v0/disconnect-media'")
        finish(lab, apply, "committed")
        assert remedied(lab, stage.end, stage.made) == []
        with lab.project() as project:
            run = runs.latest(project, WAVE, RunKind.REMEDY)
            assert run is not None
            history = runs.history(project, run)
        assert history.status["v0/disconnect-media"] is Status.DONE
        assert history.results["v0/disconnect-media"]["changed"] is True
        finish(lab, undo, "rolled back")
        assert taken_back(lab, stage.begin) == []


def test_control_a_record_switched_off_is_noticed_on_the_way_back(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "control") as lab:
        assert lab.drive(apply, kill_at("v0/look before intent")).killed  # the run is there
        point = "v0/disconnect-media after outcome"
        assert lab.drive(apply, kill_at(point), opener=lambda root: Forgetful.open(root)).killed
        finish(lab, apply, "committed")
        finish(lab, undo, "rolled back")
        assert "not as before: db" in taken_back(lab, stage.begin)


def test_control_a_change_made_twice_or_by_force_is_noticed(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "control") as lab:
        finish(lab, apply, "committed")
        with lab.site("dc1") as site:
            for number in (1, 2):
                site.set_drives("db", (("sata0:0", False, False),), f"x/v0/disconnect-media/do{number}")
            site.power_off("app", "x/v1/halt/do1")
        found = remedied(lab, stage.end, stage.made)
        assert any("asked to set_drives db 3 times" in problem for problem in found), found
        assert "a guest was forced off" in found
        assert any("the end state is not that" in problem for problem in found)
