"""wherry check: readiness findings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.model import Finding

_MARKS = {"blocker": "✖", "warning": "▲", "info": "·"}


@click.command(
    epilog="Examples: wherry check; wherry check --explain disks.rdm.physical; wherry check --strict"
)
@click.option("--explain", metavar="ID", help="Say what a check looks for, why it matters and what to do.")
@click.option("--strict", is_flag=True, help="Exit with 3 when there are blockers.")
@project_option
@json_option
def command(explain: str | None, strict: bool, project_dir: Path, as_json: bool) -> int:
    """Check the newest inventory for what would get in the way of a move."""
    from dataclasses import asdict

    from planner.checks import registry
    from planner.model import Severity
    from planner.store import inventories

    if explain:
        check = registry.explain(explain)
        if as_json:
            data({"id": check.id, "title": check.title, "severity": check.severity(),
                  "why": check.why, "remedy": check.remedy})  # fmt: skip
        else:
            line(f"{check.id}  {check.title}  [{check.severity().value}]")
            line(f"  why     {check.why}")
            line(f"  remedy  {check.remedy}")
        return 0
    with open_project(project_dir) as project:
        readiness = registry.run_checks(inventories.latest(project).inventory)
    blockers = sum(item.severity is Severity.BLOCKER for item in readiness.findings)
    if as_json:
        data({"findings": [asdict(item) for item in readiness.findings], "unknown": readiness.unknown})
    else:
        _show(readiness.findings)
        count = len(readiness.findings)
        say(f"{count} finding{'' if count == 1 else 's'}, {blockers} of them blockers")
        unknown = {check: count for check, count in readiness.unknown.items() if count}
        if unknown:
            say(f"unknown, because the source does not say: {', '.join(sorted(unknown))}")
    return 3 if strict and blockers else 0


def _show(findings: Iterable[Finding]) -> None:
    """Print findings under their check and remedy, each of which stands once."""
    from itertools import groupby

    from planner.names import visible

    for (severity, check, remedy), found in groupby(
        findings, lambda item: (item.severity.value, item.check, item.remedy)
    ):
        line(f"{_MARKS[severity]} {severity:<8} {check}")
        for item in found:
            line(f"    {visible(item.message)}")
        line(f"    → {visible(remedy)}")
