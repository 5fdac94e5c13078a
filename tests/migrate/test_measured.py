"""Measured rates: what a record of runs says about line, comparison, stop, boot and what is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate.measured import measured
from migrate.run import store as runs
from migrate.run.actions import Undo, next_actions
from migrate.run.compose import compose
from migrate.run.history import Entry, Event
from migrate.run.record import StepRecord
from migrate.run.runbook import Step
from migrate.run.store import Run, RunKind
from planner.estimate import CHURN_PER_DAY, Measured
from planner.model import VM, Disk, Inventory, Power
from planner.notes import measured_notes
from planner.settings import Link, Settings
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.migrate.estate import disk, small_wave, wave
from tests.migrate.stored import store_plan

MIB = 1024**2
SIZE = 64 * MIB
PLAN = "i" * 64  # the fingerprint that stored test plans name
_BEGIN = datetime(2026, 10, 1, 20, tzinfo=UTC)
_MINUTES = {
    "quiesce": 0.5,
    "stop": 1.0,
    "build": 0.25,
    "mark": 0.25,
    "start": 0.5,
    "probe": 1.0,
    "landed": 1.0,
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as project:
        yield project


def vm(name: str, *sizes: int, **more: Any) -> VM:
    disks = tuple(Disk(f"200{at}", f"d{at}", size, path=f"[d] {name}/{at}") for at, size in enumerate(sizes))
    return VM(id=f"id-{name}", name=name, power=Power.ON, disks=disks, **more)


ESTATE = Inventory("test", "2026-10-01T00:00:00Z", (vm("db", SIZE, SIZE), vm("web", SIZE)))


def said(step: Step, rate: float, delta: int) -> dict[str, Any]:
    """Return what a step of that kind leaves in the record."""
    if step.kind != "transfer":
        return {"done": True}
    size = step.params["size_bytes"]
    sent = delta if step.params["mode"] == "delta" else size
    return {"mode": step.params["mode"], "data_bytes": sent, "seconds": sent / rate, "resumed_bytes": 0}


def carried(
    project: Project,
    *,
    rate: float = 4 * MIB,
    delta: int = 0,
    pause_h: float = 0.0,
    until: str = "",
    change: Callable[[Step, dict[str, Any]], dict[str, Any]] = lambda step, result: result,
    **more: Any,
) -> Run:
    """Record a run of a small wave, step by step; ``pause_h`` passes before each delta and at the gates."""
    moved = small_wave(SIZE) if not more else wave(**more)
    run = runs.begin(project, store_plan(project, moved), compose(moved))
    at = _BEGIN
    rows = []

    def note(step: str, kind: str, detail: dict[str, Any]) -> None:
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows.append({"run": run.id, "step": step, "kind": kind, "attempt": 1, "at": stamp,
                     "detail": json.dumps(detail)})  # fmt: skip

    for step in run.runbook.steps:
        if step.is_gate or step.id.endswith("snapshot/1"):
            at += timedelta(hours=pause_h)
        if step.is_gate:
            note(step.id, "approved", {"who": "me"})
            continue
        note(step.id, "intent", {})
        result = change(step, said(step, rate, delta))
        seconds = result.get("seconds", 60 * _MINUTES.get(step.kind, 0.0))
        if step.kind == "verify":
            seconds = step.params["size_bytes"] / (32 * MIB)
        at += timedelta(seconds=seconds)
        note(step.id, "done", result)
        if step.id == until:
            break
    with project.write() as db:
        db.table("step_record").insert_all(rows)
    return run


def read(project: Project, estate: Inventory = ESTATE, link: Link | None = None) -> Measured:
    found = measured(project, estate, PLAN, link or Link())
    assert found is not None
    return found


def test_a_project_without_runs_measured_nothing(project: Project) -> None:
    assert measured(project, ESTATE, PLAN, Link()) is None
    assert measured_notes(None) == ()


def test_a_run_says_what_the_line_the_comparison_the_stop_and_the_boot_took(project: Project) -> None:
    carried(project)
    found = read(project)
    assert found.link_bytes_s == 4 * MIB
    assert found.compare_bytes_s == 32 * MIB
    # one group: quiesce, two stops, two builds, a mark; then two batches of one VM and a look
    assert found.stop_min == 0.5 + 2 * 1.0 + 2 * 0.25 + 0.25
    assert found.boot_batch_min == (2 * 1.5 + 1.0) / 2
    assert (found.runs, found.disks) == ((f"W01 of {read_day(project)}",), 3)


def read_day(project: Project) -> str:
    return runs.every(project, RunKind.WAVE)[-1].at[:10]


def test_medians_of_several_runs_and_waiting_at_gates_is_no_downtime(project: Project) -> None:
    for rate in (2 * MIB, 5 * MIB, 50 * MIB):
        carried(project, rate=rate, pause_h=7.0)
    found = read(project)
    assert found.link_bytes_s == 5 * MIB
    assert found.stop_min == 3.25
    assert (len(found.runs), found.disks) == (3, 9)
    assert read(project) == found, "the same record gives the same figures"


def test_a_run_that_has_not_landed_says_nothing_until_it_is_over(project: Project) -> None:
    run = carried(project, until="g0/d2/seed")
    assert measured(project, ESTATE, PLAN, Link()) is None
    record = StepRecord(project, run.id, history := runs.history(project, run), "me")
    record.append(Entry("", Event.ABORT))
    while True:
        match next_actions(history.runbook, history):
            case [Undo(step, attempt), *_]:
                record.append(Entry(step.id, Event.UNDO_INTENT, attempt))
                record.append(Entry(step.id, Event.UNDONE, attempt))
            case _:
                break
    found = read(project)
    assert found.link_bytes_s == 4 * MIB, "an aborted run has used the line all the same"
    assert (found.stop_min, found.boot_batch_min) == (None, None)


def test_seeds_that_moved_next_to_nothing_or_were_resumed_say_nothing_about_the_line(
    project: Project,
) -> None:
    small: dict[str, Any] = {"groups": {"g": ["a"]}, "disks": [disk("a", size_bytes=MIB)], "boot": [["a"]]}
    carried(project, **small)
    found = read(project)
    assert (found.link_bytes_s, found.compare_bytes_s) == (None, None)
    assert found.stop_min is not None

    def resumed(step: Step, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "resumed_bytes": MIB} if "seconds" in result else result

    carried(project, change=resumed)
    assert read(project).link_bytes_s is None
    carried(project)
    assert read(project).link_bytes_s == 4 * MIB


def test_a_step_whose_outcome_was_asked_for_has_no_time(project: Project) -> None:
    def asked(step: Step, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "asked": True} if step.kind == "stop" else result

    carried(project, change=asked)
    found = read(project)
    assert found.stop_min is None
    assert found.boot_batch_min == 2.0


def test_what_was_written_between_passes_makes_a_day_and_a_factor(project: Project) -> None:
    carried(project, delta=MIB, pause_h=12.0)
    found = read(project)
    # db: its tracked disk wrote 1 MiB in 12 h, twice; web too. The physical RDM has no deltas.
    assert set(found.churn_bytes_day) == {"id-db", "id-web"}
    for written in found.churn_bytes_day.values():
        assert written == pytest.approx(2 * MIB, rel=0.01)
    expected = CHURN_PER_DAY * 3 * SIZE
    assert found.churn == pytest.approx(sum(found.churn_bytes_day.values()) / expected, rel=1e-4)


def test_minutes_between_passes_say_nothing_about_a_day(project: Project) -> None:
    carried(project, delta=MIB, pause_h=0.2)
    found = read(project)
    assert found.churn is None
    assert found.churn_bytes_day == {}


def test_a_delta_that_became_a_comparison_and_a_vm_that_was_off_are_left_out(project: Project) -> None:
    def compared(step: Step, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "mode": "compare"} if step.id == "g0/d0/delta/1" else result

    carried(project, delta=MIB, pause_h=12.0, change=compared)
    assert set(read(project).churn_bytes_day) == {"id-web"}
    off: dict[str, Any] = {"groups": {"g": ["web"]}, "disks": [disk("web", size_bytes=SIZE)], "boot": [],
           "off": frozenset({"web"}), "name": "W02"}  # fmt: skip
    with project.write() as db:
        db.execute("DELETE FROM step_record")
    carried(project, delta=0, pause_h=12.0, **off)
    assert read(project).churn_bytes_day == {}


def test_a_plan_made_on_an_inventory_that_is_gone_gives_no_factor(project: Project) -> None:
    carried(project, delta=MIB, pause_h=12.0)
    found = measured(project, ESTATE, "another", Link())
    assert found is not None
    assert found.churn is None
    assert found.churn_bytes_day


def test_a_last_pass_costs_time_beyond_its_bytes(project: Project) -> None:
    def slow(step: Step, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "seconds": result["seconds"] + 6.0} if step.id.endswith("final") else result

    carried(project, delta=0, change=slow)
    assert read(project).pass_s == pytest.approx(6.0)


def test_of_a_line_that_is_set_otherwise_since_the_same_part_is_taken(project: Project) -> None:
    settings_store.save(project, Settings(link=Link(rate_mbit=100, share=0.5)), "me")
    carried(project)
    assert read(project, link=Link(rate_mbit=100, share=0.5)).link_bytes_s == 4 * MIB
    settings_store.save(project, Settings(link=Link(rate_mbit=400, share=0.25)), "me")
    assert read(project, link=Link(rate_mbit=400, share=0.25)).link_bytes_s == pytest.approx(8 * MIB)
    assert read(project, link=Link(rate_mbit=50, share=0.5)).link_bytes_s == pytest.approx(2 * MIB)


def test_the_note_names_runs_disks_and_figures_with_hostile_names_made_visible(project: Project) -> None:
    carried(project, delta=MIB, pause_h=12.0)
    with project.write() as db:
        db.execute("UPDATE run SET wave = ?", ("W\x1b[2J[red]",))
    (note,) = measured_notes(read(project))
    assert "medians of 1 run (" in note
    assert "seeded 3 disks" in note
    for part in ("seeds at 4.0 MiB/s", "comparison at 32.0 MiB/s", "3 m 15 s around a stop",
                 "2 m a boot batch", "times what was expected"):  # fmt: skip
        assert part in note, note
    assert "\x1b" not in note
    assert measured_notes(Measured()) == ()
