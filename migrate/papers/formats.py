"""The run report on paper: workbook, Markdown, HTML, JSON."""

from __future__ import annotations

import json
from datetime import datetime

from migrate.papers.tables import WARNING, tables, warning
from planner.run_report import RunReport


def as_json(report: RunReport) -> bytes:
    """Return the report as one JSON document, as ``planner/schemas/run-report.schema.json`` has it."""
    body = report.model_dump(mode="json", by_alias=True)
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def as_xlsx(report: RunReport) -> bytes:
    """Return the report as a workbook."""
    from planner.export.xlsx import workbook_of

    printed = datetime.fromisoformat(report.printed).replace(tzinfo=None)
    return workbook_of(f"Run report {report.wave}", printed, tables(report))


def as_markdown(report: RunReport) -> bytes:
    """Return the report as Markdown, with its timeline in letters."""
    from migrate.papers.letters import charts
    from planner.export.escaping import escaped, table_lines

    head, *rest = tables(report)
    lines = [f"# Run report: {escaped(report.wave)}", ""]
    if said := warning(report):
        lines += [f"**{escaped(said)}**", ""]
    lines += [
        f"## {head.title}",
        "",
        *table_lines(head.columns, [row for row in head.rows if row[0] != WARNING]),
        "## Timeline",
        "",
        *charts(report),
    ]
    for table in rest:
        lines += [f"## {table.title}", "", *table_lines(table.columns, table.rows)]
    return "\n".join(lines).encode("utf-8", "replace")


def as_html(report: RunReport) -> bytes:
    """Return the report as one page that loads nothing and runs nothing."""
    from migrate.papers.page import render

    return render(report)


WRITERS = {
    "xlsx": (as_xlsx, ".xlsx"),
    "markdown": (as_markdown, ".md"),
    "html": (as_html, ".html"),
    "json": (as_json, ".json"),
}
