"""A host is lost while a committed wave comes home, with a backup from before that, or before the move."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from migrate.run import recovery
from migrate.run import store as runs
from migrate.run.execute import Purpose
from migrate.run.history import Mode
from migrate.run.store import RunKind
from planner.store.project import FILE
from tests.faults.conftest import Stage
from tests.faults.endstate import everywhere
from tests.faults.homeward import GOAL, HOMEWARD, go, home, runs_at, written_at
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import points_of, slice_of
from tests.faults.test_recover import rebuild, wrong


def backups(stage: Stage, abroad: Path) -> dict[str, Path]:
    """Return what may have been kept of the project: nothing of its runs, or all until it was committed."""
    found = {}
    for name, root in (("before the move", stage.template), ("before the way home", abroad)):
        kept = stage.scratch / f"{name}.backup"
        if not kept.exists():
            shutil.copyfile(root / FILE, kept)
        found[name] = kept
    return found


def lose_on_the_way_home(lab: Lab, backup: Path, lost_at: str) -> bool:
    """Go home until the host dies at a point; leave the project as the backup knows it."""
    if not any(lab.drive(purpose, kill_at(lost_at)).killed for purpose in HOMEWARD):
        return False
    for path in lab.root.glob(f"{FILE}*"):
        path.unlink()
    recovery.restore(lab.root, backup)
    return True


def stands(lab: Lab) -> tuple[Mode | None, bool]:
    """Return which way the newest run home goes, None without one, and whether it is over."""
    with lab.project() as project:
        run = runs.latest(project, WAVE, RunKind.FAILBACK)
        if run is None:
            return None, False
        history = runs.history(project, run)
    return history.mode, runs.outcome(history) is not None


def play(stage: Stage, abroad: Path, backup: Path, lost_at: str) -> str:
    """Lose a host and recover; return which way it went, or raise AssertionError."""
    with Lab.copy(abroad, stage.scratch / "lost-home", "dc2") as lab:
        written = written_at(lab, "dc2")
        assert lose_on_the_way_home(lab, backup, lost_at), lost_at
        found = lab.drive(rebuild)
        assert not found.error, (backup.name, lost_at, found)
        lab.kill_process("dc1", "receiver")  # the lost host's mover is gone, and so is its conversation
        mode, over = stands(lab)
        if mode is Mode.ROLLBACK:
            if not over:
                go(lab, Purpose.ROLLBACK)
            told = [*everywhere(lab, RunKind.FAILBACK), *runs_at(lab, "dc2", "dc1")]
            assert wrong(told) == [], (backup.name, lost_at)
            return "back"
        for purpose in HOMEWARD:
            if lab.standing(RunKind.FAILBACK) not in (GOAL[purpose], GOAL[Purpose.COMMIT]):
                ended = lab.drive(purpose)
                assert not ended.decide, (backup.name, lost_at, purpose, ended)
                assert ended.error in ("", "blocked"), (backup.name, lost_at, purpose, ended)
        assert lab.standing(RunKind.FAILBACK) == GOAL[Purpose.COMMIT], (backup.name, lost_at)
        said = [one for one in home(lab, written) if one != "nobody saw the finished copies"]
        assert wrong(said) == [], (backup.name, lost_at)
        return "forward"


def _lost(stage: Stage, abroad: Path) -> list[str]:
    with Lab.copy(abroad, stage.scratch / "points-home", "dc2") as lab:
        for purpose in HOMEWARD:
            go(lab, purpose)
        return points_of(lab)


def test_a_host_lost_on_the_way_home_is_recovered(stage: Stage, abroad: Path, rng: random.Random) -> None:
    kinds = ("seed", "stop", "unfence", "start", "fence")
    near = [
        point for point in _lost(stage, abroad)
        if point.endswith("after act") and point.split(" ")[0].split("/")[-1] in kinds
        and not point.startswith("g0/v3/stop")  # of the VM that is off, which stops nothing
    ]  # fmt: skip
    ways: Counter[str] = Counter()
    kept = list(backups(stage, abroad).values())
    rng.shuffle(kept)  # neighbours go the same way, so each backup goes both
    chosen = slice_of(near, rng)
    for number, (lost_at, backup) in enumerate(zip(chosen, itertools.cycle(kept), strict=False)):
        if number >= len(chosen) // 2 and ways["forward"] and ways["back"]:
            break
        ways[play(stage, abroad, backup, lost_at)] += 1
    print(
        f"{ways.total()} of {len(chosen)} boundaries, ways",
        ", ".join(f"{way} {times}" for way, times in sorted(ways.items())),
    )
    assert ways["forward"]
    assert ways["back"]


@pytest.mark.soak
def test_a_host_lost_at_every_point_of_the_way_home_is_recovered(
    stage: Stage, abroad: Path, rng: random.Random
) -> None:
    ways: Counter[str] = Counter()
    for lost_at in _lost(stage, abroad):
        backup = rng.choice(list(backups(stage, abroad).values()))
        ways[play(stage, abroad, backup, lost_at)] += 1
    print("ways", ", ".join(f"{way} {times}" for way, times in sorted(ways.items())))


def test_without_recovery_the_way_home_is_not_begun_anew(stage: Stage, abroad: Path) -> None:
    """Negative control: a backup that nobody recovers must not end as if nothing had happened."""
    with Lab.copy(abroad, stage.scratch / "unrecovered-home", "dc2") as lab:
        backup = backups(stage, abroad)["before the way home"]
        assert lose_on_the_way_home(lab, backup, "g0/v0/start after act")
        ended = lab.drive(Purpose.FAILBACK)
        assert ended.error or ended.decide, "it went on over VMs that run at home"
