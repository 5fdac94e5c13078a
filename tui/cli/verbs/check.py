"""wherry check: readiness findings, checks explained, own rules tested."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say
from tui.cli.rulebook import explain_check, known_families, list_checks, try_rules

if TYPE_CHECKING:
    from datetime import date

    from planner.checks.registry import Readiness
    from planner.checks.waivers import Waiver
    from planner.model import Finding
    from planner.store.project import Project

_MARKS = {"blocker": "✖", "warning": "▲", "info": "·"}
_MANY = 12  # checks with unknowns that one summary names


@click.command(
    epilog="Examples: wherry check; wherry check app:crm os~win --severity blocker; wherry check --explain "
    "disks.rdm.physical; wherry check --rules rules.yaml --test; wherry check --strict"
)
@click.argument("filter_terms", nargs=-1, metavar="[FILTER]")
@click.option("--family", "families", multiple=True, metavar="NAME", help="Only checks of this family.")
@click.option("--severity", "severities", multiple=True, type=click.Choice(["blocker", "warning", "info"]),
              help="Only findings of this severity.")  # fmt: skip
@click.option("--method", type=click.Choice(["warm", "cold"]), help="Weigh for a move while running, or off.")
@click.option("--explain", metavar="ID", help="Say what a check looks for, why it matters and what to do.")
@click.option("--list", "as_list", is_flag=True, help="List all checks, those of the rules too.")
@click.option("--rules", "rules", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Own rules; default: rules.yaml in the project's directory.")  # fmt: skip
@click.option("--test", "test", is_flag=True, help="Run the tests in the file of own rules, nothing else.")
@click.option("--strict", is_flag=True, help="Exit with 3 when there are blockers that nobody waived.")
@project_option
@json_option
def command(
    filter_terms: tuple[str, ...],
    families: tuple[str, ...],
    severities: tuple[str, ...],
    method: str | None,
    explain: str | None,
    as_list: bool,
    rules: Path | None,
    test: bool,
    strict: bool,
    project_dir: Path,
    as_json: bool,
) -> int:
    """Check the newest inventory for what would get in the way of a move.

    With FILTER only the VMs that match are asked about. What the source does not say is unknown, and
    counted: it is neither a finding nor fine. Findings that are waived count for nothing.
    """
    if test:
        return try_rules(rules, project_dir, as_json)
    if explain:
        explain_check(explain, rules, project_dir, as_json)
        return 0
    if as_list:
        list_checks(families, rules, project_dir, as_json)
        return 0
    return _check(" ".join(filter_terms), families, severities, method, rules, strict, project_dir, as_json)


def _check(
    text: str,
    families: tuple[str, ...],
    severities: tuple[str, ...],
    method: str | None,
    rules: Path | None,
    strict: bool,
    project_dir: Path,
    as_json: bool,
) -> int:
    from planner.checks.registry import Readiness
    from planner.checks.waivers import expired
    from planner.model import Severity
    from planner.readiness import today
    from planner.store.waivers import all_waivers

    day = today()
    with open_project(project_dir) as project:
        if text.strip() or method or rules:
            whole, shown = _asked(project, text, families, method, rules, day)
        else:
            whole, shown = _current(project, families, day)
        waivers = all_waivers(project)
    readiness = Readiness(
        tuple(
            item
            for item in whole.findings
            if item.check.partition(".")[0] in shown and (not severities or item.severity.value in severities)
        ),
        {check: count for check, count in whole.unknown.items() if check.partition(".")[0] in shown},
    )
    late = expired(readiness, waivers, day)
    if as_json:
        _print_json(readiness, late)
    else:
        _show(readiness.findings)
        _summary(readiness, late)
    return 3 if strict and readiness.count(Severity.BLOCKER) else 0


def _asked(
    project: Project,
    text: str,
    families: tuple[str, ...],
    method: str | None,
    rules: Path | None,
    day: date,
) -> tuple[Readiness, set[str]]:
    """Return what the checks say when they are asked otherwise than a project is, and the families shown."""
    from planner.model import Method
    from planner.readiness import judge, situation
    from planner.selection import read_filter, seen
    from tui.cli.progress import Bar

    wanted = read_filter(project, text)
    at = situation(project, rules)
    shown = known_families(families, at.checks())
    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        known = seen(project, at.inventory, wanted, bar.report)
        found = judge(
            at,
            day,
            Method(method) if method else None,
            only=(lambda vm: wanted.matches(vm, known)) if text.strip() else None,
            progress=bar.report,
        )
    return found, shown


def _current(project: Project, families: tuple[str, ...], day: date) -> tuple[Readiness, set[str]]:
    """Return what the checks say of the project, as they said last while that holds, and the families."""
    from planner.checks.registry import all_checks
    from planner.readiness import rules_file
    from planner.store import inventories, judged
    from tui.cli.progress import Bar

    own = rules_file(project.root)
    inventories.summary(project)  # nothing discovered is said before a family that does not exist
    shown = known_families(
        families, (*all_checks(), *(rule.check for rule in (own.as_rules() if own else ())))
    )
    kept = judged.readiness(project, day)
    if kept is not None:
        return kept, shown
    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        return judged.judge_and_store(project, bar.report, day), shown


def _print_json(readiness: Readiness, late: tuple[Waiver, ...]) -> None:
    from dataclasses import asdict

    from planner.model import Severity

    data(
        {
            "findings": [asdict(item) for item in readiness.findings],
            "unknown": readiness.unknown,
            "counts": {severity.value: readiness.count(severity) for severity in Severity},
            "waived": sum(bool(item.waiver) for item in readiness.findings),
            "expired_waivers": [waiver.id for waiver in late],
        }
    )


def _show(findings: Iterable[Finding]) -> None:
    """Print findings under their check and remedy, each of which stands once."""
    from itertools import groupby

    from planner.names import visible

    for (severity, check, remedy), found in groupby(
        findings, lambda item: (item.severity.value, item.check, item.remedy)
    ):
        line(f"{_MARKS[severity]} {severity:<8} {check}")
        for item in found:
            waived = f"  (waived: {visible(item.waiver)})" if item.waiver else ""
            line(f"    {visible(item.message)}{waived}")
        line(f"    → {visible(remedy)}")


def _summary(readiness: Readiness, late: tuple[Waiver, ...]) -> None:
    from planner.model import Severity
    from planner.units import show_count

    words = {Severity.BLOCKER: "blocker", Severity.WARNING: "warning"}
    parts = [show_count(readiness.count(severity), word) for severity, word in words.items()]
    parts.append(f"{readiness.count(Severity.INFO):,} for information")
    if waived := sum(bool(item.waiver) for item in readiness.findings):
        parts.append(f"{waived:,} waived")
    say(f"{show_count(len(readiness.findings), 'finding')}: {', '.join(parts)}")
    if readiness.unknown:
        most = sorted(readiness.unknown.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{check} ({count:,})" for check, count in most[:_MANY])
        rest = f" and {len(most) - _MANY} more" if len(most) > _MANY else ""
        say(f"unknown in {show_count(len(most), 'check')}, because the source does not say: {named}{rest}")
    for waiver in late:
        say(
            f"waiver {waiver.id} of {waiver.check} ended on {waiver.until.isoformat()}: "
            "its findings count again"
        )
