"""kill -9 of what a run talks to: the receiver, the target's process, the source's process (its host).

The run ends in a retry or in a safe stop, never in a success that is none; run again it gets where an
undisturbed run gets. VMs that ran at a site die with it, and nobody says they are well.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from migrate.daemons import receiver
from migrate.daemons.lock import is_running
from migrate.daemons.spawn import start
from migrate.run.execute import Purpose
from migrate.sites.lab import daemon
from migrate.transfers.ports import Moving
from planner.errors import Unreachable
from planner.model import Power
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate, committed, rolled_back, world
from tests.faults.killlab import RUNNING
from tests.faults.labrun import Lab
from tests.faults.scenario import FORWARD, GOAL, by_kind, every, finish, kind_of

_SAFE_ERRORS = {"unreachable"}
_TRIES = 4
_SAMPLE = 2  # kinds of steps of which each crash hits one in a commit's tests


def _crash(lab: Lab, site: str, name: str) -> None:
    """End a process of a site, once in the life of a lab, whichever process asks for it."""
    mark = lab.root / "crashed"
    if not mark.exists():
        mark.touch()
        lab.kill_process(site, name)


def _crash_at(lab: Lab, site: str, name: str, point: str) -> Callable[[str], None]:
    """Return a boundary at which a process of a site dies; the driver goes on."""

    def boundary(reached: str) -> None:
        if reached == point:
            _crash(lab, site, name)

    return boundary


def _through(lab: Lab, boundary: Callable[[str], None]) -> list[str]:
    """Carry the wave out around one crash; return what is wrong on the way."""
    problems: list[str] = []
    for purpose in FORWARD:
        for _ in range(_TRIES):
            ended = lab.drive(purpose, boundary)
            if ended.error and ended.error not in _SAFE_ERRORS:
                problems.append(f"{purpose.value} ended in {ended.error}: {ended.message}")
            if lab.standing() == GOAL[purpose]:
                break
            lab.start_sites()
        else:
            return [*problems, f"{purpose.value} is at {lab.standing()} after {_TRIES} tries: {ended}"]
        if purpose is Purpose.CUTOVER:
            lab.start_sites()
            problems += at_commit_gate(lab)
    lab.start_sites()
    return problems


def _judged(stage: Stage, lab: Lab) -> list[str]:
    # A copy ahead proves nothing, and is passed over when its site is gone.
    problems = [one for one in committed(lab) if not one.endswith("/ahead is skipped")]
    if world(lab) != stage.end:
        problems.append("the end state is not that of an undisturbed run")
    if not (lab.root / "crashed").exists():
        problems.append("nothing crashed")
    return problems


def _points(stage: Stage, end: str, places: tuple[str, ...] = ("after intent", "after act")) -> list[str]:
    """Return boundaries up to ``end``, at which a crash hits an act or its outcome."""
    return [point for point in stage.points[: stage.points.index(end)] if point.endswith(places)]


def _with_crashes(stage: Stage, site: str, name: str, points: list[str]) -> None:
    def run(lab: Lab, point: str) -> list[str]:
        return _through(lab, _crash_at(lab, site, name, point)) or _judged(stage, lab)

    print(
        f"{len(points)} crashes of the {name} of {site}, at {len(set(map(kind_of, points)))} kinds of steps"
    )
    assert every(points, stage.template, stage.scratch, run) == {}


def _some(points: list[str], rng: random.Random) -> list[str]:
    """Return a boundary of each of some kinds of steps."""
    kinds = by_kind(points)
    return [rng.choice(kinds[kind]) for kind in rng.sample(list(kinds), _SAMPLE)]


def test_target_site_dies_before_anything_runs_there(stage: Stage, rng: random.Random) -> None:
    points = _points(stage, "g0/v0/start after act")
    _with_crashes(stage, "dc2", daemon.NAME, _some(points, rng))


def _source_points(stage: Stage) -> list[str]:
    """Return where the source may die: not in the check, which refuses VMs that are off against the plan."""
    return [point for point in _points(stage, "commit before approval") if kind_of(point) != "check"]


def test_source_site_dies(stage: Stage, rng: random.Random) -> None:
    _with_crashes(stage, "dc1", daemon.NAME, _some(_source_points(stage), rng))


def test_source_site_dies_in_the_check_and_the_run_waits_until_its_vms_are_on_again(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "source-check") as lab:
        lab.drive(Purpose.REPLICATE, _crash_at(lab, "dc1", daemon.NAME, "check after intent"))
        lab.start_sites()
        lab.drive(Purpose.REPLICATE)
        assert lab.standing() != GOAL[Purpose.REPLICATE]
        with lab.site("dc1") as source:
            for vm in RUNNING:
                source.power_on(vm, f"by hand {vm}")
        assert _through(lab, lambda point: None) == []
        assert committed(lab) == []


def test_receiver_dies(stage: Stage, rng: random.Random) -> None:
    moving = {"transfer", "verify", "checkpoint"}
    points = [point for point in _points(stage, "commit before approval") if kind_of(point) in moving]
    _with_crashes(stage, "dc2", receiver.NAME, [rng.choice(found) for found in by_kind(points).values()])


def test_receiver_dies_where_history_begins_moves_and_ends(stage: Stage, rng: random.Random) -> None:
    points = [
        f"g0/{step} {rng.choice(('after intent', 'after act'))}" for step in ("journal", "fold", "promote")
    ]
    _with_crashes(stage, "dc2", receiver.NAME, points)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("site", "name", "points"),
    [
        ("dc2", daemon.NAME, lambda stage: _points(stage, "g0/v0/start after act")),
        ("dc1", daemon.NAME, _source_points),
        ("dc2", receiver.NAME, lambda stage: _points(stage, "commit before approval")),
    ],
    ids=["target", "source", "receiver"],
)
def test_every_crash(stage: Stage, site: str, name: str, points: Callable[[Stage], list[str]]) -> None:
    _with_crashes(stage, site, name, points(stage))


@pytest.mark.parametrize("victim", [("dc2", receiver.NAME), ("dc2", daemon.NAME), ("dc1", daemon.NAME)])
def test_dies_in_the_middle_of_a_transfer(stage: Stage, victim: tuple[str, str]) -> None:
    with Lab.copy(stage.template, stage.scratch / "mid-transfer") as lab:

        def report(moving: Moving) -> None:
            if 0 < moving.done_bytes < moving.total_bytes:
                _crash(lab, *victim)

        ended = lab.drive(Purpose.REPLICATE, report=report)
        assert ended.error in {"", *_SAFE_ERRORS}, ended
        assert _through(lab, lambda point: None) == []
        assert _judged(stage, lab) == []


def _well_or_back(lab: Lab) -> None:
    """Check that nobody calls the wave well while a VM is down, and that the way back is open."""
    with lab.site("dc2") as target, lab.site("dc1") as source:
        states = [target.observe(vm) for vm in RUNNING]
        assert any(state is None or state.power is not Power.ON for state in states), "none is down"
        assert not any(source.observe(vm).power is Power.ON for vm in RUNNING)
    assert lab.standing() not in {GOAL[Purpose.CUTOVER], GOAL[Purpose.COMMIT]}
    finish(lab, Purpose.ROLLBACK)
    assert rolled_back(lab) == []


@pytest.mark.parametrize("point", ["g0/v0/start after act", "g0/v2/probe before intent"])
def test_target_host_dies_with_a_vm_that_was_not_probed_yet(stage: Stage, point: str) -> None:
    with Lab.copy(stage.template, stage.scratch / "target-host") as lab:
        finish(lab, Purpose.REPLICATE)
        assert not lab.drive(Purpose.CUTOVER, _crash_at(lab, "dc2", daemon.NAME, point)).gate
        lab.start_sites()
        lab.drive(Purpose.CUTOVER)
        _well_or_back(lab)


def test_target_host_dies_with_a_vm_that_was_probed(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "target-host") as lab:
        finish(lab, Purpose.REPLICATE)
        lab.drive(Purpose.CUTOVER, _crash_at(lab, "dc2", daemon.NAME, "g0/v1/start after intent"))
        lab.start_sites()
        lab.drive(Purpose.CUTOVER)
        lab.drive(Purpose.COMMIT)
        _well_or_back(lab)


def test_target_host_dies_while_a_person_decides(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "target-host") as lab:
        finish(lab, Purpose.REPLICATE)
        finish(lab, Purpose.CUTOVER)
        lab.kill_process("dc2", daemon.NAME)
        lab.start_sites()
        lab.drive(Purpose.COMMIT)
        with lab.site("dc1") as source:
            fenced = [vm for vm in RUNNING if not source.observe(vm).connected]
        assert fenced == []
        finish(lab, Purpose.ROLLBACK)
        assert rolled_back(lab) == []


def test_a_process_that_dies_while_it_is_asked_is_started_again(stage: Stage) -> None:
    asked: list[int | None] = []

    with Lab.copy(stage.template, stage.scratch / "asked") as lab:
        run = lab.run_of("dc2")

        def answers() -> bool:
            if not asked:
                asked.append(is_running(run, daemon.NAME))
                lab.kill_process("dc2", daemon.NAME)
                raise Unreachable("it died at this moment")
            return True

        module, folder = "migrate.sites.lab.daemon", str(lab.folder("dc2"))
        pid = start(module, [folder], directory=run, name=daemon.NAME, answers=answers, timeout_s=10.0)
        assert asked[0] is not None
        assert pid not in asked


def test_a_guest_that_writes_all_the_time_is_never_said_to_have_lost_records(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "busy") as lab:
        lab.kill_process("dc1", daemon.NAME)
        settings = lab.folder("dc1") / "site.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "write_rate": 50_000.0}))
        lab.start_sites()
        with lab.site("dc1") as source:
            source.power_on("db", "test")
            for _ in range(150):
                health, state = source.probe("db"), source.guest("db")
                assert health.ok, health.detail
                assert (state.missing, state.corrupt) == (0, 0)
