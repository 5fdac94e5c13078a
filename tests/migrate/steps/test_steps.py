"""Each step kind against two simulated sites: what it refuses, what it asks, what it takes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from migrate.kept import Checkpoints
from migrate.papers.evidence import evidence
from migrate.replication.passes import Mode
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.driver import Stopped
from migrate.run.history import Event, Status
from migrate.run.runbook import COMMIT, GO
from migrate.sites.definition import Difference
from migrate.sites.ports import (
    Capability,
    ChangeId,
    Consistency,
    Disks,
    DiskState,
    Extent,
    Health,
    NewDisk,
    NewVM,
    Snapshot,
)
from migrate.sites.simulated import SimulatedSite
from migrate.steps.kinds import KINDS
from migrate.transfers.keeping import KeepsHere
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Compared, Copied, Moving, Wanted
from planner.errors import NoSpace, Paused, StepFailed
from planner.model import Backing, Power
from planner.plan import Wave
from tests.migrate.estate import left_out_wave, pair_wave, small_wave
from tests.migrate.simulated_run import Died, KeepsNames, World


def world(wave: Wave | None = None, **more: Any) -> World:
    planned = wave or small_wave()
    return World(planned, compose(planned), **more)


def refused(here: World, stopped: Stopped, step: str) -> dict[str, Any]:
    """Return the failure of the step that the run stopped at."""
    assert stopped.decide is not None
    assert stopped.decide.id == step
    assert here.history.status[step] is Status.FAILED
    return here.history.failures[step]


def test_every_kind_says_what_it_would_do_without_touching_anything() -> None:
    here = world(pair_wave())
    for step in here.runbook.steps:
        if not step.is_gate:
            assert KINDS[step.kind].plan(step)
    assert here.source.calls == here.target.calls == {}
    assert here.clock.at_s == 0


# check


def vm_gone(here: World) -> None:
    del here.source.site.vms["id-web"]


def vm_there(here: World) -> None:
    here.target.site.vms["id-web"] = here.source.site.vms["id-web"]


def disk_grown(here: World) -> None:
    state = here.source.site.vms["id-web"]
    grown = tuple(replace(disk, size_bytes=disk.size_bytes * 2) for disk in state.disks)
    here.source.site.vms["id-web"] = replace(state, disks=grown)


def disk_added(here: World) -> None:
    state = here.source.site.vms["id-web"]
    new = DiskState("2009", "id-web/2009", 4096, Backing.VMDK)
    here.source.site.vms["id-web"] = replace(state, disks=(*state.disks, new))


def other_shape(here: World) -> None:
    here.target.site.volumes["id-web/2000"] = NewDisk("id-web/2000", 4096, Backing.VMDK)


def full(here: World) -> None:
    object.__setattr__(here.target, "free_bytes", lambda: 1024)


def no_network(here: World) -> None:
    object.__setattr__(here.target, "networks", lambda: frozenset({"elsewhere"}))


def incapable(here: World) -> None:
    object.__setattr__(here.target, "capabilities", frozenset({Capability.POWER}))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (vm_gone, "not at site source"),
        (vm_there, "at site target already"),
        (disk_grown, "the plan says"),
        (disk_added, "that the plan does not know"),
        (other_shape, "another shape"),
        (full, "1.0 KiB free"),
        (no_network, "network prod-2 does not exist"),
        (incapable, "cannot do"),
    ],
)
def test_check_is_blocked_by_what_is_not_as_planned_and_nothing_was_touched(spoil: Any, says: str) -> None:
    here = world()
    spoil(here)
    failure = refused(here, here.drive(), "check")
    assert failure["error"] == "blocked"
    assert failure["exit_code"] == 3
    assert says in str(failure["message"])
    assert failure["hint"]
    assert here.source.calls == here.target.calls == {}


def test_check_counts_only_the_disks_that_need_room() -> None:
    here = world(pair_wave())
    here.drive()
    result = here.history.results["check"]
    rdm = next(disk for disk in here.wave.disks if disk.target.is_rdm)
    assert result["wanted_bytes"] == here.wave.size_bytes - rdm.size_bytes
    assert result["existing"] == []


def test_a_replica_on_a_lun_larger_than_its_source_is_used_again() -> None:
    here = world(pair_wave())
    rdm = next(disk for disk in here.wave.disks if disk.target.is_rdm)
    there = NewDisk(rdm.volume, rdm.size_bytes * 2, rdm.target, rdm.target_lun)
    here.target.site.volumes[rdm.volume] = there
    here.drive()
    assert here.history.results["check"]["existing"] == [rdm.volume]


# create-disk


def existing(here: World) -> str:
    volume = "id-web/2000"
    here.target.site.volumes[volume] = NewDisk(
        volume, here.source.site.volumes[volume].size_bytes, Backing.VMDK
    )
    return volume


def test_a_disk_that_was_there_is_compared_not_seeded_and_survives_abort() -> None:
    here = world()
    volume = existing(here)
    here.drive()
    steps = {
        step.subject: step.id.rsplit("/", 1)[0] for step in here.runbook.steps if step.kind == "create-disk"
    }
    assert here.history.results[f"{steps[volume]}/create"] == {"created": False}
    assert here.history.results[f"{steps[volume]}/seed"]["mode"] == "compare"
    assert here.history.results[f"{steps['id-db/2000']}/seed"]["mode"] == "seed"
    here.note("", Event.ABORT)
    here.drive()
    assert list(here.target.site.volumes) == [volume]


def test_without_a_check_no_disk_is_taken_for_our_own() -> None:
    here = world()
    here.note("check", Event.SKIPPED)
    here.drive()
    assert {
        here.history.results[step.id]["mode"] for step in here.runbook.steps if step.id.endswith("/seed")
    } == {"compare"}
    here.note("", Event.ABORT)
    here.drive()
    assert len(here.target.site.volumes) == len(here.wave.disks)


# transfers


class Telling(ModelledTransfers):
    """Modelled transfers that remember what was asked of them, and may be full."""

    asked: list[Wanted]
    full_times = 0

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        self.asked.append(wanted)
        if self.full_times:
            self.full_times -= 1
            raise NoSpace("site target is full", "free space")
        return super().copy(wanted, report)


def telling(here: World) -> Telling:
    transfers = Telling(here.clock, 1e9, 1e9)
    transfers.asked = []
    here.transfers = transfers
    return transfers


def test_each_delta_counts_from_the_snapshot_before_it() -> None:
    here = world(small_wave(cycles=3))
    here.source.site.churn_bytes_s = 1000
    transfers = telling(here)
    here.drive(GO)
    passes = [item for item in transfers.asked if item.volume == "id-web/2000"]
    assert [item.mode for item in passes] == [Mode.SEED, *[Mode.DELTA] * 4]
    assert [item.base for item in passes[1:]] == [item.change for item in passes[:-1]]
    assert passes[-1].snapshot is None
    assert all(item.extents for item in passes[1:])
    assert len({item.pass_id for item in passes}) == len(passes)


def test_a_pass_says_what_its_snapshot_is_worth_and_one_of_a_stopped_vm_nothing_more_than_a_crash() -> None:
    here = world(pair_wave())
    transfers = telling(here)
    take = here.source.take_snapshot

    def quiesced(vms: tuple[str, ...], op: str) -> Snapshot:
        taken: Snapshot = take(vms, op)
        return replace(taken, label=Consistency.FILESYSTEM)

    object.__setattr__(here.source, "take_snapshot", quiesced)
    here.drive(GO)
    said = {(item.snapshot is not None, item.consistency) for item in transfers.asked}
    assert said == {(True, Consistency.FILESYSTEM), (False, Consistency.CRASH)}


def test_change_tracking_that_cannot_be_trusted_means_compare() -> None:
    here = world()
    transfers = telling(here)

    def lost(volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        return None

    object.__setattr__(here.source, "changed_areas", lost)
    here.drive()
    modes = [item.mode for item in transfers.asked if item.volume == "id-web/2000"]
    assert modes == [Mode.SEED, Mode.COMPARE]


def test_a_full_target_is_decided_at_once_and_the_pass_keeps_its_name() -> None:
    here = world()
    transfers = telling(here)
    transfers.full_times = 2
    stopped = here.drive()
    assert stopped.decide is not None
    failure = here.history.failures[stopped.decide.id]
    assert (failure["error"], failure["retryable"]) == ("no-space", False)
    tried = [item.pass_id for item in transfers.asked]
    assert len(set(tried)) == 2, "each disk once"
    for step in [one for one, status in here.history.status.items() if status is Status.FAILED]:
        here.note(step, Event.RETRY)
    gate = here.drive().gate
    assert gate is not None
    assert [item.pass_id for item in transfers.asked[2:4]] == tried
    assert gate.id == GO


def test_a_transfer_without_its_snapshot_does_not_read_a_running_disk() -> None:
    here = world()
    transfers = telling(here)
    here.note("g0/snapshot/0", Event.SKIPPED)
    stopped = here.drive()
    assert stopped.decide is not None
    assert stopped.decide.kind == "transfer"
    assert transfers.asked == []


# proof


class Differing(ModelledTransfers):
    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        found = super().compare(volume, size_bytes, snapshot, report)
        return Compared(found.source, "other") if volume == "id-web/2000" else found


def test_digests_that_differ_end_in_a_decision_before_anything_is_cut_over() -> None:
    here = world()
    here.transfers = Differing(here.clock, 1e9, 1e9)
    failure = refused(here, here.drive(GO), "g0/checkpoint/1")
    assert failure["error"] == "step-failed"
    assert "differ" in str(failure["message"])
    assert all(state.power is Power.ON for state in here.source.site.vms.values())


def test_digests_that_differ_after_the_stop_never_start_the_target() -> None:
    here = world()
    here.drive()
    here.transfers = Differing(here.clock, 1e9, 1e9)
    stopped = here.drive(GO)
    assert stopped.decide is not None
    assert stopped.decide.kind == "verify"
    assert not any("power_on" in call[0] for call in here.target.calls)
    here.note("", Event.ROLLBACK)
    here.drive()
    assert all(state.power is Power.ON for state in here.source.site.vms.values())
    assert here.broken() == []


def test_a_disk_that_several_vms_write_is_made_for_that() -> None:
    here = world(pair_wave())
    here.drive()
    asked = {name: disk.shared for name, disk in here.target.site.volumes.items()}
    assert asked == {"id-a/2000": False, "id-b/2000": False, "id-a/2001": True, "id-c/2000": False}


def test_a_disk_on_a_larger_lun_is_proved_with_its_sectors_and_its_table() -> None:
    here = world(pair_wave())
    here.drive()
    mapped = here.target.site.volumes["id-c/2000"]
    assert mapped.lun
    here.target.site.volumes["id-c/2000"] = replace(mapped, size_bytes=mapped.size_bytes + 4096)
    here.drive(GO)
    proved = {
        step.params["volume"]: here.history.results[step.id]
        for step in here.runbook.steps
        if step.kind == "verify" and step.id in here.history.results
    }
    found = proved.pop("id-c/2000")
    sectors = mapped.size_bytes // 512
    assert found["sectors"] == [sectors, sectors + 8]
    assert found["table"] == "no partition table; 8 sectors more than the disk had"
    assert evidence("verify", found).endswith(found["table"])
    assert proved
    assert not any("sectors" in other for other in proved.values())  # which are as large as they were


# stop and quiesce


def power(here: World) -> str:
    return here.source.site.vms["id-c"].power.value


def turn(here: World, vm: str, to: Power) -> None:
    here.source.site.vms[vm] = replace(here.source.site.vms[vm], power=to)


def test_a_vm_that_was_started_against_the_plan_is_not_stopped_for_good() -> None:
    here = world(pair_wave())
    here.drive()
    turn(here, "id-c", Power.ON)
    stopped = here.drive(GO)
    assert stopped.decide is not None
    assert "knows it as off" in here.history.failures[stopped.decide.id]["message"]
    assert power(here) == Power.ON
    turn(here, "id-c", Power.OFF)
    here.note(stopped.decide.id, Event.RETRY)
    gate = here.drive(GO).gate
    assert gate is not None
    assert gate.id == COMMIT


def test_a_vm_that_somebody_stopped_before_the_cutover_is_not_started_by_a_rollback() -> None:
    here = world(pair_wave())
    here.drive()
    turn(here, "id-b", Power.OFF)
    here.drive(GO)
    here.note("", Event.ROLLBACK)
    here.drive()
    assert here.source.site.vms["id-b"].power is Power.OFF
    assert here.source.site.vms["id-a"].power is Power.ON


@pytest.mark.parametrize(("vm", "power_now"), [("id-c", Power.ON), ("id-a", Power.OFF)])
def test_check_refuses_a_vm_whose_power_is_not_as_planned(vm: str, power_now: Power) -> None:
    here = world(pair_wave())
    turn(here, vm, power_now)
    failure = refused(here, here.drive(), "check")
    assert "the plan knows it as" in str(failure["message"])


def test_a_vm_that_was_off_stays_off_after_rollback() -> None:
    here = world(pair_wave())
    here.drive(GO)
    here.note("", Event.ROLLBACK)
    here.drive()
    assert power(here) == Power.OFF


def test_guests_that_were_frozen_when_the_run_died_are_thawed_on_the_way_back() -> None:
    here = world()
    here.drive()
    thawed: list[tuple[str, ...]] = []
    object.__setattr__(here.source, "thaw", lambda vms, op: thawed.append(vms))

    def die(point: str) -> None:
        if point == "g0/quiesce after act":
            raise Died

    with pytest.raises(Died):
        here.drive(GO, boundary=die)
    here.note("", Event.ROLLBACK)
    here.drive()
    assert thawed == [("id-db", "id-web")]


# start, probe, fence


def test_a_target_is_not_started_while_the_source_may_run() -> None:
    here = world()

    def wake(point: str) -> None:
        if point.endswith("/start before intent"):
            for vm, state in here.source.site.vms.items():
                here.source.site.vms[vm] = replace(state, power=Power.SUSPENDED)

    stopped = here.drive(GO, boundary=wake)
    assert stopped.decide is not None
    assert stopped.decide.kind == "start"
    assert not any("power_on" in call[0] for call in here.target.calls)


def test_a_probe_gives_up_after_its_time() -> None:
    here = world()
    object.__setattr__(here.target, "probe", lambda vm: Health(False, "port 443 is closed"))
    stopped = here.drive(GO)
    assert stopped.decide is not None
    failure = refused(here, stopped, stopped.decide.id)
    assert "port 443 is closed" in str(failure["message"])


def test_a_fence_renames_and_unplugs_within_the_limit_of_names() -> None:
    here = world()
    long = "x" * 80
    state = replace(here.source.site.vms["id-web"], power=Power.OFF)
    here.source.site.vms["id-web"] = state
    fence = next(step for step in here.runbook.steps if step.kind == "fence" and step.subject == "id-web")
    renamed = fence._replace(params={**fence.params, "name": long})
    KINDS["fence"].act(here.context(here.history), renamed, "op")
    after = here.source.site.vms[state.id]
    assert len(after.name) == 80
    assert after.name.endswith("-moved")
    assert not after.connected


# mark


def keeping_world(checkpoints: Checkpoints) -> World:
    """Return a world in which what a target wrote is kept for real."""
    here = world()
    source, target = cast("Disks", here.source), cast("Disks", here.target)
    here.keeper = KeepsHere(source, target, checkpoints, lambda: False)
    return here


class Bytes:
    def __init__(self, content: bytes) -> None:
        self.content, self.size_bytes, self.closed = content, len(content), False

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = self.content[offset : offset + len(buffer)]

    def allocated(self) -> Any:
        return iter(())

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("tracked", [True, False])
def test_rollback_keeps_what_the_target_wrote(tmp_path: Any, tracked: bool) -> None:
    keeper = Checkpoints(tmp_path / "checkpoints")
    here = keeping_world(keeper)
    size = here.wave.disks[0].size_bytes
    written = bytearray(size)
    written[4096:8192] = b"w" * 4096
    opened: list[Bytes] = []

    def reads(content: bytes) -> Any:
        def open_read(volume: str, snapshot: str | None = None) -> Bytes:
            opened.append(Bytes(content))
            return opened[-1]

        return open_read

    object.__setattr__(here.source, "open_read", reads(bytes(size)))
    object.__setattr__(here.target, "open_read", reads(bytes(written)))
    if not tracked:
        object.__setattr__(here.target, "change_id", lambda volume: None)
    here.drive(GO)
    if tracked:
        object.__setattr__(here.target, "changed_areas", lambda volume, since: (Extent(4096, 4096),))
    here.note("", Event.ROLLBACK)
    here.drive()
    (manifest,) = keeper.names()
    for disk in here.wave.disks:
        content = dict(keeper.read(str(manifest["name"]), disk.volume))
        assert b"w" * 4096 in b"".join(content.values())
        if tracked:
            assert content == {4096: b"w" * 4096}
    assert all(disk.closed for disk in opened)


def test_what_a_target_wrote_past_the_end_of_its_source_is_kept_too(tmp_path: Any) -> None:
    keeper = Checkpoints(tmp_path / "checkpoints")
    here = keeping_world(keeper)
    size = here.wave.disks[0].size_bytes
    written = bytes(size) + b"w" * 4096
    object.__setattr__(here.source, "open_read", lambda volume, snapshot=None: Bytes(bytes(size)))
    object.__setattr__(here.target, "open_read", lambda volume, snapshot=None: Bytes(written))
    object.__setattr__(here.target, "change_id", lambda volume: None)
    here.drive(GO)
    here.note("", Event.ROLLBACK)
    here.drive()
    (manifest,) = keeper.names()
    for disk in here.wave.disks:
        assert dict(keeper.read(str(manifest["name"]), disk.volume)) == {size: b"w" * 4096}


def test_what_a_target_writes_is_not_kept_while_it_still_writes() -> None:
    keeper = KeepsNames()
    here = world(keeper=keeper)
    here.drive(GO)
    here.note("", Event.ROLLBACK)

    def wake(point: str) -> None:
        if point == "g0/mark before undo intent":
            state = here.target.site.vms["id-web"]
            here.target.site.vms["id-web"] = replace(state, power=Power.ON)

    stopped = here.drive(boundary=wake)
    assert stopped.decide is not None
    assert stopped.decide.kind == "mark"
    assert keeper.kept == []


def test_keeping_that_was_stopped_in_the_middle_did_not_fail_and_is_asked_for_again() -> None:
    class Stopped(KeepsNames):
        def keep(self, *arguments: Any) -> dict[str, Any]:
            kept = super().keep(*arguments)
            if len(self.kept) == 1:
                raise Paused("it was stopped", "run the verb again")
            return kept

    keeper = Stopped()
    here = world(keeper=keeper)
    here.drive(GO)
    here.note("", Event.ROLLBACK)
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert len(keeper.kept) == 2
    told = [entry.event for entry in here.ledger.entries if entry.step == "g0/mark"]
    assert told == [Event.INTENT, Event.DONE, Event.UNDO_INTENT, Event.UNDO_INTENT, Event.UNDONE]


def test_a_vm_that_somebody_else_made_at_the_target_is_neither_ours_nor_removed() -> None:
    here = world()

    def die(point: str) -> None:
        if point == "g0/v1/build after act":
            state = here.target.site.vms["id-web"]
            here.target.site.vms["id-web"] = replace(state, op="another run/g0/v1/build/do1")
            raise Died

    with pytest.raises(Died):
        here.drive(GO, boundary=die)
    failure = refused(here, here.drive(), "g0/v1/build")
    assert "somebody else made" in str(failure["message"])
    here.note("", Event.ROLLBACK)
    here.drive()
    assert "id-web" in here.target.site.vms
    assert all(state.power is Power.ON for state in here.source.site.vms.values())


def test_nothing_is_kept_when_nothing_was_started() -> None:
    keeper = KeepsNames()
    here = world(keeper=keeper)
    here.drive()
    here.note(GO, Event.APPROVED)
    here.note("", Event.ROLLBACK)
    here.drive()
    assert keeper.kept == []


@pytest.mark.parametrize("state", [Power.ON, Power.SUSPENDED, Power.UNKNOWN])
def test_a_source_is_not_started_again_while_the_target_is_not_certainly_off(state: Power) -> None:
    here = world()
    here.drive(GO)
    stop = next(step for step in here.runbook.steps if step.kind == "stop")
    vm = stop.subject
    here.target.site.vms[vm] = replace(here.target.site.vms[vm], power=state)
    with pytest.raises(StepFailed):
        KINDS["stop"].undo(here.context(here.reload()), stop, "op")
    assert here.source.site.vms[vm].power is Power.OFF
    here.target.site.vms[vm] = replace(here.target.site.vms[vm], power=Power.OFF)
    assert KINDS["stop"].undo(here.context(here.reload()), stop, "op")["started"] is True


# disks that are left out


def test_a_wave_with_disks_left_out_goes_there_and_back_and_notes_what_is_to_be_done() -> None:
    planned = left_out_wave()
    here = world(planned)
    here.drive(GO)
    results = here.history.results
    assert here.history.status[COMMIT] is Status.PENDING
    assert results["g0/d0/create"] == {"created": True}
    assert results["g0/d1/create"] == {"created": True, "left_out": "never"}
    assert evidence("create-disk", results["g0/d1/create"]) == (
        "created, left out by decision: nothing is sent"
    )
    assert evidence("create-disk", results["g0/d2/create"]).endswith("sent once, with the seed")
    assert set(results["g0/checkpoint/0"]["digests"]) == {"id-db/2002"}
    assert evidence("note", results["g0/d1/note"]) == "left out by decision, by ada: swap"
    assert set(here.target.site.volumes) == {item.volume for item in planned.disks}
    assert here.target.site.volumes["id-db/2001"].size_bytes == planned.disks[1].size_bytes
    assert set(results["g0/mark"]["changes"]) == {"id-db/2000", "id-web/2000"}
    here.note("", Event.ROLLBACK)
    assert here.drive().outcome is Outcome.ROLLED_BACK
    assert here.source.site.vms["id-db"].power is Power.ON


class _Unlike(SimulatedSite):
    """A site that builds every VM with one adapter less."""

    __slots__ = ()

    def differences(self, vm: NewVM) -> tuple[Difference, ...]:
        return (Difference("Network adapter 2", "there", "absent", False, f"not built for {vm.name}"),)


@pytest.mark.parametrize("lost", [0, 1])
def test_what_a_built_vm_has_otherwise_is_recorded_also_when_its_answer_was_lost(lost: int) -> None:
    here = world()
    here.target.site.__class__ = _Unlike
    here.target.lose["create_vm"] = lost
    here.drive(GO)
    builds = [step for step in here.runbook.steps if step.kind == "build"]
    found = [here.history.results[step.id] for step in builds]
    assert [one["otherwise"][0]["why"] for one in found] == [
        f"not built for {step.params['name']}" for step in builds
    ]
    assert [one.get("asked", False) for one in found].count(True) == lost
