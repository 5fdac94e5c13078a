"""A wave's conduct in its runbook: where hooks stand, what waits for which probe, what gates ask."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.rehearsal import model_of
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.history import Event, Status
from migrate.run.runbook import COMMIT, GO, Runbook, Step, dump_runbook, load_runbook
from migrate.steps.kinds import KINDS
from migrate.twin import Twin, TwinRun
from planner.conduct import Place
from planner.conduct_planned import PlannedConduct
from planner.plan import Wave
from planner.settings import Link, Window
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.run.test_compose import before
from tests.migrate.simulated_run import Boundaries, Died, World

DB, WEB = "id-db", "id-web"
FORWARD = [place for place in Place if place is not Place.ON_ROLLBACK]


def conducted(wave: Wave | None = None, **conduct: Any) -> Wave:
    return (wave or small_wave()).model_copy(update={"conduct": PlannedConduct.model_validate(conduct)})


def program(place: Place, name: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name or place.value, "place": place, "argv": ["/bin/true"], **more}


def human(place: Place, **more: Any) -> dict[str, Any]:
    return {"name": f"person {place.value}", "place": place, "says": "do it", **more}


def everywhere() -> Wave:
    return conducted(hooks=[program(place) for place in Place])


def by_title(runbook: Runbook, word: str) -> Step:
    (found,) = (step for step in runbook.steps if step.title.endswith(word))
    return found


def kinds(runbook: Runbook, steps: set[str]) -> set[str]:
    return {runbook.step(step).kind for step in steps}


def test_a_wave_without_conduct_has_the_steps_it_always_had() -> None:
    runbook = compose(small_wave())
    assert {step.kind for step in runbook.steps} <= {*KINDS, "gate"} - {"hook"}
    assert [step.id for step in runbook.steps if step.kind == "probe"] == ["g0/v0/probe", "g0/v1/probe"]
    assert all("ask" not in step.params for step in runbook.steps)


def test_every_hook_stands_at_its_place() -> None:
    runbook = compose(everywhere())
    hook = {place: by_title(runbook, f": {place.value}").id for place in Place}
    needed = {place: before(runbook, hook[place]) for place in Place}
    users = {
        place: {step.id for step in runbook.steps if hook[place] in before(runbook, step.id)}
        for place in Place
    }
    stops = {step.id for step in runbook.steps if step.kind == "stop"}
    marks = {step.id for step in runbook.steps if step.kind == "mark"}
    starts = {step.id for step in runbook.steps if step.kind == "start"}
    probes = {step.id for step in runbook.steps if step.kind == "probe"}
    fences = {step.id for step in runbook.steps if step.kind == "fence"}
    assert GO in needed[Place.BEFORE_CUTOVER]
    assert "quiesce" not in kinds(runbook, needed[Place.BEFORE_CUTOVER])
    assert stops <= users[Place.BEFORE_CUTOVER]
    assert stops <= needed[Place.AFTER_STOP]
    assert not any(step.endswith("/final") for step in needed[Place.AFTER_STOP])
    assert {step.id for step in runbook.steps if step.id.endswith("/final")} <= users[Place.AFTER_STOP]
    assert marks <= needed[Place.BEFORE_START]
    assert starts <= users[Place.BEFORE_START]
    assert probes <= needed[Place.AFTER_START]
    assert {"landed", COMMIT} <= users[Place.AFTER_START]
    assert COMMIT in needed[Place.BEFORE_COMMIT]
    assert fences <= users[Place.BEFORE_COMMIT]
    assert fences <= needed[Place.AFTER_COMMIT]
    back = runbook.step(hook[Place.ON_ROLLBACK])
    assert back.undoable
    assert stops <= users[Place.ON_ROLLBACK]
    assert [step.id for step in runbook.steps if step.undoable and step.kind == "hook"] == [back.id]
    told, params = dump_runbook(runbook)
    assert load_runbook(told, json.dumps(params)) == runbook


def test_hooks_of_a_place_go_one_after_the_other_in_the_order_of_the_settings() -> None:
    place = Place.AFTER_STOP
    runbook = compose(
        conducted(hooks=[program(place, "a"), program(place, "b", vms=[WEB, DB]), program(place, "c")])
    )
    one, both, last = (
        [step for step in runbook.steps if step.kind == "hook" and step.title.endswith(f": {name}")]
        for name in "abc"
    )
    assert [step.subject for step in both] == [WEB, DB]
    assert [step.id for step in (*one, *both, *last)] == ["hook/0", "hook/1/g0/v1", "hook/1/g0/v0", "hook/2"]
    assert {step.needs for step in both} == {(one[0].id,)}
    assert set(last[0].needs) == {step.id for step in both}
    assert both[0].title == "web: b"


@pytest.mark.parametrize("place", FORWARD)
def test_a_human_step_is_a_gate_at_its_place_and_the_run_waits_there(place: Place) -> None:
    wave = conducted(hooks=[human(place)])
    here = World(wave, compose(wave))
    stopped = here.drive(GO, COMMIT)
    assert stopped.gate is not None
    assert (stopped.gate.kind, stopped.gate.id) == ("human", "hook/0")
    assert here.drive(GO, COMMIT, "hook/0").outcome is Outcome.COMMITTED
    assert here.broken() == []


def test_gates_carry_their_rules_and_the_window() -> None:
    window = Window.model_validate({"start": "2027-01-09T22:00:00", "hours": 4, "zone": "Europe/Paris"})
    wave = conducted(gates={"go": {"persons": 2, "in_window": True}, "commit": {"ticket": "CHG"}})
    runbook = compose(wave.model_copy(update={"window": window}))
    go, commit = runbook.step(GO), runbook.step(COMMIT)
    assert go.params["rule"] == {"persons": 2, "ticket": "", "in_window": True}
    assert commit.params["rule"]["ticket"] == "CHG"
    assert Window.model_validate(go.params["window"]) == window
    assert compose(wave).step(GO).params["window"] is None


def tcp(name: str, *vms: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "tcp", "port": 22, "vms": vms, **more}


def test_the_next_batch_waits_for_every_probe_that_is_not_optional() -> None:
    wave = conducted(probes=[tcp("ssh", DB), tcp("extra", DB, optional=True)], addresses={DB: "10.0.0.7"})
    runbook = compose(wave)
    needed = before(runbook, "g0/v1/start")
    assert {"g0/v0/probe", "g0/v0/probe/0"} <= needed
    assert "g0/v0/probe/1" not in needed
    assert runbook.step("g0/v0/probe/0").needs == ("g0/v0/probe",)
    assert {"g0/v0/probe/0", "g0/v0/probe/1"} <= before(runbook, "landed")
    asked = runbook.step("g0/v0/probe/0").params["ask"]
    assert (asked["host"], asked["port"]) == ("10.0.0.7", 22)


def test_what_a_site_says_of_a_vm_is_asked_first_and_can_be_chosen() -> None:
    own = {"name": "runs", "kind": "power", "vms": [WEB], "timeout_s": 7.0}
    runbook = compose(conducted(probes=[tcp("ssh", WEB), own], addresses={WEB: "10.0.0.8"}))
    first, second = (step for step in runbook.steps if step.kind == "probe" and step.subject == WEB)
    assert (first.id, first.params["ask"]["kind"], first.params["timeout_s"]) == ("g0/v1/probe", "power", 7.0)
    assert (second.id, second.params["ask"]["kind"]) == ("g0/v1/probe/0", "tcp")


def test_a_wave_in_which_nothing_boots_keeps_its_hooks() -> None:
    wave = conducted(pair_wave(), hooks=[program(place) for place in Place])
    asleep = wave.model_copy(
        update={"vms": tuple(vm.model_copy(update={"powered_on": False}) for vm in wave.vms)}
    )
    runbook = compose(asleep)
    assert sum(step.kind == "hook" for step in runbook.steps) == len(Place)
    assert World(asleep, runbook).drive(GO, COMMIT).outcome is Outcome.COMMITTED


def test_names_in_titles_are_harmless() -> None:
    hostile = "\x1b[2Jname\u202e[red]"
    wave = conducted(
        hooks=[program(Place.AFTER_STOP, hostile, argv=["/bin/x", hostile])], probes=[tcp(hostile, DB)]
    )
    for step in compose(wave).steps:
        assert step.title.isprintable()
        if not step.is_gate:
            assert KINDS[step.kind].plan(step).isprintable()


def run_twin(wave: Wave) -> TwinRun:
    return Twin(compose(wave), model_of(wave, Link()), KINDS, 7).run()


def test_on_the_twin_programs_and_people_cost_time_and_touch_nothing() -> None:
    plain = run_twin(small_wave())
    hooks = [
        program(Place.AFTER_STOP, argv=["/nowhere/at/all"], takes_s=1000.0),
        human(Place.AFTER_START, takes_s=2000.0),
        human(Place.BEFORE_START),
    ]
    conduct = run_twin(conducted(hooks=hooks, probes=[tcp("ssh", DB)], addresses={DB: "192.0.2.1"}))
    assert conduct.outcome is Outcome.COMMITTED
    took = {step: end - begin for step, (begin, end) in conduct.spans.items()}
    assert [took[f"hook/{number}"] for number in range(3)] == pytest.approx([1000.0, 2000.0, 300.0])
    assert 0 < took["g0/v0/probe/0"] < 1
    assert conduct.cutover_s > plain.cutover_s + 3000


def test_what_nobody_can_ask_fails_on_the_twin_already() -> None:
    run = run_twin(conducted(probes=[tcp("ssh", DB)]))
    assert run.outcome is Outcome.ROLLED_BACK
    assert run.failed_at == "g0/v0/probe/0"


@pytest.mark.parametrize("said", [program, human], ids=["program", "human"])
def test_what_is_for_the_way_back_comes_when_the_sources_run_again(said: Any) -> None:
    wave = conducted(hooks=[said(Place.ON_ROLLBACK)])
    here = World(wave, compose(wave))
    assert here.drive(GO).gate is not None
    assert here.history.results["hook/0"] == {"kept": True}
    here.note("", Event.ROLLBACK)
    assert here.drive().outcome is Outcome.ROLLED_BACK
    done = [entry.step for entry in here.ledger.entries if entry.event is Event.UNDONE]
    assert done[-1] == "hook/0"
    assert here.history.undone["hook/0"] == {"modelled": True}
    assert here.broken() == []


def test_before_the_go_nothing_is_for_the_way_back() -> None:
    wave = conducted(hooks=[program(Place.ON_ROLLBACK)])
    here = World(wave, compose(wave))
    here.drive()
    here.note("", Event.ABORT)
    assert here.drive().outcome is Outcome.ABORTED
    assert here.history.status["hook/0"] is Status.PENDING


def test_a_run_with_hooks_ends_the_same_wherever_it_died() -> None:
    wave = everywhere()
    counted = Boundaries()
    calm = World(wave, compose(wave))
    calm.drive(GO, COMMIT, boundary=counted)
    hooks = [number for number, point in enumerate(counted.points, 1) if point.startswith("hook/")]
    assert len(hooks) >= 4 * len(Place)
    for die_at in hooks:
        here = World(wave, compose(wave))
        with pytest.raises(Died):
            here.drive(GO, COMMIT, boundary=Boundaries(die_at))
        assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
        assert here.end_state() == calm.end_state()
        assert here.broken() == []
