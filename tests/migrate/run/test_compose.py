"""From a wave to its runbook: every VM and disk is in it, in an order that loses nothing."""

from __future__ import annotations

import pytest

from migrate.run.compose import another_cycle, another_round, compose
from migrate.run.compose_failback import another_reverse_round, compose_failback
from migrate.run.runbook import COMMIT, GO, Phase, Runbook, Step
from migrate.steps.kinds import KINDS
from planner.effects import Effect
from planner.plan import Wave
from tests.migrate.estate import disk, left_out_wave, many_wave, pair_wave, small_wave, wave

WAVES = [small_wave(), pair_wave(), many_wave(10), small_wave(cycles=4)]


def before(runbook: Runbook, step: str) -> set[str]:
    """Return everything that must be settled before a step."""
    found: set[str] = set()
    todo = list(runbook.step(step).needs)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += runbook.step(name).needs
    return found


def of(runbook: Runbook, kind: str) -> list[Step]:
    return [step for step in runbook.steps if step.kind == kind]


@pytest.mark.parametrize("planned", WAVES)
def test_every_vm_is_stopped_built_and_fenced_and_every_disk_created_and_proven(planned: Wave) -> None:
    runbook = compose(planned)
    vms = sorted(vm.id for vm in planned.vms)
    volumes = sorted(item.volume for item in planned.disks)
    for kind in ("stop", "build", "fence"):
        assert sorted(step.subject for step in of(runbook, kind)) == vms
    for kind in ("create-disk", "verify"):
        assert sorted(step.subject for step in of(runbook, kind)) == volumes
    finals = [step.subject for step in of(runbook, "transfer") if step.id.endswith("/final")]
    assert sorted(finals) == volumes
    running = sorted(vm.id for vm in planned.vms if vm.powered_on)
    for kind in ("start", "probe"):
        assert sorted(step.subject for step in of(runbook, kind)) == running
    assert {step.kind for step in runbook.steps} <= {*KINDS, "gate"}
    assert runbook.fingerprint == planned.fingerprint


@pytest.mark.parametrize("planned", WAVES)
def test_the_order_loses_nothing(planned: Wave) -> None:
    runbook = compose(planned)
    stops = {step.id for step in of(runbook, "stop")}
    for step in runbook.steps:
        earlier = before(runbook, step.id)
        if step.phase is Phase.CUTOVER and step.id != GO:
            assert GO in earlier
        if step.phase is Phase.COMMIT and step.id != COMMIT:
            assert COMMIT in earlier
        if step.id.endswith("/final"):
            assert stops <= earlier
        if step.kind == "start":
            group = step.id.split("/")[0]
            marks = {item for item in earlier if item == f"{group}/mark"}
            proofs = {item.id for item in of(runbook, "verify") if item.id.startswith(f"{group}/")}
            assert marks
            assert proofs <= earlier
    landed = before(runbook, COMMIT)
    assert {step.id for step in runbook.steps if step.phase is not Phase.COMMIT} == landed


def test_stops_go_against_the_boot_order_and_starts_wait_for_the_probes_before_them() -> None:
    runbook = compose(small_wave())
    by = {(step.kind, step.subject): step.id for step in runbook.steps}
    assert by["stop", "id-web"] in before(runbook, by["stop", "id-db"])
    assert by["probe", "id-db"] in before(runbook, by["start", "id-web"])


def passes(runbook: Runbook) -> list[str]:
    """Return the passes over the physical RDM of the small wave."""
    return [step.id for step in runbook.steps if step.subject == "id-db/2001" and step.kind == "transfer"]


def test_a_physical_rdm_is_copied_ahead_and_no_go_waits_for_one_that_fails() -> None:
    runbook = compose(small_wave())
    assert passes(runbook) == ["g0/d1/ahead", "g0/d1/final"]
    assert runbook.step("g0/d1/final").params["mode"] == "seed"
    assert "g0/d1/ahead" in before(runbook, GO)
    assert "g0/drop/0" in before(runbook, "g0/d1/ahead"), "no snapshot stands while it is copied"
    assert "g0/d1/ahead" in before(runbook, "g0/snapshot/1")
    assert [step.id for step in runbook.steps if step.optional and step.kind == "transfer"] == ["g0/d1/ahead"]


def test_a_round_that_somebody_asks_for_brings_it_too_and_a_cycle_does_not() -> None:
    wave = small_wave()
    asked = [step.id for step in another_round(wave, 2) if step.kind == "transfer"]
    assert asked == ["g0/d0/delta/2", "g0/d2/delta/2", "g0/d1/ahead/2"]
    assert "g0/d1" not in {step.id[:5] for step in another_cycle(wave, 2)}


def test_on_the_way_home_nothing_of_it_comes_before_the_go() -> None:
    wave = small_wave()
    physical = [
        disk.model_copy(update={"target": disk.source, "target_lun": disk.source_lun}) for disk in wave.disks
    ]
    wave = wave.model_copy(update={"disks": tuple(physical)})
    home = compose_failback(wave, {})
    assert passes(home) == ["g0/d1/ahead", "g0/d1/final"]
    assert GO in before(home, "g0/d1/ahead")
    assert all("g0/d1/ahead" in before(home, step.id) for step in of(home, "quiesce"))
    assert not [step for step in another_reverse_round(wave, 2) if step.subject == "id-db/2001"]


def test_a_shared_disk_is_copied_once_and_attached_to_both() -> None:
    runbook = compose(pair_wave())
    assert [step.id for step in runbook.steps if step.subject == "id-a/2001" and step.kind == "create-disk"]
    holders = [
        step.subject
        for step in of(runbook, "build")
        if any(item["volume"] == "id-a/2001" for item in step.params["disks"])
    ]
    assert holders == ["id-a", "id-b"]


def test_acts_that_start_stop_build_or_fence_are_labelled_destructive() -> None:
    runbook = compose(pair_wave())
    for step in runbook.steps:
        strong = step.kind in ("stop", "start", "build", "fence")
        assert (step.effect is Effect.DESTRUCTIVE) == strong


HOSTILE = "../../[red]=cmd|'\x1b[2J\u202e" + "x" * 80


def test_names_never_reach_the_ids_and_titles_are_safe_to_print() -> None:
    runbook = compose(wave({HOSTILE: [HOSTILE]}, [disk(HOSTILE)], [[HOSTILE]]))
    for step in runbook.steps:
        assert set(step.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789/-")
        assert "\x1b" not in step.title
        assert "\u202e" not in step.title


def test_a_vm_without_disks_still_moves() -> None:
    runbook = compose(wave({"g": ["bare"]}, [], [["bare"]]))
    assert before(runbook, COMMIT) >= {"g0/v0/stop", "g0/v0/build", "g0/v0/start"}
    assert another_round(wave({"g": ["bare"]}, [], [["bare"]]), 2) == ()


def test_each_round_is_numbered_and_the_last_is_a_checkpoint() -> None:
    runbook = compose(small_wave(cycles=3))
    assert [step.id for step in of(runbook, "snapshot")] == [f"g0/snapshot/{number}" for number in range(4)]
    assert [step.id for step in of(runbook, "checkpoint")] == ["g0/checkpoint/3"]
    for number in range(1, 4):
        assert f"g0/drop/{number - 1}" in before(runbook, f"g0/snapshot/{number}")


def test_the_same_wave_gives_the_same_runbook() -> None:
    assert compose(pair_wave()) == compose(pair_wave())


def test_a_disk_that_is_left_out_is_made_and_attached_but_travels_once_or_never() -> None:
    planned = left_out_wave()
    runbook = compose(planned)
    never, once = "id-db/2001", "id-db/2002"
    sent = [(step.subject, step.id) for step in of(runbook, "transfer")]
    assert [step for subject, step in sent if subject == never] == []
    assert [step for subject, step in sent if subject == once] == ["g0/d2/seed"]
    assert sorted(step.subject for step in of(runbook, "create-disk")) == [
        item.volume for item in planned.disks
    ]
    built = next(step for step in of(runbook, "build") if step.subject == "id-db")
    assert [item["volume"] for item in built.params["disks"]] == ["id-db/2000", never, once]
    compared = [[volume for volume, _ in step.params["volumes"]] for step in of(runbook, "checkpoint")]
    assert compared == [[once], ["id-db/2000", "id-web/2000"]]
    assert sorted(step.subject for step in of(runbook, "verify")) == ["id-db/2000", "id-web/2000"]
    (mark,) = of(runbook, "mark")
    assert [volume for volume, _ in mark.params["volumes"]] == ["id-db/2000", "id-web/2000"]
    for kind in ("start", "fence"):
        step = next(step for step in of(runbook, kind) if step.subject == "id-db")
        assert step.params["finals"] == ["g0/d0/final"]


def test_what_is_sent_once_is_compared_before_its_snapshot_goes_and_no_later_round_looks_at_it() -> None:
    runbook = compose(left_out_wave())
    assert "g0/checkpoint/0" in before(runbook, "g0/drop/0")
    assert "g0/d2/seed" in before(runbook, "g0/checkpoint/0")
    more = another_round(left_out_wave(), 3)
    assert [step.subject for step in more if step.kind == "transfer"] == ["id-db/2000", "id-web/2000"]


def test_what_is_to_be_done_in_the_guest_stands_in_the_runbook_once_its_vm_runs() -> None:
    runbook = compose(left_out_wave())
    notes = of(runbook, "note")
    assert [step.subject for step in notes] == ["id-db/2001", "id-db/2002"]
    for step in notes:
        assert "g0/v0/probe" in before(runbook, step.id)
        assert step.effect is Effect.VIEW
        assert KINDS["note"].plan(step) == "left out by decision, by ada: swap"
        assert step.id in before(runbook, COMMIT)


def test_a_wave_that_leaves_nothing_out_has_the_steps_it_always_had() -> None:
    for planned in WAVES:
        runbook = compose(planned)
        assert not of(runbook, "note")
        assert all("send" not in step.params for step in of(runbook, "create-disk"))
        assert not any(step.id.endswith("checkpoint/0") for step in runbook.steps)
