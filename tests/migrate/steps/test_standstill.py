"""A source that moves after its last pass is noticed before its target runs, and before commit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.papers.evidence import evidence, undo_evidence
from migrate.run.actions import Outcome
from migrate.run.history import Event
from migrate.run.landed import check_landed, check_sites
from migrate.run.runbook import COMMIT, GO
from migrate.sites.ports import DiskState, Extent
from planner.errors import BadInput, Blocked
from planner.model import Backing, Power
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.simulated_run import Died, World
from tests.migrate.steps.test_steps import refused, telling, world


def boot(here: World, vm: str, *, and_stop: bool = True) -> None:
    """Start a VM at the source as a person does, let it write, and stop it again."""
    here.source.site.churn_bytes_s = 1e6
    here.source.site.power_on(vm, "by hand")
    here.clock.at_s += 60
    if and_stop:
        here.source.site.power_off(vm, "by hand")


def booting(here: World, at: str, vm: str, *, and_stop: bool = True) -> Any:
    """Return a boundary at which a person starts a VM at the source."""

    def boundary(point: str) -> None:
        if point == at:
            boot(here, vm, and_stop=and_stop)

    return boundary


@pytest.mark.parametrize("vm", ["id-db", "id-web"])
@pytest.mark.parametrize("at", ["g0/d2/verify after outcome", "g0/mark after outcome"])
def test_a_source_that_ran_after_the_last_delta_keeps_its_target_off(vm: str, at: str) -> None:
    here = world()
    stopped = here.drive(GO, boundary=booting(here, at, vm))
    assert stopped.decide is not None
    assert stopped.decide.kind == "start"
    assert stopped.decide.subject == vm
    failure = refused(here, stopped, stopped.decide.id)
    assert "was written at site source after its last delta" in str(failure["message"])
    here.note("", Event.ROLLBACK)
    here.drive()
    assert all(state.power is Power.ON for state in here.source.site.vms.values())
    assert here.violations == []


def test_the_other_holder_of_a_shared_disk_counts_too() -> None:
    here = world(pair_wave())
    stopped = here.drive(GO, boundary=booting(here, "g0/mark after outcome", "id-b"))
    assert stopped.decide is not None
    assert (stopped.decide.kind, stopped.decide.subject) == ("start", "id-a")


def test_a_disk_without_a_change_map_is_judged_by_the_power_of_its_vm() -> None:
    here = world()
    object.__setattr__(here.source, "change_id", lambda volume: None)
    stopped = here.drive(GO, boundary=booting(here, "g0/mark after outcome", "id-db"))
    assert stopped.decide is not None
    assert stopped.decide.kind == "start"


def test_a_last_delta_does_not_begin_while_its_vm_runs() -> None:
    here = world()
    transfers = telling(here)
    stopped = here.drive(GO, boundary=booting(here, "g0/d0/final before intent", "id-db", and_stop=False))
    assert stopped.decide is not None
    assert stopped.decide.id == "g0/d0/final"
    assert not any(item.pass_id.startswith("1/g0/d0/final") for item in transfers.asked)


def test_a_last_delta_that_was_interrupted_is_another_pass_when_the_source_ran_meanwhile() -> None:
    here = world()
    transfers = telling(here)

    def die(point: str) -> None:
        if point == "g0/d0/final after act":
            raise Died

    for _ in range(2):
        with pytest.raises(Died):
            here.drive(GO, boundary=die)
    boot(here, "id-db")
    assert here.drive(GO).gate is not None
    first, again, after = (
        item.pass_id for item in transfers.asked if item.pass_id.startswith("1/g0/d0/final")
    )
    assert first == again != after


def test_disks_that_changed_since_the_check_stop_the_cutover_before_the_vm_stops() -> None:
    here = world()
    here.drive()
    state = here.source.site.vms["id-web"]
    new = DiskState("2009", "id-web/2009", 4096, Backing.VMDK)
    here.source.site.vms["id-web"] = replace(state, disks=(*state.disks, new))
    failure = refused(here, here.drive(GO), "g0/v1/stop")
    assert "not those of the plan" in str(failure["message"])
    assert here.source.site.vms["id-web"].power is Power.ON


def test_a_replica_whose_vm_is_at_the_target_is_not_written() -> None:
    here = world()
    here.drive()
    here.target.site.vms["id-web"] = replace(here.source.site.vms["id-web"], power=Power.OFF)
    stopped = here.drive(GO)
    assert stopped.decide is not None
    failure = refused(here, stopped, "g0/d2/final")
    assert "at site target already" in str(failure["message"])


def test_commit_is_refused_while_a_source_runs_and_says_what_it_wrote() -> None:
    here = world()
    here.drive(GO)
    source: Any = here.source
    target: Any = here.target
    check_landed(here.reload(), source, target)
    boot(here, "id-web", and_stop=False)
    with pytest.raises(Blocked, match="web is not off at site source"):
        check_landed(here.reload(), source, target)
    stopped = here.drive(COMMIT)
    assert stopped.decide is not None
    assert stopped.decide.id == "g0/v1/fence"
    assert here.source.site.vms["id-web"].connected
    here.source.site.power_off("id-web", "by hand")
    check_landed(here.reload(), source, target)
    here.note("g0/v1/fence", Event.RETRY)
    here.drive(COMMIT)
    late = here.history.results["g0/v1/fence"]
    assert late["written_late"] is True
    assert "that is here only" in evidence("fence", late)
    assert "written_late" not in here.history.results["g0/v0/fence"]


def test_a_run_goes_on_only_at_the_sites_it_began_with() -> None:
    here = World(small_wave(), world().runbook)
    source: Any = here.source
    target: Any = here.target
    check_sites(here.reload(), source, target)
    here.drive(GO)
    check_sites(here.reload(), source, target)
    with pytest.raises(Blocked, match="not the source site that the run of W01 began with"):
        check_sites(here.history, target, source)
    with pytest.raises(BadInput, match="the same site"):
        check_sites(here.history, source, source)


def test_a_run_that_finds_its_vm_moved_by_another_one_ends_its_rollback_without_starting_it() -> None:
    here = world()
    here.drive()
    there = replace(here.source.site.vms["id-web"], op="another-run/g0/v1/build/do1")
    here.target.site.vms["id-web"] = there
    here.source.site.power_off("id-web", "another run")
    here.drive(GO)
    here.note("", Event.ROLLBACK)
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert here.source.site.vms["id-web"].power is Power.OFF
    assert here.source.site.vms["id-db"].power is Power.ON
    assert here.target.site.vms["id-web"] == there
    assert "runs at site target" in undo_evidence("stop", here.history.undone["g0/v1/stop"])
    assert here.violations == []


@pytest.mark.parametrize("areas", [None, (Extent(0, 65536),)])
def test_a_replica_that_was_written_after_its_proof_is_not_started(areas: Any) -> None:
    here = world()

    def write(point: str) -> None:
        if point == "g0/d0/verify after outcome":
            object.__setattr__(here.target, "changed_areas", lambda volume, since: areas)

    failure = refused(here, here.drive(GO, boundary=write), "g0/mark")
    assert "was written after it was compared" in str(failure["message"])
    assert not any("power_on" in call[0] for call in here.target.calls)
