"""A host is lost with a project whose backup is older: the run is rebuilt from both sites."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from migrate.papers.formats import as_json, as_markdown, as_xlsx
from migrate.papers.report import run_report
from migrate.run import recovery
from migrate.run import store as runs
from migrate.run.driver import Stopped
from migrate.run.execute import Onlooker, Purpose
from migrate.run.history import Mode
from planner.store.project import FILE, Project
from tests.faults.conftest import Stage
from tests.faults.endstate import committed, healthy, rolled_back, source_as_stopped, world
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import GOAL, finish, slice_of

# A lost record cannot know that these were asked for, and asking twice takes nothing from anybody.
_HARMLESS = ("was asked to take_snapshot", "was asked to create_disk")
_UNSEEN = "nobody saw the finished replicas"


def lose(lab: Lab, backed_up_at: str, lost_at: str) -> bool:
    """Drive until the host is lost at a point, with a backup from another; return whether it came so far."""
    backup = lab.root / "project.backup"
    if not backed_up_at:
        with lab.project() as project:
            recovery.back_up(project, backup)

    def boundary(point: str) -> None:
        if point == backed_up_at and not backup.exists():
            with lab.project() as project:
                recovery.back_up(project, backup)
        kill_at(lost_at)(point)

    killed = False
    for purpose in (Purpose.REPLICATE, Purpose.CUTOVER, Purpose.COMMIT):
        killed = lab.drive(purpose, boundary).killed
        if killed:
            break
    if not killed or not backup.exists():
        return False
    for path in lab.root.glob(f"{FILE}*"):
        path.unlink()
    recovery.restore(lab.root, backup)
    return True


def rebuild(project: Project, onlooker: Onlooker) -> Stopped:
    """Be a verb that recovers, for ``Lab.drive``."""
    recovery.recover(project)
    return Stopped(paused=True)


def wrong(said: list[str]) -> list[str]:
    """Return what of an end state is wrong, also for a run whose record was lost."""
    return [one for one in said if one != _UNSEEN and not any(words in one for words in _HARMLESS)]


def mode_of(lab: Lab) -> tuple[Mode | None, bool]:
    with lab.project() as project:
        run = runs.latest(project, WAVE)
        if run is None:
            return None, False
        history = runs.history(project, run)
    return history.mode, runs.outcome(history) is not None


def play(stage: Stage, name: str, backed_up_at: str, lost_at: str) -> str:
    """Lose a host and recover; return which way it went, or raise AssertionError."""
    told = f"backed up at {backed_up_at or 'the start'!r}, lost at {lost_at!r}"
    with Lab.copy(stage.template, stage.scratch / name) as lab:
        if not lose(lab, backed_up_at, lost_at):
            return "not lost"
        found = lab.drive(rebuild)
        assert not found.error, (told, found)
        lab.kill_process("dc2", "receiver")  # the lost host's mover is gone, and so is its conversation
        mode, over = mode_of(lab)
        if mode is Mode.ROLLBACK:
            if not over:
                finish(lab, Purpose.ROLLBACK)
            assert wrong(rolled_back(lab)) == [], told
            assert list(healthy(lab, "dc1")) == [], told
            return "back"
        for purpose in (Purpose.REPLICATE, Purpose.CUTOVER, Purpose.COMMIT):
            if lab.standing() != GOAL[purpose]:
                ended = lab.drive(purpose)
                assert not ended.decide, (told, purpose, ended)
                assert ended.error in ("", "blocked"), (told, purpose, ended)
        _, over = mode_of(lab)
        assert over, (told, lab.standing())
        assert wrong(committed(lab)) == [], told
        assert list(source_as_stopped(lab)) == [], told
        there = world(lab)
        assert there["dc2"] == stage.end["dc2"], told
        return "forward"


def pairs(points: tuple[str, ...], chance: random.Random, lost: list[str]) -> list[tuple[str, str]]:
    """Return for each point of loss one of the points before it, or the start."""
    found = []
    for point in lost:
        before = ["", *points[: points.index(point)]]
        found.append((chance.choice(before), point))
    return found


def test_a_lost_host_is_recovered_at_a_step_of_some_kinds(stage: Stage, rng: random.Random) -> None:
    lost = [point for point in slice_of(stage.points, rng) if point.endswith("after act")]
    cutover = [point for point in lost if point.split(" ")[0].endswith(("/start", "/stop"))]
    rest = [point for point in lost if point not in cutover]
    rng.shuffle(rest)
    lost, enough = [*cutover, *rest], len(cutover) + len(rest) // 4
    ways: Counter[str] = Counter()
    for number, (backed_up_at, lost_at) in enumerate(pairs(stage.points, rng, lost)):
        if number >= enough and ways["forward"] and ways["back"]:  # else some more, until both came up
            break
        ways[play(stage, f"recover-{number}", backed_up_at, lost_at)] += 1
    print(f"{ways.total()} of {len(lost)} kinds of steps")
    print("ways", ", ".join(f"{way} {times}" for way, times in sorted(ways.items())))
    assert ways["forward"]
    assert ways["back"]


@pytest.mark.soak
def test_a_lost_host_is_recovered_at_every_point(stage: Stage, rng: random.Random) -> None:
    ways: Counter[str] = Counter()
    for number, (backed_up_at, lost_at) in enumerate(pairs(stage.points, rng, list(stage.points))):
        ways[play(stage, f"recover-{number}", backed_up_at, lost_at)] += 1
    print("ways", ", ".join(f"{way} {times}" for way, times in sorted(ways.items())))


def test_papers_of_a_recovered_run_claim_nothing_that_is_lost(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "papers") as lab:
        assert lose(lab, "", "g0/v2/probe after act")
        assert not lab.drive(rebuild).error
        finish(lab, Purpose.CUTOVER)
        finish(lab, Purpose.COMMIT)
        with lab.project() as project:
            report = run_report(project, WAVE)
            paper = as_markdown(report).decode()
            document = json.loads(as_json(report))
            assert as_xlsx(report).startswith(b"PK")
    assert report.state == "committed"
    assert [disk.equal for disk in report.disks] == [False] * len(report.disks)
    said = {step.step: step.said for step in report.steps}
    assert (
        said["g0/v0/build"] == said["check"] == "recovered: that it happened is proven, its evidence is lost"
    )
    assert "evidence is lost" in paper
    assert not any(disk["equal"] or disk["source_digest"] for disk in document["disks"])
    assert {vm.rto_s for vm in report.vms} == {None}
    assert {phase.seconds for phase in report.phases} == {None}
    assert "evidence recovered" in {one.kind for one in report.deviations}


def test_without_recovery_a_lost_record_is_noticed(stage: Stage) -> None:
    """Negative control: a restored backup that nobody recovers must not end as if nothing had happened."""
    with Lab.copy(stage.template, stage.scratch / "unrecovered") as lab:
        assert lose(lab, "", "g0/v0/start after act")
        ended = lab.drive(Purpose.CUTOVER)
        assert ended.error or ended.decide, "it went on over VMs that run at the target"


def test_a_backup_that_is_damaged_or_over_a_project_is_refused(tmp_path: Path) -> None:
    from planner.errors import BadInput

    with Project.create(tmp_path / "one") as project:
        assert recovery.back_up(project, tmp_path / "backup") > 0
        with pytest.raises(BadInput, match="is there already"):
            recovery.back_up(project, tmp_path / "backup")
    with pytest.raises(BadInput, match="has a project already"):
        recovery.restore(tmp_path / "one", tmp_path / "backup")
    body = bytearray((tmp_path / "backup").read_bytes())
    body[4096:8192] = b"\xff" * 4096
    (tmp_path / "bad").write_bytes(body)
    with pytest.raises(BadInput, match="is damaged"):
        recovery.restore(tmp_path / "two", tmp_path / "bad")
    assert not (tmp_path / "two" / FILE).exists()
    recovery.restore(tmp_path / "three", tmp_path / "backup")
    with Project.open(tmp_path / "three") as project:
        assert project.name == "one"
