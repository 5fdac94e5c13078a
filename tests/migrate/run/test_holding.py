"""A step that a foreign snapshot holds up waits for it, says so once, and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, Status
from migrate.run.holding import Holding
from migrate.run.runbook import COMMIT, GO
from migrate.sites.ports import ChangeId, Consistency, Snapshot
from planner.errors import SiteRefused, StepFailed
from tests.migrate.estate import pair_wave
from tests.migrate.simulated_run import World

THEIRS = "theirs"


def world() -> World:
    wave = pair_wave()
    return World(wave, compose(wave))


def back_up(world: World, group: int = 0, snapshot: str = THEIRS) -> None:
    """Have somebody else snapshot the first VM of a group: its own disks, a shared one is in no snapshot."""
    vm, site = world.wave.groups[group].vms[0], world.source.site
    volumes = [disk.volume for disk in site.vms[vm].disks if site.holders[disk.volume] == {vm}]
    changes = {volume: ChangeId("simulated", 0) for volume in volumes}
    site.snapshots[snapshot] = Snapshot(snapshot, Consistency.CRASH, changes)


def end_backup(world: World) -> None:
    world.source.site.snapshots.pop(THEIRS)


def held(world: World) -> list[Entry]:
    return [entry for entry in world.ledger.entries if entry.event is Event.HELD]


def after(world: World, looks: int) -> Callable[[], bool]:
    """Ask for a pause when so much time has passed that something was looked at so often."""
    until_s = float("inf")

    def paused() -> bool:
        nonlocal until_s
        if held(world):
            until_s = min(until_s, world.clock.at_s + looks * 0.5)
        return world.clock.at_s > until_s

    return paused


def goes_on_without_waiting(world: World) -> bool:
    """Drive with a backup that begins behind the seed; return whether the round after it was done."""

    def begins(point: str) -> None:
        if point == "g0/snapshot/1 before intent":
            raise AssertionError("it does not wait")
        if point == "g0/drop/0 after outcome":
            back_up(world)

    try:
        stopped = world.drive(GO, boundary=begins, paused=after(world, 800))
    except AssertionError:
        return True
    assert stopped.paused
    return False


def test_a_round_waits_until_the_snapshot_is_gone_and_says_so_once() -> None:
    run = world()
    assert not goes_on_without_waiting(run)
    (entry,) = held(run)
    vm = run.wave.vm(run.wave.groups[0].vms[0])
    assert entry.step == "g0/snapshot/1"
    assert entry.detail["why"] == f"a foreign snapshot of {vm.name}"
    assert (entry.detail["vm"], entry.detail["snapshot"]) == (vm.id, THEIRS)
    assert entry.detail["since"]
    history = run.reload()
    assert history.status["g0/snapshot/1"] is Status.PENDING
    assert not history.tried("g0/snapshot/1"), "nothing was begun"
    assert "g1/drop/1" in history.results, "the other group goes on"
    end_backup(run)
    assert run.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert len(held(run)) == 1
    assert run.broken() == []


def test_without_the_look_it_would_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Holding, "sift", lambda self, actions: actions)
    assert goes_on_without_waiting(world())


def test_one_that_was_there_before_the_run_is_waited_for_too() -> None:
    run = world()
    back_up(run)
    assert run.drive(GO, COMMIT, paused=after(run, 800)).paused
    assert [entry.step for entry in held(run)] == ["g0/snapshot/0"]
    assert "g1/checkpoint/1" in run.reload().results, "the other group goes on"
    end_backup(run)
    assert run.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert run.broken() == []


def asked(run: World, number: int, *snapshots: str) -> Callable[[], list[dict[str, Any]]]:
    """Return a person's request, made as soon as something waits."""
    vm = run.wave.groups[0].vms[0]
    request = {"request": number, "who": "bob", "reason": "it stays", "snapshots": {vm: list(snapshots)}}
    return lambda: [request] if held(run) else []


def test_one_that_stays_is_overlooked_by_its_id_up_to_the_end() -> None:
    run = world()
    back_up(run)
    assert run.drive(GO, COMMIT, overlooked=asked(run, 7, THEIRS)).outcome is Outcome.COMMITTED
    (entry,) = (one for one in run.ledger.entries if one.event is Event.OVERLOOKED)
    assert (entry.step, entry.detail["who"], entry.detail["reason"]) == ("", "bob", "it stays")
    assert [one.step for one in held(run)] == ["g0/snapshot/0"], "once, and the cutover not again"
    assert run.reload().overlooked == {7: entry.detail}
    assert run.broken() == []


def test_another_snapshot_of_the_same_vm_holds_it_up_again() -> None:
    run = world()
    back_up(run)
    assert run.drive(overlooked=asked(run, 7, THEIRS)).gate is not None
    back_up(run, snapshot="another")
    overlooked = asked(run, 7, THEIRS)
    assert run.drive(GO, paused=after(run, 800), overlooked=overlooked).paused
    assert [entry.detail["snapshot"] for entry in held(run)] == [THEIRS, "another"]
    assert len([one for one in run.ledger.entries if one.event is Event.OVERLOOKED]) == 1
    assert not [call for call, *_ in run.source.calls if call.endswith(("shut_down", "power_off"))]


def test_a_request_for_another_snapshot_lets_nothing_pass() -> None:
    run = world()
    back_up(run)
    assert run.drive(GO, paused=after(run, 800), overlooked=asked(run, 7, "gone")).paused
    assert "g0/snapshot/0" not in run.reload().results


def test_nothing_is_stopped_while_a_cutover_waits() -> None:
    run = world()
    run.drive()
    back_up(run)
    assert run.drive(GO, paused=after(run, 800)).paused
    assert [entry.step for entry in held(run)] == ["g0/quiesce"]
    assert not [call for call, *_ in run.source.calls if call.endswith(("shut_down", "power_off"))]
    end_backup(run)
    assert run.drive(GO, COMMIT).outcome is Outcome.COMMITTED


def test_the_last_delta_waits_too() -> None:
    run = world()
    stopped = 0

    def begins(point: str) -> None:
        nonlocal stopped
        if point.endswith("/stop after outcome"):
            stopped += 1
            if stopped == len(run.wave.vms):
                back_up(run)

    assert run.drive(GO, boundary=begins, paused=after(run, 800)).paused
    assert {entry.step.rpartition("/")[2] for entry in held(run)} == {"final"}
    end_backup(run)
    assert run.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert run.broken() == []


def test_a_person_is_asked_about_a_failure_while_another_group_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = world()
    take = run.source.site.take_snapshot

    def refuses(vms: tuple[str, ...], op: str) -> Snapshot:
        if "g1/snapshot/1" in op:
            raise SiteRefused("not today", "")
        return take(vms, op)

    def begins(point: str) -> None:
        if point == "g0/drop/0 after outcome":
            back_up(run)

    monkeypatch.setattr(type(run.source.site), "take_snapshot", lambda _site, vms, op: refuses(vms, op))
    stopped = run.drive(GO, boundary=begins, paused=after(run, 800))
    assert stopped.decide is not None
    assert stopped.decide.id == "g1/snapshot/1"


def test_a_site_that_cannot_tell_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run = world()

    def fails(*_: object) -> None:
        raise StepFailed("no word", "")

    run.drive()
    monkeypatch.setattr(type(run.source.site), "snapshots_of", fails)
    back_up(run)
    assert run.drive(GO, COMMIT).outcome is Outcome.COMMITTED
