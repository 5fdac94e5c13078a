"""The published page of checks is what the checks say."""

from __future__ import annotations

import re

from planner.checks.custom import rules_of
from planner.checks.marked import parse_marked
from planner.checks.reference import _TITLES, PAGE, page
from planner.checks.registry import all_checks
from planner.fields import FIELDS


def test_the_page_is_what_the_checks_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m planner.checks.reference"


def test_every_check_and_field_stands_there_once() -> None:
    text = page()
    for check in all_checks():
        assert text.count(f"\n### {check.id}\n") == 1, check.id
        assert check.family in _TITLES
    for name in FIELDS:
        assert text.count(f"\n| `{name}` |") == 1, name


def test_the_example_of_own_rules_is_one_and_its_tests_pass() -> None:
    example = page().partition("```yaml\n")[2].partition("```")[0]
    file = rules_of(parse_marked(example, "example"), "example", [])
    assert file.untested() == ()
    assert [trial.passed for trial in file.trials()] == [True, True]


def test_families_stand_together_and_are_linked() -> None:
    text = page()
    families = list(dict.fromkeys(check.family for check in all_checks()))
    links = re.findall(r"^- \[(.+)\]\(#(.+)\): \d+$", text, re.MULTILINE)
    assert [title for title, _ in links] == [_TITLES[family] for family in families]
    for title, anchor in links:
        assert f"\n## {title}\n" in text
        assert re.fullmatch(r"[a-z-]+", anchor)
    assert sum(map(int, re.findall(r"\): (\d+)$", text, re.MULTILINE))) == len(all_checks())
