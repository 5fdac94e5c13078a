"""The run report as one HTML file: it works offline, holds no script, loads nothing and prints on A4."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.papers.picture import pictures
from migrate.papers.tables import NOTHING, WARNING, duration, tables, warning
from planner.export.html.markup import Html, Part, joined, tag
from planner.export.html.shell import document
from planner.export.html.tables import facts, number, table_of
from planner.export.printout import Table
from planner.names import visible
from planner.run_report import RunReport

_PLACES = {  # title of a table → its place on the page
    "Phases": "phases", "Deviations": "deviations", "RTO and RPO": "objectives", "Gates": "gates",
    "Disks": "disks", "Probes": "probes", "Programs": "programs", "Rehearsals": "rehearsals",
    "Copies": "copies", "Other runs": "others", "Steps": "steps",
}  # fmt: skip


def render(report: RunReport) -> bytes:
    """Return the page's bytes, UTF-8."""
    way = " (failback)" if report.kind == "failback" else ""
    title = f"Run report: {report.wave}{way}, {visible(report.project)}"
    made = f"run {report.run} of plan {report.plan}, printed {report.printed}"
    head, *rest = tables(report)
    places = [("summary", "Summary"), ("timeline", "Timeline")]
    places += [(_PLACES[table.title], table.title) for table in rest]
    footer = joined(("Audit chain ends in ", tag("code", report.audit.digest)))
    return document(title, made, places, _main(report, head, rest), footer)


def _main(report: RunReport, head: Table, rest: list[Table]) -> Iterator[Part]:
    yield tag("h2", "Summary", id="summary")
    if said := warning(report):
        yield tag("p", tag("b", said), class_="bad")
    yield _cards(report)
    shown = ((str(name), value) for name, value in head.rows if name != WARNING)
    yield facts((name, value if isinstance(value, str) else number(value)) for name, value in shown)
    yield tag("h2", "Timeline", id="timeline")
    drawn = pictures(report)
    yield from drawn or [tag("p", "Nothing to draw: no step has begun, or no time is known.")]
    for table in rest:
        yield tag("h2", table.title, id=_PLACES[table.title])
        yield table_of(table)


def _cards(report: RunReport) -> Html:
    whole, window = report.objectives, report.window
    equal = sum(disk.equal for disk in report.disks)
    compared = sum(not disk.left_out for disk in report.disks)
    late = whole.rto_s is not None and whole.rto_s > (whole.rto_planned_p95_s or whole.rto_s)
    aged = whole.rpo_s is not None and whole.rpo_s > (whole.rpo_target_s or whole.rpo_s)
    shown = (
        (report.state, "state" if report.over else "state, not finished", not report.over),
        (duration(whole.rto_s), f"RTO, planned P95 {duration(whole.rto_planned_p95_s)}", late),
        (duration(whole.rpo_s), f"RPO before, target {duration(whole.rpo_target_s)}", aged),
        (duration(window.seconds), f"cutover, window {duration(window.planned_s)}", False),
        (duration(window.first_probe_s), "stop to first probe", False),
        (number(len(report.deviations)) if report.deviations else "none", "deviations", False),
        (f"{equal} of {compared}", "disks with equal digests", bool(report.over and equal < compared)),
        (NOTHING if not report.gates else _passed(report), "gates passed", False),
    )
    cards = [
        tag("div", tag("b", value), tag("span", words), class_="card words bad" if bad else "card words")
        for value, words, bad in shown
    ]
    return tag("div", *cards, class_="cards")


def _passed(report: RunReport) -> str:
    return f"{sum(bool(gate.passed_at) for gate in report.gates)} of {len(report.gates)}"
