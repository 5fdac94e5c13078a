"""Runs of VMs that share disks, from a site that freezes single VMs: copies before the stop prove nothing."""

from __future__ import annotations

import pytest

from migrate.replication.passes import Mode
from migrate.run.actions import Outcome
from migrate.run.ahead_steps import is_ahead, unfrozen_in
from migrate.run.compose import another_cycle, another_round, compose
from migrate.run.compose_failback import another_reverse_round, compose_failback
from migrate.run.history import History
from migrate.run.rounds import next_round, round_of
from migrate.run.runbook import COMMIT, GO, Phase, Runbook
from migrate.run.store import RunKind
from planner.freezing import unfrozen
from planner.model import BusSharing, Sending
from planner.plan import Wave
from tests.migrate.estate import disk, pair_wave, wave
from tests.migrate.simulated_run import World

PAIR = ("g0/d0", "g0/d1", "g0/d2")


def mixed() -> Wave:
    """A cluster and a VM of its application that shares nothing."""
    disks = [disk("a"), disk("b"), disk("a", "b", number=1), disk("web")]
    return wave({"shop": ["a", "b", "web"]}, disks, [["a"], ["b"], ["web"]])


def book(planned: Wave) -> Runbook:
    return compose(planned, unfrozen=unfrozen(planned))


def aheads(found: Runbook) -> list[str]:
    return [step.id for step in found.steps if is_ahead(step)]


def test_the_disks_of_a_cluster_come_ahead_and_are_compared_as_a_whole() -> None:
    found = book(pair_wave())
    assert aheads(found) == [f"{one}/ahead" for one in PAIR]
    assert {found.step(f"{one}/final").params["mode"] for one in PAIR} == {"seed"}
    assert not [step for step in found.steps if step.id.startswith("g0/snapshot")]
    assert found.step("g1/snapshot/0").params == {"vms": ["id-c"]}
    assert not [step for step in found.steps if step.id == "g0/journal"]
    assert aheads(compose(pair_wave())) == [], "a lab freezes them"


def test_a_snapshot_says_whom_it_is_not_of_and_is_worth_no_more_than_a_crash() -> None:
    planned = mixed()
    found = book(planned)
    assert found.step("g0/snapshot/0").params == {"vms": ["id-web"], "without": ["id-a", "id-b"]}
    world = World(planned, found)
    assert world.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert world.broken() == []
    result = world.reload().results["g0/snapshot/0"]
    assert (result["label"], result["without"], list(result["changes"])) == ("crash", 2, ["id-web/2000"])


def test_an_independent_disk_leaves_snapshots_of_the_rest() -> None:
    planned = mixed()
    both = planned.disks[2]
    held = {"independent": True, "bus_sharing": BusSharing.NONE}
    loose = both.model_copy(
        update={"attachments": tuple(item.model_copy(update=held) for item in both.attachments)}
    )
    found = book(planned.model_copy(update={"disks": (*planned.disks[:2], loose, planned.disks[3])}))
    assert aheads(found) == ["g0/d2/ahead"]
    assert found.step("g0/snapshot/0").params == {"vms": ["id-a", "id-b", "id-web"]}


def test_rounds_freeze_what_the_run_began_with() -> None:
    planned = pair_wave()
    world = World(planned, book(planned))
    world.drive()
    run = world.reload()
    assert unfrozen_in(run.runbook) == unfrozen(planned)
    number = next_round(run)
    assert number is not None
    steps = round_of(RunKind.WAVE, planned, number, run)
    assert [step.id for step in steps if is_ahead(step)] == [f"{one}/ahead/{number}" for one in PAIR]
    assert another_cycle(planned, number, unfrozen(planned))[0].id == f"g1/snapshot/{number}"


def test_a_cluster_alone_has_rounds_of_its_own() -> None:
    planned = wave({"cluster": ["a", "b"]}, [disk("a"), disk("a", "b", number=1)], [["a"], ["b"]])
    world = World(planned, book(planned))
    world.drive()
    number = next_round(world.reload())
    assert number == 1
    steps = another_round(planned, number, unfrozen(planned))
    assert [step.id for step in steps] == ["g0/d0/ahead/1", "g0/d1/ahead/1"]


def test_on_the_way_home_they_come_after_the_go() -> None:
    planned = pair_wave()
    home = compose_failback(planned, {}, unfrozen=unfrozen(planned))
    assert {home.step(one).phase for one in aheads(home)} == {Phase.CUTOVER}
    assert len(aheads(home)) == 3
    assert not [step for step in another_reverse_round(planned, 2, unfrozen(planned)) if is_ahead(step)]


def test_what_is_sent_once_comes_with_the_first_copy() -> None:
    planned = wave(
        {"cluster": ["a", "b"]},
        [disk("a"), disk("a", number=1, send=Sending.ONCE), disk("a", number=2, send=Sending.NEVER),
         disk("a", "b", number=3)],
        [["a"], ["b"]],
    )  # fmt: skip
    assert aheads(book(planned)) == ["g0/d0/ahead", "g0/d1/ahead", "g0/d3/ahead"]
    later = another_round(planned, 1, unfrozen(planned))
    assert [step.id for step in later] == ["g0/d0/ahead/1", "g0/d3/ahead/1"]


@pytest.mark.parametrize("planned", [pair_wave(), mixed()], ids=["pair", "mixed"])
def test_a_run_goes_through_and_the_last_pass_is_a_comparison(planned: Wave) -> None:
    world = World(planned, book(planned))
    assert world.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    history = world.reload()
    assert {history.results[f"{one}/final"]["mode"] for one in PAIR} == {Mode.COMPARE.value}
    assert {history.results[f"{one}/verify"]["equal"] for one in PAIR} == {True}


def test_a_record_without_rounds_has_a_number_for_the_next() -> None:
    """Control: a run that does not wait for its go has none."""
    assert next_round(History(book(pair_wave()))) is None
