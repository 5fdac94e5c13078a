"""What the checks are: one explained, all listed, own rules put to their tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from planner.checks.check import Check


def own_checks(rules: Path | None, project_dir: Path) -> tuple[Check, ...]:
    """Return the checks of own rules; the project is looked into if there is one."""
    from planner.readiness import rules_file

    file = rules_file(project_dir, rules)
    return tuple(rule.check for rule in file.as_rules()) if file else ()


def explain_check(check_id: str, rules: Path | None, project_dir: Path, as_json: bool) -> None:
    from planner.checks import registry
    from planner.names import visible
    from tui.acts.check_words import described, work_words

    own = {check.id: check for check in own_checks(rules, project_dir)}
    check = own.get(check_id) or registry.explain(check_id)
    if as_json:
        data(described(check))
        return
    line(f"{check.id}  {visible(check.title)}")
    line(f"  severity    {', '.join(f'{how.value} {said.value}' for how, said in check.severities.items())}")
    line(f"  about       every {check.about.value}")
    for title, text in (("condition", check.condition), ("why", check.why), ("remedy", check.remedy)):
        if text:
            line(f"  {title:<10}  {visible(text)}")
    if work := work_words(check):
        line(f"  work        {work}")
    for path in check.properties:
        line(f"  property    {path}")
    if check.reference:
        line(f"  reference   {visible(check.reference)}")


def list_checks(families: tuple[str, ...], rules: Path | None, project_dir: Path, as_json: bool) -> None:
    from planner.checks.registry import all_checks
    from planner.model import Method
    from tui.acts.check_words import described

    checks = [*all_checks(), *own_checks(rules, project_dir)]
    wanted = known_families(families, checks)
    chosen = [check for check in checks if check.family in wanted]
    if as_json:
        data([described(check) for check in chosen])
        return
    table(
        ("id", "about", "warm", "cold", "title"),
        (
            (
                check.id,
                check.about.value,
                check.severity(Method.WARM).value,
                check.severity(Method.COLD).value,
                check.title,
            )
            for check in chosen
        ),
    )
    say(f"{len(chosen)} of {len(checks)} checks")


def known_families(wanted: tuple[str, ...], checks: Iterable[Check]) -> set[str]:
    from planner.errors import NotFound
    from planner.names import visible

    known = list(dict.fromkeys(check.family for check in checks))
    for name in wanted:
        if name not in known:
            raise NotFound(
                f"there is no family of checks {visible(name, 40)!r}", f"families are {', '.join(known)}"
            )
    return set(wanted or known)


def try_rules(rules: Path | None, project_dir: Path, as_json: bool) -> int:
    """Run the tests of a file of rules; 1 when one of them fails."""
    from planner.errors import BadInput
    from planner.readiness import RULES_FILE, rules_file
    from planner.units import show_count

    file = rules_file(project_dir, rules)
    if file is None:
        raise BadInput("there are no own rules to test", f"write {RULES_FILE}, or name one with --rules FILE")
    trials = file.trials()
    failed = [trial for trial in trials if not trial.passed]
    if as_json:
        data(
            {
                "file": file.where,
                "rules": len(file.rules),
                "tests": [
                    {"rule": item.rule, "number": item.number, "line": item.line, "passed": item.passed,
                     "expected": item.expected.value, "got": item.got.value}
                    for item in trials
                ],
                "untested": list(file.untested()),
            }
        )  # fmt: skip
        return 1 if failed else 0
    for item in failed:
        line(f"✖ {item.rule} test {item.number}, {file.where} line {item.line}: "
             f"expected {item.expected.value}, got {item.got.value}")  # fmt: skip
    for rule_id in file.untested():
        line(f"▲ {rule_id} has no test")
    passed = len(trials) - len(failed)
    say(f"{show_count(len(file.rules), 'rule')}, {passed} of {show_count(len(trials), 'test')} passed")
    return 1 if failed else 0
