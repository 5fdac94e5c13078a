"""Hooks and probes that reach the real world, between two simulated sites, dying wherever a run can die."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.clock import SystemClock
from migrate.papers.evidence import evidence, undo_evidence
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.history import Event, History, Status
from migrate.run.runbook import COMMIT, GO
from migrate.steps.hook import Hook
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.steps.outside import Outside
from planner.conduct import Place
from planner.conduct_planned import PlannedConduct
from planner.errors import StepFailed
from planner.names import content_id
from planner.plan import Wave
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import Boundaries, Died, World

WEB = "id-web"
HOOK = "hook/0"


def conducted(**conduct: Any) -> Wave:
    policies = small_wave().policies.model_copy(update={"probe_timeout_s": 0.3})
    return small_wave().model_copy(
        update={"conduct": PlannedConduct.model_validate(conduct), "policies": policies}
    )


def hook(place: Place, code: str = "pass", **more: Any) -> Wave:
    """A wave with one program that leaves a mark each time it runs."""
    argv = [sys.executable, "-I", "-S", "-c", f"open('ran', 'a').write('x')\n{code}"]
    return conducted(hooks=[{"name": "mark it", "place": place, "argv": argv, **more}])


class Real(World):
    """Two simulated sites, and the real world beside them."""

    def __init__(self, wave: Wave, directory: Path) -> None:
        super().__init__(wave, compose(wave))
        self.directory = directory

    def context(self, history: History) -> Context:
        return replace(super().context(history), clock=SystemClock(), outside=Outside(self.directory))

    def ran(self) -> int:
        """How often the program ran."""
        mark = self.directory / "ran"
        return len(mark.read_text()) if mark.exists() else 0

    def failure(self) -> str:
        return str(self.history.failures[HOOK]["message"])


def test_it_runs_once_and_the_record_says_how_it_ended(tmp_path: Path) -> None:
    code = "import os; print(sorted(os.environ), os.getcwd()); print('[bold]done\\x1b[0m')"
    here = Real(hook(Place.AFTER_STOP, code, environment={"WAVE": "{wave}"}, vms=[WEB]), tmp_path)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    result = here.history.results["hook/0/g0/v1"]
    assert result["code"] == 0
    assert "'WAVE'] " in result["output"]
    assert "PATH" not in result["output"]
    assert str(tmp_path) in result["output"]
    said = evidence("hook", result)
    assert said.startswith("ended with code 0 in ")
    assert said.endswith("[bold]done\u241b[0m")
    assert here.ran() == 1


def test_a_bad_end_stops_the_run_and_runs_again_only_when_a_person_says_so(tmp_path: Path) -> None:
    here = Real(hook(Place.BEFORE_CUTOVER, "print('no\\u202e route'); raise SystemExit(9)"), tmp_path)
    stopped = here.drive(GO)
    assert stopped.decide is not None
    assert here.failure() == "W01: mark it ended with code 9: no<U+202E> route"
    assert here.drive(GO).decide is not None  # nobody asked for it
    assert here.ran() == 1
    here.note(HOOK, Event.RETRY)
    assert here.drive(GO).decide is not None
    assert here.ran() == 2
    here.note(HOOK, Event.SKIPPED)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert here.broken() == []


def test_one_that_is_optional_is_passed_over(tmp_path: Path) -> None:
    here = Real(hook(Place.AFTER_START, "raise SystemExit(1)", optional=True), tmp_path)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert here.history.status[HOOK] is Status.SKIPPED
    assert here.ran() == 1


@pytest.mark.parametrize("place", [Place.AFTER_STOP, Place.AFTER_COMMIT])
def test_wherever_the_run_dies_around_it_it_runs_once(place: Place, tmp_path: Path) -> None:
    points = [f"{HOOK} {point}" for point in ("before intent", "after intent", "after act", "after outcome")]
    for number, point in enumerate(points):
        directory = tmp_path / str(number)
        directory.mkdir()
        here = Real(hook(place), directory)
        counted = Boundaries()

        def dying(found: str, point: str = point, counted: Boundaries = counted) -> None:
            counted(found)
            if found == point:
                raise Died(found)

        with pytest.raises(Died):
            here.drive(GO, COMMIT, boundary=dying)
        assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
        assert here.ran() == 1, point


def test_when_nobody_knows_a_person_decides(tmp_path: Path) -> None:
    here = Real(hook(Place.AFTER_STOP), tmp_path)
    with pytest.raises(Died):
        here.drive(GO, boundary=die_at(f"{HOOK} after intent"))
    lost(here, f"1/{HOOK}/do1")
    assert here.drive(GO).decide is not None
    assert "nobody knows how it ended" in here.failure()
    assert here.drive(GO).decide is not None
    assert here.ran() == 0
    here.note(HOOK, Event.RETRY)
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert here.ran() == 1


def die_at(point: str) -> Any:
    def boundary(found: str) -> None:
        if found == point:
            raise Died(found)

    return boundary


def lost(here: Real, op: str) -> None:
    """Leave what a program leaves that was started and lost with its keeper."""
    marks = here.directory / "hooks"
    marks.mkdir(exist_ok=True)
    for word in ("begun", "started"):
        (marks / f"{content_id(op)}.{word}").write_bytes(b"")


def rolling_back(wave: Wave, directory: Path) -> Real:
    here = Real(wave, directory)
    assert here.drive(GO).gate is not None
    here.note("", Event.ROLLBACK)
    return here


def test_on_the_way_back_it_runs_when_the_sources_run_again(tmp_path: Path) -> None:
    here = rolling_back(hook(Place.ON_ROLLBACK), tmp_path)
    assert here.ran() == 0
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert here.ran() == 1
    assert undo_evidence("hook", here.history.undone[HOOK]).startswith("ended with code 0")


@pytest.mark.parametrize(
    "dies", [("after undo",), ("after undo", "after undo"), ("after undo intent", "after undo")]
)
def test_on_the_way_back_too_it_runs_once_however_often_the_run_dies(
    dies: tuple[str, ...], tmp_path: Path
) -> None:
    here = rolling_back(hook(Place.ON_ROLLBACK), tmp_path)
    for point in dies:
        with pytest.raises(Died):
            here.drive(boundary=die_at(f"{HOOK} {point}"))
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert here.ran() == 1


def test_one_that_fails_on_the_way_back_waits_for_a_person_unless_it_is_optional(tmp_path: Path) -> None:
    here = rolling_back(hook(Place.ON_ROLLBACK, "raise SystemExit(2)"), tmp_path)
    assert here.drive().decide is not None
    assert here.history.status[HOOK] is Status.UNDO_FAILED
    here.note(HOOK, Event.RETRY)
    assert here.drive().decide is not None
    assert here.ran() == 2
    (tmp_path / "other").mkdir()
    calm = rolling_back(hook(Place.ON_ROLLBACK, "raise SystemExit(2)", optional=True), tmp_path / "other")
    assert calm.drive().outcome is Outcome.ROLLED_BACK
    assert undo_evidence("hook", calm.history.undone[HOOK]).startswith("passed over: W01: mark it ended")


def test_a_person_on_the_way_back_says_it_is_done_by_going_on(tmp_path: Path) -> None:
    says = {"name": "tell them", "place": Place.ON_ROLLBACK, "says": "tell the\u202e desk"}
    here = rolling_back(conducted(hooks=[says]), tmp_path)
    assert here.drive().decide is not None
    assert here.failure() == "W01: tell them waits for a person: tell the<U+202E> desk"
    assert here.drive().decide is not None
    here.note(HOOK, Event.RETRY)
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert here.history.undone[HOOK]["said"] is True


def test_a_name_that_would_be_an_option_stops_the_run_before_the_program(tmp_path: Path) -> None:
    wave = hook(Place.AFTER_STOP, vms=[WEB])
    (rule,) = wave.conduct.hooks
    vms = tuple(vm.model_copy(update={"name": "--all"}) if vm.id == WEB else vm for vm in wave.vms)
    conduct = PlannedConduct(hooks=(rule.model_copy(update={"argv": (*rule.argv, "{vm}")}),))
    here = Real(wave.model_copy(update={"vms": vms, "conduct": conduct}), tmp_path)
    stopped = here.drive(GO)
    assert stopped.decide is not None
    assert "begins with a dash" in Hook().plan(stopped.decide)
    assert here.ran() == 0


def test_a_process_that_can_start_nothing_never_takes_a_hook_for_done(tmp_path: Path) -> None:
    here = Real(hook(Place.AFTER_STOP), tmp_path)
    step = here.runbook.step(HOOK)
    ctx = replace(here.context(here.reload()), outside=None)
    with pytest.raises(StepFailed, match="starts no programs"):
        KINDS["hook"].act(ctx, step, "1/hook/0/do1")


def test_the_next_vm_starts_when_the_port_of_the_first_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        rule = {"name": "sql", "kind": "tcp", "port": port, "vms": ["id-db"], "every_s": 0.05}
        wave = conducted(probes=[rule], addresses={"id-db": "127.0.0.1"})
        here = Real(wave, tmp_path)
        assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
        result = here.history.results["g0/v0/probe/0"]
        assert (result["question"], result["times"]) == (f"connect to 127.0.0.1 port {port}", 1)
        assert "is open" in evidence("probe", result)
    late = Real(wave, tmp_path)
    stopped = late.drive(GO)
    assert stopped.decide is not None
    assert late.history.failures["g0/v0/probe/0"]["message"] == "db: probe sql failed: connection refused"
    assert late.history.status["g0/v1/start"] is Status.PENDING
