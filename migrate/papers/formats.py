"""The run report on paper: workbook, Markdown, JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from migrate.papers.objectives import Figures
from migrate.papers.report import DiskProof, RunReport
from planner.export.printout import Cell, Table
from planner.names import visible


def as_json(report: RunReport) -> bytes:
    """Return the report as one JSON document."""
    return (json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def tables(report: RunReport) -> list[Table]:
    """Return the report as tables, for a workbook and for Markdown."""
    head: tuple[tuple[Cell, ...], ...] = (
        ("Wave", f"{report.wave} {visible(report.title)}"),
        ("Project", visible(report.project)),
        ("State", report.state),
        ("Run", report.run),
        ("Plan", report.plan),
        ("What was approved", report.fingerprint),
        ("Approved by", f"{visible(report.approved_by)} {report.approved_at}".strip() or "nobody"),
        ("Begun", f"{report.begun} by {visible(report.begun_by)}"),
        ("Disks with equal digests", f"{sum(d.equal for d in report.disks)} of {len(report.disks)}"),
        *_left_out(report),
        ("Audit chain ends in", report.audit_digest),
        ("Printed", report.printed),
        *(("Kept checkpoint", f"{visible(k['name'])}, {k['bytes']} bytes, {k['path']}") for k in report.kept),
    )
    return [
        Table("Run", ("What", "Value"), head),
        Table(
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
        ),
        Table(
            "Outage",
            ("VM", "Seconds", "Planned P95 min"),
            tuple(
                (visible(item.name), "–" if item.seconds is None else item.seconds, item.planned_p95_min)
                for item in report.outages
            ),
        ),
        Table(
            "RTO and RPO",
            (
                "What",
                "RTO",
                "Planned P50",
                "Planned P95",
                "RPO before",
                "Target",
                "RPO of the cutover",
                "Why",
            ),
            tuple(_objectives(one) for one in (report.objectives, *report.groups, *report.vms)),
        ),
        Table(
            "Steps",
            ("No", "Step", "Effect", "Status", "Begun", "Ended", "Seconds", "Attempts", "Evidence"),
            tuple(
                (
                    number,
                    line.title,
                    line.effect,
                    line.status,
                    line.begun,
                    line.ended,
                    "–" if line.seconds is None else line.seconds,
                    line.attempts,
                    visible(line.said),
                )
                for number, line in enumerate(report.steps, 1)
            ),
        ),
    ]


def _objectives(one: Figures) -> tuple[Cell, ...]:
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
    known = ("–" if value is None else value for value in (*figures, one.cutover_rpo_s))
    return (visible(one.name), *known, visible(why, 300))


def _equal(disk: DiskProof) -> str:
    if disk.left_out:
        return visible(disk.left_out)
    return "yes" if disk.equal else ("NO" if disk.source_digest else "not compared")


def _left_out(report: RunReport) -> list[tuple[Cell, ...]]:
    """Return how many disks were left out by decision, nothing where none was."""
    count = sum(bool(disk.left_out) for disk in report.disks)
    return [("Disks left out by decision", f"{count} of {len(report.disks)}")] if count else []


def as_xlsx(report: RunReport) -> bytes:
    """Return the report as a workbook."""
    from planner.export.xlsx import workbook_of

    printed = datetime.fromisoformat(report.printed).replace(tzinfo=None)
    return workbook_of(f"Run report {report.wave}", printed, tables(report))


def as_markdown(report: RunReport) -> bytes:
    """Return the report as Markdown."""
    from planner.export.escaping import escaped, table_lines

    lines = [f"# Run report: {escaped(report.wave)}", ""]
    for table in tables(report):
        lines += [f"## {table.title}", "", *table_lines(table.columns, table.rows)]
    return "\n".join(lines).encode("utf-8", "replace")


WRITERS = {"xlsx": (as_xlsx, ".xlsx"), "markdown": (as_markdown, ".md"), "json": (as_json, ".json")}
