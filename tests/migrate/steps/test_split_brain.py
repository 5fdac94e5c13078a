"""A VM never runs at both sites: every power-on of a run, a rollback and a failback, against every power.

A VM is started only when the other side is certainly off or has no such VM. What nobody knows goes to a
person: the step fails, or the site is unreachable, and nothing was done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from migrate.papers.evidence import undo_evidence
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Entry, Event, History
from migrate.run.landed import check_landed
from migrate.run.runbook import Step
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Compared, Copied, Moving, Wanted
from planner.errors import Blocked, StepFailed, Unreachable
from planner.model import Power
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import WatchedSite, World

VM = "id-web"
FENCED = "web-moved-20261128"
OWN = (Power.OFF, Power.ON, Power.UNKNOWN, Power.SUSPENDED)
OTHER = (*Power, None, "unreachable")
STARTS = ("run", "rollback", "failback", "rollback of a failback")


class Scene:
    """One VM at both sites, and the power-on of a way with the side it starts and the other one."""

    def __init__(self, way: str, op: str = "1/g0/v1/build/do1") -> None:
        wave, home = small_wave(), "failback" in way
        self.world = World(wave, compose_failback(wave, {VM: FENCED}) if home else compose(wave))
        source, target = self.world.source.site, self.world.target.site
        target.volumes |= source.volumes
        target.vms = {vm: replace(state, op=op) for vm, state in source.vms.items()}
        if home:
            self.world.source, self.world.target = self.world.target, self.world.source
        self.history = History(self.world.runbook)
        self.back = way.startswith("rollback")
        kind = "stop" if self.back else "start"
        self.step = self.one(kind)
        sites = (self.world.source, self.world.target)
        self.own, self.other = sites if self.back else sites[::-1]

    def one(self, kind: str) -> Step:
        return next(step for step in self.world.runbook.steps if (step.kind, step.subject) == (kind, VM))

    def put(self, site: WatchedSite, power: Power | str | None) -> None:
        if power is None:
            del site.site.vms[VM]
        elif power == "unreachable":
            self.put(site, Power.OFF)  # as it happens, and nobody can know
            site.refuse["observe"] = 100
        else:
            site.site.vms[VM] = replace(site.site.vms[VM], power=Power(power))

    def context(self) -> Context:
        return self.world.context(self.history)

    def act(self) -> Any:
        kind = KINDS[self.step.kind]
        return (kind.undo if self.back else kind.act)(self.context(), self.step, "1/x/do1")

    def started(self, site: WatchedSite) -> bool:
        return any(call[0] == f"{site.site.name}.power_on" for call in site.calls)


@pytest.mark.parametrize("other", OTHER, ids=str)
@pytest.mark.parametrize("own", OWN, ids=str)
@pytest.mark.parametrize("way", STARTS)
def test_only_a_side_that_is_certainly_off_lets_the_other_start(
    way: str, own: Power, other: Power | str | None
) -> None:
    scene = Scene(way)
    scene.put(scene.own, own)
    scene.put(scene.other, other)
    both_before = own is Power.ON and other is Power.ON
    if other in (Power.OFF, None):
        scene.act()
        assert scene.own.site.vms[VM].power is Power.ON
        assert scene.started(scene.own) or own is Power.ON, "or this test looks for the wrong call"
        assert not scene.started(scene.other)
    elif scene.back and own is Power.ON:
        assert scene.act() == {"started": False, "by_hand": False}
        assert not scene.started(scene.own)
    else:
        with pytest.raises(Unreachable if other == "unreachable" else StepFailed):
            scene.act()
        assert not scene.started(scene.own), "nothing was done"
    assert both_before or f"{VM} runs at both sites" not in scene.world.violations


def test_a_vm_that_another_run_moved_is_left_to_it() -> None:
    scene = Scene("rollback", op="2/g0/v1/build/do1")
    scene.put(scene.own, Power.OFF)
    scene.put(scene.other, Power.ON)
    assert scene.act() == {"started": False, "elsewhere": "target"}
    assert not scene.started(scene.own)


def test_coming_back_from_a_failback_nobody_else_can_have_moved_it() -> None:
    scene = Scene("rollback of a failback", op="")
    scene.put(scene.own, Power.OFF)
    scene.put(scene.other, Power.ON)
    with pytest.raises(StepFailed, match="the VM is not off at site source"):
        scene.act()


@pytest.mark.parametrize(("attempt", "started"), [(1, False), (2, True)])
def test_what_a_try_that_failed_may_have_stopped_is_started_again(attempt: int, started: bool) -> None:
    scene = Scene("rollback")
    scene.put(scene.own, Power.OFF)  # by somebody before the cutover, or by the try before
    scene.put(scene.other, None)
    stop = KINDS["stop"]
    found = stop.act(scene.context(), scene.step, f"1/{scene.step.id}/do{attempt}")
    scene.history.results[scene.step.id] = found
    assert stop.undo(scene.context(), scene.step, "1/x/undo1")["started"] is started


def test_a_source_started_by_hand_before_commit_is_seen_at_rollback() -> None:
    scene = Scene("rollback")
    scene.history.append(Entry("", Event.ROLLBACK))
    scene.history.results[scene.step.id] = {"graceful": True, "ran": True}
    scene.put(scene.own, Power.ON)
    said = scene.act()
    assert said == {"started": False, "by_hand": True}
    assert undo_evidence("stop", said) == "ran at the source already: somebody had started it by hand"


@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("power", [Power.ON, Power.SUSPENDED, Power.UNKNOWN])
def test_a_side_started_by_hand_before_commit_is_seen_at_commit(home: bool, power: Power) -> None:
    scene = Scene("failback" if home else "run")
    for vm in scene.world.target.site.vms:
        scene.world.target.site.vms[vm] = replace(scene.world.target.site.vms[vm], power=Power.ON)
        left = scene.world.source.site.vms[vm]
        scene.world.source.site.vms[vm] = replace(left, power=power if vm == VM else Power.OFF)
    source: Any = scene.world.source
    target: Any = scene.world.target
    with pytest.raises(Blocked, match="web is not off at site"):
        check_landed(scene.history, source, target)


class Never:
    """Transfers that nobody may ask."""

    copied = 0

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        self.copied += 1
        return Copied(wanted.mode, 0, 0, 0.0)

    def compare(self, *wanted: Any, larger: bool = False) -> Compared:
        return Compared("", "")


@pytest.mark.parametrize("power", [Power.ON, Power.SUSPENDED, Power.UNKNOWN])
@pytest.mark.parametrize("kind", ["check", "transfer", "unfence"])
def test_a_fenced_vm_that_somebody_started_keeps_its_disks_from_being_written(
    kind: str, power: Power
) -> None:
    scene = Scene("failback")
    for vm, state in scene.world.source.site.vms.items():
        scene.world.source.site.vms[vm] = replace(state, power=Power.ON)
    scene.put(scene.world.target, power)
    scene.world.transfers = never = Never()
    step = next(
        step
        for step in scene.world.runbook.steps
        if step.kind == kind and (kind == "check" or VM in (step.subject, *step.params.get("vms", ())))
    )
    other = scene.world.target.site.vms["id-db"]
    scene.world.target.site.vms["id-db"] = replace(other, power=Power.OFF)
    with pytest.raises((Blocked, StepFailed), match="is not off at site source"):
        KINDS[kind].act(scene.context(), step, "op")
    assert never.copied == 0
    assert not scene.started(scene.own)


def test_a_fenced_vm_that_is_gone_or_lost_a_disk_does_not_come_back() -> None:
    scene = Scene("failback")
    for vm, state in scene.world.source.site.vms.items():
        scene.world.source.site.vms[vm] = replace(state, power=Power.ON)
        there = scene.world.target.site.vms[vm]
        scene.world.target.site.vms[vm] = replace(there, power=Power.OFF)
    check = scene.world.runbook.step("check")
    assert KINDS["check"].act(scene.context(), check, "op")["wanted_bytes"] == 0
    lost = scene.world.target.site.volumes.pop("id-web/2000")
    with pytest.raises(Blocked, match="a disk of W01 is not at site source any more"):
        KINDS["check"].act(scene.context(), check, "op")
    scene.world.target.site.volumes["id-web/2000"] = lost
    del scene.world.target.site.vms[VM]
    with pytest.raises(Blocked, match="web is not at site source any more, so it cannot come back"):
        KINDS["check"].act(scene.context(), check, "op")
