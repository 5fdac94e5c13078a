"""The run report as tables, for a workbook, for Markdown and for a page. All text here is visible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.export.printout import Cell, Table
from planner.names import visible
from planner.run_report import DiskProof, Figures, Gate, RunReport
from planner.units import show_count, show_duration

NOTHING = "–"
WARNING = "To be known first"  # the row of the first table that a page and Markdown show above it
_LONGEST = 300  # of a reason in a cell


def tables(report: RunReport) -> list[Table]:
    """Return the report, the most important first."""
    return [
        _run(report),
        _phases(report),
        _deviations(report),
        _objectives(report),
        _gates(report),
        _disks(report),
        _probes(report),
        *_programs(report),
        _rehearsals(report),
        *_cycles(report),
        *_others(report),
        _steps(report),
    ]


def warning(report: RunReport) -> str:
    """Return what a reader has to know before all else, empty when nothing."""
    said = []
    if not report.over:
        left = show_count(len(report.missing), "step")
        said.append(
            f"This run is not finished: it is {report.state}, with {left} still to come. "
            f"What stands here is as it was at {report.printed}."
        )
    if report.recovered:
        said.append("The record of this run was lost and rebuilt: times and evidence of before are lost.")
    if not report.audit.verified:
        said.append(
            f"The audit chain is broken at line {report.audit.broken_at}: do not rely on this report."
        )
    return " ".join(said)


def duration(seconds: float | None) -> str:
    """Return seconds for people, a dash for what is not known."""
    return NOTHING if seconds is None else show_duration(seconds)


def _known(value: Cell | None) -> Cell:
    return NOTHING if value is None or value == "" else value


def _text(value: str, otherwise: str = NOTHING) -> str:
    return visible(value) or otherwise


def _time(at: str) -> str:
    """Return a time in UTC for people, a dash for none."""
    return at.replace("T", " ").removesuffix("Z") or NOTHING


def _run(report: RunReport) -> Table:
    window, audit = report.window, report.audit
    equal = f"{sum(disk.equal for disk in report.disks)} of {len(report.disks)}"
    left_out = sum(bool(disk.left_out) for disk in report.disks)
    approved = f"{visible(report.approved_by)} {report.approved_at}".strip()
    rows: list[tuple[str, Cell]] = [
        ("Wave", f"{report.wave} {visible(report.title)}"),
        ("Project", visible(report.project)),
        ("What ran", "the way home (failback)" if report.kind == "failback" else "the way out"),
        ("State", report.state if report.over else f"{report.state}, not finished"),
        *(((WARNING, said),) if (said := warning(report)) else ()),
        ("Run", report.run),
        ("Plan", report.plan),
        ("What was approved", report.fingerprint),
        ("Approved by", approved or "nobody"),
        ("Begun", f"{report.begun} by {visible(report.begun_by)}"),
        ("Ended", report.ended or "not yet"),
        (
            "Planned window",
            f"{window.planned_start} to {window.planned_end}" if window.planned_start else "none",
        ),
        ("Cutover", f"{window.start or NOTHING} to {window.end or NOTHING}"),
        ("Cutover took", duration(window.seconds)),
        ("Window kept", window.said),
        ("Stop to first probe", _first_probe(report)),
        ("RTO of the wave", duration(report.objectives.rto_s)),
        ("RTO planned (P95)", duration(report.objectives.rto_planned_p95_s)),
        ("Deviations", len(report.deviations) or "none"),
        ("Disks with equal digests", equal),
        *((("Disks left out by decision", f"{left_out} of {len(report.disks)}"),) if left_out else ()),
        *(("Kept checkpoint", f"{visible(k.name)}, {k.bytes} bytes, {visible(k.path)}") for k in report.kept),
        *((("Rehearsals", report.reminder),) if report.reminder else ()),
        ("Audit chain ends in", audit.digest),
        ("Audit chain", f"{audit.lines} lines, " + ("whole" if audit.verified else "BROKEN")),
        ("Printed", report.printed),
    ]
    return Table("Run", ("What", "Value"), tuple(rows))


def _first_probe(report: RunReport) -> str:
    window = report.window
    return window.first_probe_why if window.first_probe_s is None else duration(window.first_probe_s)


def _phases(report: RunReport) -> Table:
    return Table(
        "Phases",
        (
            "Phase",
            "Begun, UTC",
            "Ended, UTC",
            "Seconds",
            "Took",
            "Planned P50 s",
            "Planned P95 s",
            "By whom",
            "Remark",
        ),
        tuple(
            (
                one.phase,
                _time(one.begun),
                _time(one.ended),
                _known(one.seconds),
                duration(one.seconds),
                _known(one.planned_p50_s),
                _known(one.planned_p95_s),
                one.planned_by,
                one.said,
            )
            for one in report.phases
        ),
    )


def _deviations(report: RunReport) -> Table:
    """Return what went otherwise; the kinds of which there is none are named in a row of their own."""
    found = [(one.kind, _time(one.at), _text(one.step), one.said) for one in report.deviations]
    seen = {one.kind for one in report.deviations}
    none = "; ".join(kind for kind in report.looked_for if kind not in seen)
    ends = [("none found of", none), *(("not looked for", said) for said in report.not_looked_for)]
    rows = (*found, *((name, *_dashes(2), said) for name, said in ends))
    return Table("Deviations", ("Kind", "When, UTC", "Step", "What"), rows)


def _objectives(report: RunReport) -> Table:
    return Table(
        "RTO and RPO",
        (
            "What",
            "RTO s",
            "Planned P50 s",
            "Planned P95 s",
            "RPO before s",
            "Target s",
            "RPO of the cutover s",
            "Back s",
            "Why",
        ),
        tuple(_figures(one) for one in (report.objectives, *report.groups, *report.vms)),
    )


def _figures(one: Figures) -> tuple[Cell, ...]:
    """Return a line in seconds; what is not known is a dash, and why stands at the end."""
    why = "; ".join(
        f"{what}: {said}"
        for what, value, said in (
            ("RTO", one.rto_s, one.rto_why),
            ("RPO before", one.rpo_s, one.rpo_why),
            ("RPO of the cutover", one.cutover_rpo_s, one.cutover_rpo_why),
        )
        if value is None
    )
    figures = (one.rto_s, one.rto_planned_p50_s, one.rto_planned_p95_s, one.rpo_s, one.rpo_target_s)
    known = (_known(value) for value in (*figures, one.cutover_rpo_s, one.back_s))
    return (visible(one.name), *known, visible(why, _LONGEST))


def _gates(report: RunReport) -> Table:
    return Table(
        "Gates",
        (
            "Gate",
            "Status",
            "Passed, UTC",
            "Said",
            "Who",
            "When, UTC",
            "Ticket",
            "Reason",
            "Plan hash",
            "Remark",
        ),
        tuple(row for gate in report.gates for row in _gate(gate)),
    )


def _gate(gate: Gate) -> Iterator[tuple[Cell, ...]]:
    head = (visible(gate.title), gate.status, _time(gate.passed_at))
    if gate.recovered:
        yield (*head, *_dashes(6), "passed; by whose word is lost")
    elif gate.policy:
        who = visible(gate.who)
        yield (
            *head,
            "passed",
            who,
            _time(gate.passed_at),
            *_dashes(2),
            gate.plan_hash,
            f"policy {gate.policy}",
        )
    elif gate.passed_at and not gate.words:
        who = _text(gate.who)
        yield (
            *head,
            "passed",
            who,
            _time(gate.passed_at),
            *_dashes(2),
            _text(gate.plan_hash),
            "no word is kept",
        )
    elif not gate.words:
        yield (*head, *_dashes(6), "nothing was said")
    for word in gate.words:
        remarks = [
            *([] if word.counts else ["on another plan: it does not count"]),
            *([] if word.witnessed else ["the audit chain has no line of it"]),
        ]
        yield (
            *head,
            word.verdict,
            f"{visible(word.who)} ({word.uid})",
            _time(word.at),
            _text(word.ticket),
            _text(word.reason),
            word.plan_hash,
            "; ".join(remarks),
        )


def _dashes(count: int) -> tuple[str, ...]:
    return (NOTHING,) * count


def _disks(report: RunReport) -> Table:
    return Table(
        "Disks",
        ("Disk", "Bytes", "Was", "Became", "Equal", "Digest at source", "Digest at target"),
        tuple(
            (
                visible(disk.disk),
                disk.size_bytes,
                disk.was,
                visible(disk.became),
                _equal(disk),
                disk.source_digest,
                disk.target_digest,
            )
            for disk in report.disks
        ),
    )


def _equal(disk: DiskProof) -> str:
    if disk.left_out:
        return visible(disk.left_out)
    return "yes" if disk.equal else ("NO" if disk.source_digest else "not compared")


def _probes(report: RunReport) -> Table:
    return Table(
        "Probes",
        ("VM", "Asked", "Status", "Answer", "When, UTC", "Waited s", "Times", "Counts"),
        tuple(
            (
                visible(one.vm),
                one.asked,
                one.status,
                _text(one.answer),
                _time(one.at),
                _known(one.waited_s),
                _known(one.times),
                "no, optional" if one.optional else "yes",
            )
            for one in report.probes
        ),
    )


def _programs(report: RunReport) -> list[Table]:
    rows = tuple((visible(one.title), one.status, _time(one.at), _text(one.said)) for one in report.hooks)
    return _if_any("Programs", ("What", "Status", "When, UTC", "Result"), rows)


def _rehearsals(report: RunReport) -> Table:
    """Return the rehearsals, and the reminder as the last row where there is one."""
    rows: list[tuple[Cell, ...]] = [
        (
            _time(one.at),
            visible(one.who),
            one.depth,
            one.verdict,
            "yes" if one.same_plan else "no, another plan",
            one.plan,
            one.plan_hash,
            _text(one.notes),
        )
        for one in report.rehearsals
    ]
    if report.reminder or not rows:
        rows.append((*_dashes(7), report.reminder or "none"))
    columns = ("When, UTC", "Who", "Depth", "Verdict", "Of what ran", "Plan", "Plan hash", "Notes")
    return Table("Rehearsals", columns, tuple(rows))


def _cycles(report: RunReport) -> list[Table]:
    columns = ("Group", "Round", "Copy of, UTC", "Whole at, UTC", "Data bytes", "Bytes on the line")
    rows = tuple(
        (visible(one.group), one.number, _time(one.instant), _time(one.ended), one.data_bytes, one.wire_bytes)
        for one in report.cycles
    )
    return _if_any("Copies", columns, rows)


def _others(report: RunReport) -> list[Table]:
    rows = tuple((one.run, one.kind, _time(one.begun), one.state) for one in report.others)
    return _if_any("Other runs", ("Run", "Kind", "Begun, UTC", "State"), rows)


def _if_any(title: str, columns: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> list[Table]:
    kept = tuple(rows)
    return [Table(title, columns, kept)] if kept else []


def _steps(report: RunReport) -> Table:
    return Table(
        "Steps",
        (
            "No",
            "Step",
            "Id",
            "Effect",
            "Status",
            "Begun, UTC",
            "Ended, UTC",
            "Seconds",
            "Attempts",
            "Evidence",
        ),
        tuple(
            (
                number,
                visible(line.title),
                line.step,
                line.effect,
                line.status,
                _time(line.begun),
                _time(line.ended),
                _known(line.seconds),
                line.attempts,
                visible(line.said),
            )
            for number, line in enumerate(report.steps, 1)
        ),
    )
