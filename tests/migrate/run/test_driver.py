"""A run dies at every boundary and is taken up again: same end, nothing destructive twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.driver import Stopped
from migrate.run.history import Event, Status
from migrate.run.runbook import COMMIT, GO, Step
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from planner.model import Power
from planner.plan import Wave
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.simulated_run import Boundaries, Died, Ledger, World

WAVES: dict[str, Callable[[], Wave]] = {"pair": pair_wave, "small": small_wave}


def forward(world: World, boundary: Callable[[str], None]) -> Stopped:
    return world.drive(GO, COMMIT, boundary=boundary)


def back(event: Event, world: World, boundary: Callable[[str], None]) -> Stopped:
    """Go to the gate (or past it), turn round once, go back."""
    if not any(entry.event is event for entry in world.ledger.entries):
        stopped = world.drive(*([GO] if event is Event.ROLLBACK else []))
        assert stopped.gate is not None
        world.note("", event)
    return world.drive(boundary=boundary)


Way = Callable[[World, Callable[[str], None]], Stopped]
WAYS: dict[str, Way] = {
    "forward": forward,
    "rollback": partial(back, Event.ROLLBACK),
    "abort": partial(back, Event.ABORT),
}
OUTCOMES = {
    "forward": Outcome.COMMITTED,
    "rollback": Outcome.ROLLED_BACK,
    "abort": Outcome.ABORTED,
}


def acted_on(world: World) -> set[tuple[str, str, str]]:
    """Return which destructive calls were made."""
    return set(world.source.calls | world.target.calls)


def world_of(wave: str, ledger: Ledger | None = None, luck: float = 0.5) -> World:
    planned = WAVES[wave]()
    return World(planned, compose(planned), ledger=ledger, luck=luck)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wave", WAVES)
def test_a_run_that_dies_at_any_boundary_ends_as_if_it_had_not(wave: str, way: str) -> None:
    calm, seen = world_of(wave), Boundaries()
    assert WAYS[way](calm, seen).outcome is OUTCOMES[way]
    assert calm.broken() == []
    assert len(seen.points) > 10
    for number in range(1, len(seen.points) + 1):
        world = world_of(wave)
        with pytest.raises(Died):
            WAYS[way](world, Boundaries(number))
        stopped = WAYS[way](world, Boundaries())
        where = seen.points[number - 1]
        assert stopped.outcome is OUTCOMES[way], where
        assert world.broken() == [], where
        assert world.end_state() == calm.end_state(), where
        assert acted_on(world) == acted_on(calm), where


def test_all_four_sides_of_each_act_are_boundaries() -> None:
    seen = Boundaries()
    world = world_of("small")
    forward(world, seen)
    acts = [step.id for step in world.runbook.steps if not step.is_gate]
    for step in acts:
        assert [point for point in seen.points if point.startswith(f"{step} ")] == [
            f"{step} before intent",
            f"{step} after intent",
            f"{step} after act",
            f"{step} after outcome",
        ]


def test_a_run_that_dies_twice_on_the_way_ends_well_too() -> None:
    calm = world_of("pair")
    forward(calm, Boundaries())
    for number in range(1, 90, 7):
        world = world_of("pair")
        for again in (number, 2, 3):
            with pytest.raises(Died):
                forward(world, Boundaries(again))
        assert forward(world, Boundaries()).outcome is Outcome.COMMITTED
        assert world.broken() == []
        assert world.end_state() == calm.end_state()


def test_a_guest_that_does_not_stop_in_time_is_forced_once_wherever_the_run_dies() -> None:
    calm, seen = world_of("small", luck=1.0), Boundaries()
    forward(calm, seen)
    forced = {call for call in acted_on(calm) if call[0] == "source.power_off"}
    assert len(forced) == 2
    for number in range(1, len(seen.points) + 1):
        world = world_of("small", luck=1.0)
        with pytest.raises(Died):
            forward(world, Boundaries(number))
        assert forward(world, Boundaries()).outcome is Outcome.COMMITTED
        assert world.broken() == []
        assert acted_on(world) == acted_on(calm)


def test_without_outcomes_in_the_record_the_check_goes_red() -> None:
    """Negative control: a record that forgets makes the same checks fail.

    Not at every boundary: once a VM was stopped, the forgetful run's own check refuses to begin again.
    """
    red = 0
    total = Boundaries()
    forward(world_of("small"), total)
    for number in range(1, len(total.points) + 1):
        world = world_of("small", Ledger(forgets=[Event.INTENT, Event.DONE, Event.APPROVED]))
        with pytest.raises(Died):
            forward(world, Boundaries(number))
        forward(world, Boundaries())
        red += bool(world.twice())
    assert red > len(total.points) // 3


def test_steps_that_do_not_look_make_the_check_go_red() -> None:
    """Negative control: a start that does not ask the other side, after a stop that did not stop."""

    class Careless:
        def act(self, ctx: Context, step: Step, op: str) -> dict[str, object]:
            if step.kind == "start":
                ctx.target.power_on(step.params["vm"], op)
            return {}

    planned = small_wave()
    careless = dict.fromkeys(("stop", "transfer", "start"), Careless())
    world = World(planned, compose(planned), kinds={**KINDS, **careless})
    forward(world, Boundaries())
    assert "id-db runs at both sites" in world.violations


def test_a_record_without_the_gate_makes_the_fence_come_before_commit() -> None:
    world = world_of("small", Ledger(forgets=[Event.APPROVED]))
    forward(world, Boundaries())
    assert "a source VM was fenced before commit" in world.broken()


@pytest.mark.parametrize("wave", WAVES)
def test_rollback_puts_everything_back_but_the_replicas(wave: str) -> None:
    world = world_of(wave)
    source_before = world.end_state()[0]
    assert WAYS["rollback"](world, Boundaries()).outcome is Outcome.ROLLED_BACK
    source, (vms, volumes, snapshots) = world.end_state()
    assert source == source_before
    assert vms == {}
    assert len(volumes) == len(world.wave.disks)
    assert snapshots == []


@pytest.mark.parametrize("wave", WAVES)
def test_abort_leaves_nothing_behind_at_either_site(wave: str) -> None:
    world = world_of(wave)
    before = world.end_state()
    assert WAYS["abort"](world, Boundaries()).outcome is Outcome.ABORTED
    assert world.end_state() == before


def test_abort_in_the_middle_of_a_round_leaves_nothing_behind() -> None:
    total = Boundaries()
    world_of("pair").drive(boundary=total)
    for number in range(1, len(total.points) + 1):
        world = world_of("pair")
        before = world.end_state()
        with pytest.raises(Died):
            world.drive(boundary=Boundaries(number))
        world.note("", Event.ABORT)
        assert world.drive().outcome is Outcome.ABORTED, total.points[number - 1]
        assert world.end_state() == before, total.points[number - 1]
        assert world.violations == []


def test_rollback_in_the_middle_of_a_cutover_starts_the_sources_again() -> None:
    total, calm = Boundaries(), world_of("small")
    calm.drive()
    before = calm.end_state()
    calm.drive(GO, boundary=total)
    for number in range(2, len(total.points) + 1):  # 1 is before the gate was opened
        world = world_of("small")
        world.drive()
        with pytest.raises(Died):
            world.drive(GO, boundary=Boundaries(number))
        world.note("", Event.ROLLBACK)
        assert world.drive().outcome is Outcome.ROLLED_BACK, total.points[number - 1]
        assert world.end_state() == before, total.points[number - 1]
        assert world.violations == []


CALLS = {
    "source": ("shut_down", "take_snapshot", "drop_snapshot", "quiesce", "rename", "connect_nics"),
    "target": ("create_disk", "create_vm", "power_on"),
}
AT_CALL = [(site, call) for site, calls in CALLS.items() for call in calls]


@pytest.mark.parametrize(("site", "call"), AT_CALL)
def test_a_lost_answer_is_asked_and_the_act_not_repeated(site: str, call: str) -> None:
    world, calm = world_of("small"), world_of("small")
    forward(calm, Boundaries())
    getattr(world, site).lose[call] = 1
    assert forward(world, Boundaries()).outcome is Outcome.COMMITTED
    assert world.broken() == []
    assert world.end_state() == calm.end_state()


@pytest.mark.parametrize(("site", "call"), AT_CALL)
def test_a_call_that_never_arrived_is_made_again(site: str, call: str) -> None:
    world, calm = world_of("small"), world_of("small")
    forward(calm, Boundaries())
    getattr(world, site).refuse[call] = 2
    assert forward(world, Boundaries()).outcome is Outcome.COMMITTED
    assert world.broken() == []
    assert world.end_state() == calm.end_state()
    retried = [entry for entry in world.ledger.entries if entry.event is Event.FAILED]
    assert len(retried) == 2
    assert all(entry.detail["error"] == "unreachable" for entry in retried)


def test_a_site_that_stays_away_ends_in_a_decision_when_patience_ends() -> None:
    world = world_of("small")
    world.drive()
    world.target.refuse["create_vm"] = 99
    before = world.clock.at_s
    stopped = world.drive(GO)
    assert 90.0 <= world.clock.at_s - before < 180.0
    assert stopped.decide is not None
    assert stopped.decide.kind == "build"
    builds = {entry.step: 0 for entry in world.ledger.entries if entry.step.endswith("/build")}
    for entry in world.ledger.entries:
        if entry.step in builds and entry.event is Event.INTENT:
            builds[entry.step] += 1
    assert set(builds.values()) == {8}, "at 0, 1, 3, 7, 15, 31, 61 and 90 seconds"
    world.target.refuse.clear()
    for step in builds:
        world.note(step, Event.RETRY, 8)
    assert world.drive(GO).gate is not None


def test_when_the_world_cannot_be_asked_the_step_stays_started() -> None:
    world = world_of("small")
    world.drive()
    world.target.lose["power_on"] = 1

    def away(point: str) -> None:
        if point.endswith("/start after intent"):
            world.target.refuse["observe"] = 99

    stopped = world.drive(GO, boundary=away)
    start = next(step.id for step in world.runbook.steps if step.kind == "start")
    assert stopped.decide is not None
    assert stopped.decide.id == start
    assert world.reload().status[start] is Status.STARTED
    assert world.history.failures[start]["error"] == "unreachable"
    assert world.drive(GO) == stopped, "without a person's word nobody asks again"
    world.target.refuse["observe"] = 3
    world.note(start, Event.RETRY)
    assert world.drive(GO).gate is not None
    assert start not in world.history.failures
    assert world.history.results[start] == {"asked": True}
    assert world.broken() == []


@pytest.mark.parametrize("call", ["power_on", "thaw"])
def test_an_undo_whose_answer_was_lost_is_not_done_twice(call: str) -> None:
    world = world_of("small")
    before = world.end_state()[0]
    world.drive(GO)
    world.note("", Event.ROLLBACK)
    world.source.lose[call] = 1
    assert world.drive().outcome is Outcome.ROLLED_BACK
    assert world.broken() == []
    assert world.end_state()[0] == before


def test_a_source_is_not_started_while_the_target_may_run() -> None:
    world = world_of("small")
    world.drive(GO)
    world.note("", Event.ROLLBACK)

    def stubborn(point: str) -> None:
        site = world.target.site
        for vm, state in list(site.vms.items()):
            site.vms[vm] = type(state)(state.id, state.name, Power.ON, state.disks, op=state.op)

    stopped = world.drive(boundary=stubborn)
    assert stopped.decide is not None
    assert world.violations == []
    assert all(state.power is Power.OFF for vm, state in world.source.site.vms.items())


def test_a_vm_made_by_somebody_else_is_not_deleted_on_the_way_back() -> None:
    world = world_of("small")
    world.drive()
    web = next(vm for vm in world.wave.vms if vm.name == "web")
    foreign = world.source.site.vms[web.id]
    world.target.site.vms[web.id] = type(foreign)(web.id, "theirs", Power.OFF, (), op="theirs")
    stopped = world.drive(GO)
    assert stopped.decide is not None or stopped.gate is not None
    world.target.site.vms[web.id] = type(foreign)(web.id, "theirs", Power.OFF, (), op="theirs")
    world.note("", Event.ROLLBACK)
    assert world.drive().outcome is Outcome.ROLLED_BACK
    assert world.target.site.vms[web.id].name == "theirs"
