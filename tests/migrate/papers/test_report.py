"""The run report: what is in it, that it says when it is not finished, and that no name acts in any form."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from migrate.gates import words
from migrate.gates.words import Verdict
from migrate.papers.formats import WRITERS, as_html, as_json, as_markdown, as_xlsx
from migrate.papers.letters import charts
from migrate.papers.picture import pictures
from migrate.papers.report import run_report
from migrate.papers.span import spans
from migrate.run import store as runs
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Entry, Event
from migrate.run.runbook import COMMIT, GO
from migrate.run.store import RunKind
from planner.errors import NotFound
from planner.names import visible
from planner.plan import Wave
from planner.run_report import RunReport
from planner.settings import Window
from planner.store import plans
from tests.migrate.estate import disk, wave
from tests.migrate.gates.standing import Standing, planned, stored
from tests.migrate.papers.record import at, calm, patch, rehearsed, say_go, to_commit
from tests.migrate.papers.schema import published, wrong
from tests.migrate.stored import store_plan
from tests.planner.export.browser import browse
from tests.planner.export.paper import NASTY
from tests.planner.export.reader import Reader, judge

GONE = datetime.now(UTC).replace(hour=22, minute=0, second=0, microsecond=0) - timedelta(days=2)
DAY = f"{GONE:%Y-%m-%d}"


def timed(run: Standing) -> RunReport:
    """Return the report of a run whose go was said at ten, with everything at known times after it."""
    to_commit(run)
    after = {
        GO: 0, "%/fold": 1, "%/quiesce": 1, "%/stop": 5, "%/final": 20, "%/promote": 25, "%/verify": 40,
        "%/build": 50, "%/mark": 52, "%/start": 60, "%/probe%": 90, "landed": 95,
    }  # fmt: skip
    at(run, GONE - timedelta(hours=3), "%", "intent")
    at(run, GONE - timedelta(hours=2), "%", "done")
    for pattern, seconds in after.items():
        began = GONE + timedelta(seconds=seconds)
        at(run, began, pattern, "intent")
        at(run, began + timedelta(seconds=4), pattern, "done")
        at(run, began, pattern, "approved")
    return run_report(run.project, "W01")


def end(run: Standing) -> RunReport:
    """Undo what there is, and return the report."""
    while run.history.back is not None and run.history.back.left:
        step = run.history.runbook.steps[run.history.back.due[0]].id
        run.append(step, Event.UNDO_INTENT)
        run.append(step, Event.UNDONE)
    return run_report(run.project, "W01")


def test_window_and_phases_are_planned_and_real(tmp_path: Path) -> None:
    window = Window(start=GONE - timedelta(minutes=30), hours=1)
    with stored(tmp_path / "move", planned(window=window)) as run:
        rehearsed(run, phases={"cutover": [60.0, 80.0], "verify": [1.0, 2.5]})
        report = timed(run)
    assert (report.window.planned_start, report.window.planned_s) == (f"{DAY}T21:30:00.000Z", 3600.0)
    assert (report.window.start, report.window.seconds) == (f"{DAY}T22:00:00.000Z", 99.0)
    assert report.window.said == "within its window"
    assert report.window.first_probe_s == 89.0
    found = {one.phase: one for one in report.phases}
    assert list(found)[:5] == ["seed", "deltas", "checkpoint", "wait for go", "cutover"]
    took = {"seed": 3600.0, "stop": 4.0, "final delta": 9.0, "verify": 4.0, "build": 6.0, "probes": 9.0}
    assert {name: found[name].seconds for name in took} == took
    assert (found["cutover"].seconds, found["cutover"].planned_p95_s) == (99.0, 80.0)
    assert found["cutover"].planned_by.startswith("twin, rehearsed ")
    assert (found["verify"].planned_p50_s, found["verify"].planned_p95_s) == (1.0, 2.5)
    assert (found["build"].planned_p95_s, found["build"].planned_by) == (None, "not planned by itself")
    late = [one.said for one in report.deviations if one.kind == "phase longer than planned"]
    assert [said.partition(" took")[0] for said in late] == ["phase verify", "phase cutover"]
    assert found["seed"].planned_p95_s == run.wave.estimate.seed_h.p95 * 3600
    assert (found["commit window"].planned_p95_s, found["commit window"].said) == (4 * 3600, "under way")


def test_the_document_is_what_the_published_schema_says(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        report = timed(run)
    body = json.loads(as_json(report))
    schema = published("run-report")
    assert wrong(body, schema, schema) == []
    assert RunReport.model_validate_json(as_json(report)) == report
    assert "outages" not in body
    spoilt = {**body, "outages": [], "run": "1", "phases": [{**body["phases"][0], "seconds": "x"}]}
    del spoilt["state"]
    found = set(wrong(spoilt, schema, schema))
    assert found >= {"$.outages is not known", "$.run is no integer", "$.state is missing"}
    assert any(one.startswith("$.phases[0].seconds is no ") for one in found - {"$.state is missing"})
    assert len(found) == 4


def test_every_gate_has_its_words_and_evidence_is_whole(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        timed(run)
        for number in range(3):
            patch(run, f"g0/d{number}/verify", source="ab" * 32, target="ab" * 32)
        report = run_report(run.project, "W01")
    go, commit = report.gates
    assert (go.gate, go.status, go.who, go.plan_hash) == (GO, "done", "ada", run.run.fingerprint)
    (word,) = go.words
    assert (word.verdict, word.ticket, word.plan_hash) == ("approve", "CHG-1", run.run.fingerprint)
    assert (word.counts, word.witnessed) == (True, True)
    assert (commit.status, commit.passed_at, commit.words) == ("pending", "", ())
    assert {one.source_digest for one in report.disks} == {"ab" * 32}
    assert all(one.equal for one in report.disks)
    for form in (as_markdown(report), as_html(report)):
        assert form.decode().count("ab" * 32) == 6, "no digest is cut"
    assert [(one.vm, one.status) for one in report.probes] == [("db", "done"), ("web", "done")]
    assert all(one.answer for one in report.probes)
    assert (report.audit.verified, report.audit.broken_at) == (True, None)
    assert (report.approved_by, report.plan) == ("", 1)


def test_a_chain_that_is_broken_is_said_before_all_else(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        say_go(run)
        with run.project.write() as db:
            db.conn.execute("UPDATE audit SET who = 'eve' WHERE seq = 1")
        report = run_report(run.project, "W01")
    assert (report.audit.verified, report.audit.broken_at) == (False, 1)
    assert "The audit chain is broken at line 1" in as_markdown(report).decode()


def test_a_run_that_is_not_finished_says_so_in_every_form(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        report = timed(run)
        assert (report.over, report.state, report.ended) == (False, "before commit", "")
        assert report.missing[0] == "W01: commit, the point of no return"
        said = "This run is not finished: it is before commit, with 3 steps still to come"
        assert said in as_markdown(report).decode()
        assert said in " ".join(Reader(as_html(report).decode()).text)
        assert any(said in str(cell) for sheet in _sheets(report).values() for row in sheet for cell in row)
        assert json.loads(as_json(report))["over"] is False
        before = run.history.runbook
        run.do(COMMIT)
        for step in before.steps[before.index[COMMIT] + 1 :]:
            run.append(step.id, Event.INTENT)
            run.append(step.id, Event.DONE, name="moved")
        whole = run_report(run.project, "W01")
    assert (whole.over, whole.state, whole.missing) == (True, "committed", ())
    assert whole.ended == whole.steps[-1].ended
    assert "not finished" not in as_markdown(whole).decode()
    assert "not finished" not in as_html(whole).decode()


def test_a_run_that_has_not_begun_a_step_has_a_report(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        report = run_report(run.project, "W01")
    assert (report.state, report.window.said) == ("replicating", "the cutover has not begun")
    assert pictures(report) == ()
    assert "There is no timeline: no step has begun." in as_markdown(report).decode()
    for write, _ in WRITERS.values():
        assert write(report)


@pytest.mark.parametrize(("event", "state"), [(Event.ROLLBACK, "rolled back"), (Event.ABORT, "aborted")])
def test_runs_that_went_back_have_a_report(event: Event, state: str, tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        if event is Event.ROLLBACK:
            to_commit(run)
        else:
            run.go_to(GO)
        run.append("", event, who="bob")
        under_way = run_report(run.project, "W01")
        report = end(run)
    assert (under_way.over, report.over, report.state) == (False, True, state)
    assert under_way.missing
    assert all(one.endswith(", undone") for one in under_way.missing)
    back = next(one for one in report.phases if one.phase == "way back")
    assert back.ended
    assert "rolled back or aborted" in {one.kind for one in report.deviations}
    assert any(bar.phase == "way back" for row in report.rows for bar in row.bars)
    for write, _ in WRITERS.values():
        assert write(report)


def test_the_way_home_has_a_report_of_its_own(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        to_commit(run)
        plan = plans.latest(run.project)
        begun = runs.begin(run.project, plan, compose_failback(run.wave, {}), RunKind.FAILBACK)
        of_kind = {run.history.runbook.step(step).kind: left for step, left in run.results.items()}
        of_kind["unfence"] = {"name": "db"}
        results = {step.id: of_kind.get(step.kind, {}) for step in begun.runbook.steps}
        home = Standing(run.project, run.wave, begun, runs.history(run.project, begun), results)
        home.go_to(COMMIT)
        report = run_report(run.project, "W01", RunKind.FAILBACK)
        assert (report.kind, report.state, report.over) == ("failback", "failing back", False)
        home.do(COMMIT)
        home.append("g0/v0/fence", Event.INTENT)
        assert (report.window.planned_start, report.reminder) == ("", "")
        assert {one.planned_by for one in report.phases if one.phase in ("seed", "cutover")} == {
            "not planned: the plan's figures are of the way out"
        }
        assert [(one.run, one.kind) for one in report.others] == [(run.run.id, "wave")]
        assert run_report(run.project, "W01").others[0].kind == "failback"
        assert "the way home (failback)" in as_markdown(report).decode()
        with pytest.raises(NotFound):
            run_report(run.project, "W02", RunKind.FAILBACK)


def test_the_reminder_is_about_the_newest_plan_until_go_is_said(tmp_path: Path) -> None:
    def reminder(run: Standing) -> str:
        return run_report(run.project, "W01").reminder

    with stored(tmp_path / "move", planned()) as run:
        assert reminder(run) == "W01 was never rehearsed"
        rehearsed(run, fingerprint="e" * 64)
        assert reminder(run).startswith("W01 changed in the plan since it was rehearsed on")
        rehearsed(run)
        assert reminder(run) == ""
        to_commit(run)
        rehearsed(run, "e" * 64, timedelta())  # of a later plan: it says nothing of what ran
        report = run_report(run.project, "W01")
        assert report.reminder == ""
        assert [one.same_plan for one in report.rehearsals] == [False, True, False]
        store_plan(run.project, planned(commit_window_h=9.0))
        run.append("", Event.ROLLBACK, who="bob")
        assert reminder(run).startswith("W01 changed in the plan since it was rehearsed on"), (
            "for the next run"
        )


def test_the_timeline_in_letters_stands_where_things_were(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        report = timed(run)
    span = spans(report)[1]
    assert (span.last - span.first).total_seconds() == 99.0, "from go to the last look"
    lines = list(charts(report))
    row = next(line for line in lines if line.startswith("  db "))
    drawn = row.partition("|")[2].rstrip("|")
    assert len(drawn) == 72
    assert re.fullmatch(r" *p+ *X+ +f+v* +v+ +b+ +s+ +\?+ *", drawn.replace("p X", "pX")), drawn
    assert drawn.index("X") == round(5 / 99 * 72)
    assert drawn.index("?") == round(90 / 99 * 72)
    assert any("S seed" in line and "w commit window" in line for line in lines)
    assert any(line.endswith("go") and f"^ {DAY} 22:00:00" in line for line in lines)


def test_bars_of_the_picture_stand_where_things_were(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        report = timed(run)
    whole, cut = pictures(report)
    for picture in (whole, cut):
        bars = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"[^>]*><title>', picture)
        assert bars
        assert all(float(x) >= 250 and float(x) + float(width) <= 1120 for x, _, width in bars)
        assert "<title>W01: the" in picture
        assert "<desc>" in picture
        assert 'role="img"' in picture
    stop = re.search(r'<rect x="([\d.]+)"[^>]*><title>db: stop, ' + DAY + " 22:00:05 UTC, 4.0 s", cut)
    assert stop
    assert float(stop[1]) == pytest.approx(250 + 5 / 99 * (1120 - 250 - 14), abs=0.1)
    assert "under way for" in whole


def test_a_record_that_was_rebuilt_has_no_times(tmp_path: Path) -> None:
    with calm(tmp_path / "move") as run:
        timed(run)
        patch(run, "check", recovered=True)
        report = run_report(run.project, "W01")
    assert report.recovered
    assert {one.seconds for one in report.phases} == {None}
    assert (report.rows, report.marks) == ((), ())
    assert "the record was rebuilt" in report.window.said
    assert "The record of this run was lost and rebuilt" in as_html(report).decode()


def hostile(run: Standing) -> RunReport:
    """Return a report in which all that people and guests choose is hostile."""
    run.go_to(GO)
    for number, name in enumerate(NASTY):
        words.say(run.project, run.run, GO, Verdict.HOLD, ticket=name[:60], reason=name or "none",
                  by=words.Person(number, name))  # fmt: skip
    run.append(GO, Event.APPROVED, who=NASTY[0], plan=run.run.fingerprint)
    run.go_to(COMMIT)
    for number, name in enumerate(NASTY):
        patch(run, f"g0/v{number}/probe", detail=name, question=name)
        run.write([Entry(f"g0/v{number}/fence", Event.SKIPPED, 1, {"message": name})])
    with run.project.write() as db:
        db.conn.execute("UPDATE rehearsed SET notes = ?, who = ?", (NASTY[1], NASTY[2]))
    return run_report(run.project, "W01")


def nasty_wave() -> Wave:
    names = [name or "empty" for name in NASTY]
    made = wave({NASTY[1]: names}, [disk(names[0])], [names])
    return made.model_copy(update={"title": NASTY[0]})


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    with calm(tmp_path_factory.mktemp("nasty") / "move", nasty_wave()) as run:
        return hostile(run)


def _sheets(report: RunReport) -> dict[str, list[tuple[Any, ...]]]:
    book = import_module("openpyxl").load_workbook(BytesIO(as_xlsx(report)))  # it has no types
    for sheet in book.worksheets:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}, "no formula"
        assert not any(cell.hyperlink for row in sheet.iter_rows() for cell in row)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def test_no_name_acts_in_a_workbook(nasty: RunReport) -> None:
    sheets = _sheets(nasty)
    shown = {cell for rows in sheets.values() for row in rows for cell in row}
    assert {visible(name) for name in NASTY if name} <= shown
    assert list(sheets) == ["Run", "Phases", "Deviations", "RTO and RPO", "Gates", "Disks", "Probes",
                            "Rehearsals", "Copies", "Steps"]  # fmt: skip


def test_no_name_acts_in_markdown(nasty: RunReport) -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    page = parser.render(as_markdown(nasty).decode())
    for tag in ("<a", "<img", "<script", "<b>", "<em", "<s>", "<h3", "<h4", "<ul", "<ol"):
        assert tag not in page, tag
    assert page.count("<h1") == 1
    assert page.count("<pre>") == 2, "the timeline is code, and no name ends it"
    shown = unescape(page)
    for name in NASTY:
        assert not name or f"<td>{visible(name)}</td>" in shown, name


def test_no_name_acts_in_a_page(nasty: RunReport) -> None:
    page = as_html(nasty).decode()
    judge(page)
    read = Reader(page).text
    for name in NASTY:
        assert not name or visible(name) in read, name


def test_a_page_that_does_not_escape_is_caught(nasty: RunReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.export.html.markup.escape", lambda text, quote: text)
    with pytest.raises(AssertionError):
        judge(as_html(nasty).decode())


def test_names_stay_as_they_are_in_json(nasty: RunReport) -> None:
    body = json.loads(as_json(nasty))
    assert {row["name"] for row in body["rows"]} >= {name or "empty" for name in NASTY}
    assert "\u202e" not in json.dumps([one["said"] for one in body["deviations"]], ensure_ascii=False)


@pytest.mark.soak  # with every commit a browser prints the plan, which has the same shell
def test_a_browser_prints_it_without_a_complaint(nasty: RunReport, tmp_path: Path) -> None:
    page, printed = (tmp_path / f"report.{suffix}" for suffix in ("html", "pdf"))
    page.write_bytes(as_html(nasty))
    said = browse(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri())
    assert "Content Security Policy" not in said
    assert "CONSOLE" not in said
    assert printed.read_bytes().startswith(b"%PDF-")
