"""Every kind of deviation is found where it is, and in a calm run there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate import audit
from migrate.gates import words
from migrate.gates.words import Verdict
from migrate.papers.deviations.register import KINDS, deviations, not_looked_for
from migrate.papers.moments import Moments
from migrate.run import controls
from migrate.run.compose import compose
from migrate.run.history import Entry, Event
from migrate.run.runbook import COMMIT, GO, HUMAN, Runbook
from planner.checks.waivers import Subject
from planner.effects import Effect
from planner.model import Sending
from planner.plan import Wave
from planner.settings import Settings, Window
from planner.store import settings as settings_store
from planner.store import waivers
from planner.units import MIB
from tests.migrate.estate import disk, wave
from tests.migrate.gates.standing import Standing, planned, with_step
from tests.migrate.papers.record import at, calm, patch, rehearsed, say_go, text, to_commit

SEED, STOP, PROBE, VERIFY = "g0/d0/seed", "g0/v0/stop", "g0/v0/probe", "g0/d0/verify"
SNAPSHOT = "g0/snapshot/1"
DISK = "id-db/2000"


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def before(run: Standing, step: str) -> None:
    """Do everything that stands before a step, gates too."""
    run.do(*(one.id for one in run.history.runbook.steps[: run.history.runbook.index[step]]))


def fails(run: Standing, step: str, attempt: int = 1, message: str = "the line is down") -> None:
    run.write([Entry(step, Event.INTENT, attempt), Entry(step, Event.FAILED, attempt, {"message": message})])


def failed(run: Standing) -> None:
    before(run, SEED)
    fails(run, SEED)


def tried_again(run: Standing) -> None:
    failed(run)
    run.write([Entry(SEED, Event.INTENT, 2), Entry(SEED, Event.DONE, 2, run.results[SEED])])


def asked_for(run: Standing) -> None:
    failed(run)
    run.append(SEED, Event.RETRY, who="bob")


def interrupted(run: Standing) -> None:
    before(run, SEED)
    run.append(SEED, Event.INTENT, Event.NOT_DONE)


def not_to_be_asked(run: Standing) -> None:
    before(run, VERIFY)
    run.append(VERIFY, Event.INTENT)
    run.append(VERIFY, Event.UNKNOWN, message="dc2 does not answer")


def held_up(run: Standing) -> None:
    before(run, SNAPSHOT)
    run.append(SNAPSHOT, Event.HELD, why="a foreign snapshot of db", since="2026-12-05T21:05:00.000Z")


def given_up(run: Standing) -> None:
    before(run, SNAPSHOT)
    run.append(SNAPSHOT, Event.INTENT, Event.DONE)
    run.append(SNAPSHOT, Event.GIVEN_UP, why="datastore gold had 1.0 GiB left of 1.0 TiB")


def overlooked(run: Standing) -> None:
    before(run, SNAPSHOT)
    detail = {"request": 1, "who": "bob", "reason": "it stays", "snapshots": {run.wave.vms[0].id: ["snap-7"]}}
    run.append("", Event.OVERLOOKED, **detail)


def passed_over(run: Standing) -> None:
    before(run, PROBE)
    run.append(PROBE, Event.SKIPPED, who="bob", reason="it has no tools", message="")


def optional_failed(run: Standing) -> None:
    before(run, PROBE)
    run.append(PROBE, Event.SKIPPED, message="no answer")


def human(run: Standing) -> None:
    to_extra(run)
    run.append("extra", Event.APPROVED, who="bob")


def to_extra(run: Standing) -> None:
    before(run, "extra")


def not_brought_in(run: Standing) -> None:
    before(run, "g0/d0/place")
    run.append("g0/d0/place", Event.INTENT)
    run.append("g0/d0/place", Event.DONE, kept="the disk was written already")


def differed(run: Standing) -> None:
    before(run, VERIFY)
    fails(run, VERIFY, message="source and target differ")
    run.append(VERIFY, Event.RETRY, who="bob")
    run.write([Entry(VERIFY, Event.INTENT, 2), Entry(VERIFY, Event.DONE, 2, run.results[VERIFY])])


def repaired(run: Standing) -> None:
    audit.note(run.project, Effect.LIVE, "verified", DISK, {"repaired_bytes": 64 * 1024})
    audit.note(run.project, Effect.LIVE, "verified", "somebody else's", {"repaired_bytes": 64 * 1024})
    audit.note(run.project, Effect.LIVE, "verified", "id-web/2000", {"repaired_bytes": 0})


def written_late(run: Standing) -> None:
    before(run, "g0/v0/fence")
    run.append("g0/v0/fence", Event.INTENT)
    run.append("g0/v0/fence", Event.DONE, name="db-moved", written_late=True)


def with_done(step: str, **detail: Any) -> Callable[[Standing], None]:
    def do(run: Standing) -> None:
        to_commit(run)
        patch(run, step, **detail)

    return do


def recovered(run: Standing) -> None:
    run.go_to(GO)
    patch(run, "check", recovered=True)


def long_seed(run: Standing) -> None:
    run.go_to(GO)
    at(run, ago(hours=3), "%/seed", "intent")


def long_outage(run: Standing) -> None:
    to_commit(run)
    at(run, ago(minutes=20), "%/stop", "intent")


def long_window(run: Standing) -> None:
    to_commit(run)
    at(run, ago(hours=5), "landed", "done")


def old_copy(run: Standing) -> None:
    to_commit(run)
    stopped = ago()
    at(run, stopped - timedelta(hours=2), "%/snapshot/%", "intent")
    at(run, stopped - timedelta(hours=1.9), "%/drop/%", "done")
    at(run, stopped - timedelta(hours=1.5), GO, "approved")
    at(run, stopped, "%/stop", "intent")


def late_cycle(run: Standing) -> None:
    run.go_to(GO)
    at(run, ago(hours=2), "%/snapshot/1", "intent")
    at(run, ago(hours=1.9), "%/drop/1", "done")


def held(run: Standing) -> None:
    words.say(run.project, run.run, GO, Verdict.HOLD, reason="wait for the backup")


def by_policy(run: Standing) -> None:
    to_commit(run)
    run.append(COMMIT, Event.APPROVED, who="the approved plan", policy="commit")


def on_another_plan(run: Standing) -> None:
    words.say(run.project, replace(run.run, fingerprint="f" * 64), GO, Verdict.APPROVE)


def unwitnessed(run: Standing) -> None:
    with run.project.write() as db:
        db.table("gate_word").insert(
            {"run": run.run.id, "gate": GO, "verdict": "approve", "who": "eve", "uid": 5, "at": text(ago()),
             "fingerprint": run.run.fingerprint, "ticket": "", "reason": ""}
        )  # fmt: skip


def changed_settings(run: Standing) -> None:
    more = Settings.model_validate({"policies": {"cycle_min": 30}})
    settings_store.save(run.project, more, "bob")


def waived(run: Standing) -> None:
    subjects = (Subject("vm", "id-db", "db"), Subject("vm", "id-elsewhere", "elsewhere"))
    day = ago(days=-9).date()
    waivers.give(run.project, check="guest.tools", subjects=subjects, reason="agreed", owner="ada",
                 until=day, who="bob")  # fmt: skip
    waivers.give(run.project, check="guest.tools", subjects=subjects, reason="old", owner="ada",
                 until=date(2020, 1, 1), who="bob")  # fmt: skip


def changed_plan(run: Standing) -> None:
    rehearsed(run, fingerprint="e" * 64)
    to_commit(run)


def left_out() -> Wave:
    made = wave({"solo": ["a"]}, [disk("a"), disk("a", number=1, send=Sending.NEVER)], [["a"]])
    return made.model_copy(update={"conduct": planned().conduct})


def seeded(_: Runbook) -> Runbook:
    return compose(planned(), {DISK: "/media/seed.raw"})


@dataclass(frozen=True)
class Case:
    """What makes a deviation, at which step it is found, and words of its sentence.

    ``also`` are other kinds that come with it.
    """

    do: Callable[[Standing], None]
    step: str
    said: str
    also: frozenset[str] = frozenset()
    wave: Wave = field(default_factory=planned)
    change: Callable[[Runbook], Runbook] = lambda runbook: runbook


_FAILED = frozenset({"step failed"})
CASES: dict[str, Case] = {
    "stop forced": Case(with_done(STOP, graceful=False), STOP, "forced off"),
    "step failed": Case(failed, SEED, "db Hard disk 1: seed failed, attempt 1: the line is down"),
    "step tried again": Case(tried_again, SEED, "was tried again, attempt 2", _FAILED),
    "another try asked for": Case(asked_for, SEED, "bob asked for another try at db Hard disk 1", _FAILED),
    "step interrupted": Case(interrupted, SEED, "seed was interrupted; it had not been done"),
    "outcome asked of the site": Case(with_done("g0/v0/start", asked=True), "g0/v0/start", "not seen"),
    "site could not be asked": Case(not_to_be_asked, VERIFY, "could not be asked: dc2 does not answer"),
    "snapshot given up": Case(given_up, SNAPSHOT, "began anew: datastore gold had 1.0 GiB left"),
    "step held up by somebody else": Case(held_up, SNAPSHOT, "had to wait for a foreign snapshot of db"),
    "foreign snapshot overlooked": Case(overlooked, "", "bob had foreign snapshots of db (snap-7) over"),
    "step passed over by a person": Case(passed_over, PROBE, "passed over by bob: it has no tools"),
    "optional probe or hook failed": Case(optional_failed, PROBE, "is optional and failed: no answer"),
    "power changed by hand": Case(with_done(STOP, ran=False), STOP, "somebody had stopped it"),
    "human step": Case(human, "extra", "tell users was done by bob, by hand",
                       change=lambda runbook: with_step(runbook, HUMAN, "tell users")),
    "comparison instead of a delta": Case(with_done("g0/d0/delta/1", mode="compare"), "g0/d0/delta/1",
                                          "became a comparison of all of it: what had changed"),
    "transfer resumed": Case(with_done(SEED, resumed_bytes=MIB), SEED, "1.0 MiB were there already"),
    "seed not brought in": Case(not_brought_in, "g0/d0/place", "it was not brought in, the disk was written",
                                change=seeded),
    "comparison failed at first": Case(differed, VERIFY, "attempt 1 failed, and a later one found both sides",
                                       _FAILED | {"step tried again", "another try asked for"}),
    "disk repaired": Case(repaired, "", "had 64.0 KiB of db Hard disk 1 repaired"),
    "disk left out by decision": Case(to_commit, "", "a Hard disk 2: left out by decision", wave=left_out()),
    "written after the last copy": Case(written_late, "g0/v0/fence", "written after its last copy"),
    "evidence recovered": Case(recovered, "check", "its evidence is lost"),
    "outside the window": Case(to_commit, GO, "began outside its planned window", wave=planned(
        window=Window(start=datetime(2020, 1, 1, 22, tzinfo=UTC), hours=6))),
    "phase longer than planned": Case(long_seed, "", "phase seed took 3 h"),
    "outage longer than planned": Case(long_outage, PROBE, "db was down for 20 m"),
    "commit window overrun": Case(long_window, COMMIT, "the commit window is open still, 1 h"),
    "copy older than approved": Case(old_copy, STOP, "was 2 h old at its stop, more than the 1 h"),
    "cycle late": Case(late_cycle, "g0/snapshot/1", "cycle 1 of shop was 2 h"),
    "gate held or refused": Case(held, GO, "held the gate go: wait for the backup"),
    "gate passed by policy": Case(by_policy, COMMIT, "by the policy commit of the approved plan"),
    "word or approval on another plan": Case(on_another_plan, GO, "said approve at the gate go on another"),
    "word without an audit line": Case(unwitnessed, GO, "the word of eve at the gate go has no line"),
    "rolled back or aborted": Case(lambda run: run.append("", Event.ABORT, who="bob"), "",
                                   "bob had the run aborted"),
    "run paused": Case(lambda run: controls.ask_to_pause(run.project, "W01"), "", "paused the run"),
    "settings changed": Case(changed_settings, "", "bob changed the settings (version 1): policies.cycle_min "
                             "from 15.0 to 30.0"),
    "finding waived": Case(waived, "", "guest.tools was waived for db by bob: ada accepts it until"),
    "not rehearsed as it is": Case(changed_plan, GO, "W01 changed in the plan since it was rehearsed"),
}  # fmt: skip


def test_there_is_a_case_of_every_kind() -> None:
    assert set(CASES) == set(KINDS)


def test_the_guide_names_every_kind() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")
    table = guide.partition("## Deviations")[2].partition("## The timeline")[0]
    named = {kind for line in table.splitlines() for kind in line.split("|")[1:2]}
    assert {kind.strip() for cell in named for kind in cell.split(",")} >= set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_a_deviation_is_found_and_nothing_else(kind: str, tmp_path: Path) -> None:
    case = CASES[kind]
    with calm(tmp_path / "move", case.wave, case.change) as run:
        case.do(run)
        found = deviations(Moments(run.project, run.run))
    assert {one.kind for one in found} == {kind, *case.also}, found
    mine = [one for one in found if one.kind == kind]
    assert case.step in {one.step for one in mine}, mine
    assert any(case.said in one.said for one in mine), mine
    dated = [one for one in mine if one.at]
    assert dated or kind == "disk left out by decision", "each has its time"
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_a_calm_run_has_none(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        to_commit(run)
        assert deviations(Moments(run.project, run.run)) == ()
        words.say(run.project, run.run, COMMIT, Verdict.APPROVE)
        run.do(*(step.id for step in run.history.runbook.steps if run.history.status[step.id] == "pending"))
        assert deviations(Moments(run.project, run.run)) == ()


def test_the_way_back_tells_what_went_otherwise_there(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        to_commit(run)
        run.append("", Event.ROLLBACK, who="bob")
        run.write([Entry("g0/v1/start", Event.UNDO_INTENT, 2), Entry("g0/v1/start", Event.UNDONE, 2)])
        run.write(
            [Entry(STOP, Event.UNDO_INTENT, 2), Entry(STOP, Event.UNDO_FAILED, 2, {"message": "no host"})]
        )
        run.append(STOP, Event.RETRY, who="bob")
        run.write([Entry(STOP, Event.UNDO_INTENT, 3)])
        run.append(STOP, Event.UNDONE, started=False, by_hand=True)
        run.append("g0/v1/stop", Event.UNDO_INTENT)
        run.append("g0/v1/stop", Event.UNDONE, started=False, elsewhere="dc9")
        found = {one.kind: one.said for one in deviations(Moments(run.project, run.run))}
    assert found["step failed"] == "db: stop at the source failed on the way back, attempt 1: no host"
    assert found["step tried again"] == "db: stop at the source was undone again, attempt 2"
    assert found["power changed by hand"].endswith("it runs at site dc9")
    assert found["rolled back or aborted"] == "bob had the run rolled back"


def test_a_program_that_a_person_stood_in_for_is_a_human_step(tmp_path: Path) -> None:
    def with_hook(runbook: Runbook) -> Runbook:
        return with_step(runbook, "hook", "switch the balancer")

    with calm(tmp_path / "move", change=with_hook) as run:
        to_extra(run)
        run.append("extra", Event.INTENT)
        run.append("extra", Event.DONE, said=True)
        (found,) = deviations(Moments(run.project, run.run))
    assert (found.kind, found.step) == ("human step", "extra")


def test_times_that_are_those_of_a_recovery_are_held_against_nothing(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        old_copy(run)
        at(run, ago(hours=9), "%/seed", "intent")
        patch(run, "check", recovered=True)
        told = Moments(run.project, run.run)
        assert {one.kind for one in deviations(told)} == {"evidence recovered"}
        assert "what went wrong before the record was lost: its evidence is lost" in not_looked_for(told)


def test_settings_that_are_saved_as_they_were_are_no_lever(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        settings_store.save(run.project, Settings(), "bob")
        say_go(run)
        assert deviations(Moments(run.project, run.run)) == ()
        listed = Settings.model_validate({"windows": [{"start": "2030-01-01T00:00:00"}]})
        settings_store.save(run.project, listed, "bob")
        (found,) = deviations(Moments(run.project, run.run))
    assert found.said == "bob changed the settings (version 2): windows"
