"""A project's own rules: a YAML list of checks whose condition is a filter, with tests beside them.

    - id: site.windows-2008
      title: Windows 2008 still runs
      when: os~"Windows 2008" and power:on
      severity: blocker                    # or {warm: blocker, cold: warning}
      why: The new datacenter does not take it.
      remedy: replace it before the move
      tests: [{vm: {guest_os: Windows 2008 R2, power: poweredOn}, expect: finding}]

They are three-valued like ours: what hangs on what the source does not say is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, ValidationError

from planner.checks.check import Check, Rule, Work
from planner.checks.estate import Estate, moment
from planner.checks.marked import Marked, read_marked
from planner.errors import BadInput
from planner.fields import Seen
from planner.model import VM, Method, Severity
from planner.names import visible
from planner.query import Filter, parse

_HINT = "correct it there; the format is described by planner/schemas/rules.schema.json"
_NAMED = {"id": "test", "name": "test"}  # what a VM of a test is called unless it says so

Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\n\r]*$")]


class Outcome(StrEnum):
    """What a check says of a VM."""

    FINDING = "finding"
    FINE = "fine"
    UNKNOWN = "unknown"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OwnWork(_Part):
    """What it takes to clear a finding."""

    effort_min: int = Field(ge=0, description="minutes of work for one VM, or for a wave when shared")
    outage: bool = Field(False, description="the VM has to be off for it")
    lead_days: int = Field(1, ge=0, le=365, description="days before the seed by which it has to be done")
    shared: bool = Field(False, description="it is one task for all VMs of a wave")
    each_min: float = Field(0.0, ge=0, description="more minutes for each VM when shared")


class OwnTest(_Part):
    """A VM and what the rule has to say of it."""

    vm: VM = Field(description="any fields of a VM of the inventory; id and name may be left out")
    expect: Outcome
    gaps: tuple[str, ...] = Field((), description="kinds the source had no word on")
    taken_at: str = Field("", description="when the inventory was taken, ISO 8601")


class OwnRule(_Part):
    """A check that a project adds."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$", max_length=80)
    title: Line
    when: Line = Field(description="filter: it is a finding where this holds")
    unknown_when: str = Field("", description="filter: it cannot be decided where this holds, or may hold")
    severity: Severity | dict[Method, Severity] = Field(description="one for all methods, or one for each")
    why: Line
    remedy: Line
    reference: str = ""
    work: OwnWork | None = None
    tests: tuple[OwnTest, ...] = ()


class OwnRules(RootModel[tuple[OwnRule, ...]]):
    """A file of own rules."""

    model_config = ConfigDict(strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule finds something, and when it cannot say."""

    when: Filter
    unknown_when: Filter | None

    def outcome(self, vm: VM, seen: Seen) -> Outcome:
        """Return what the rule says of a VM."""
        # What may make it undecidable makes it unknown: never fine by a guess.
        if self.unknown_when is not None and self.unknown_when.decide(vm, seen) is not False:
            return Outcome.UNKNOWN
        found = self.when.decide(vm, seen)
        if found is None:
            return Outcome.UNKNOWN
        return Outcome.FINDING if found else Outcome.FINE


@dataclass(frozen=True, slots=True)
class Trial:
    """One test of a rule as it came out. ``number`` counts a rule's tests from 1."""

    rule: str
    number: int
    line: int
    expected: Outcome
    got: Outcome

    @property
    def passed(self) -> bool:
        """True when the rule said what the test expects."""
        return self.expected is self.got


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The rules of one file, checked, with their conditions and the lines their tests stand at."""

    where: str
    rules: tuple[OwnRule, ...]
    conditions: tuple[Condition, ...]
    lines: Marked

    def as_rules(self) -> tuple[Rule, ...]:
        """Return them as checks like ours."""
        return tuple(map(_as_rule, self.rules, self.conditions))

    def trials(self) -> tuple[Trial, ...]:
        """Run all tests of the file."""
        return tuple(
            Trial(
                rule.id,
                number,
                self.lines.line((at, "tests", number - 1)),
                test.expect,
                condition.outcome(test.vm, Seen(frozenset(test.gaps), moment(test.taken_at))),
            )
            for at, (rule, condition) in enumerate(zip(self.rules, self.conditions, strict=True))
            for number, test in enumerate(rule.tests, 1)
        )

    def untested(self) -> tuple[str, ...]:
        """Return the ids of rules without a test."""
        return tuple(rule.id for rule in self.rules if not rule.tests)


def _work(own: OwnWork | None, only_info: bool) -> Work | None:
    if own is None:
        return None
    # What is only worth knowing makes no task of its own; said work is done for the whole wave then.
    if only_info and not own.shared and not own.outage:
        return Work(0, lead_days=own.lead_days, shared=True, each_min=own.effort_min)
    return Work(own.effort_min, own.outage, own.lead_days, shared=own.shared, each_min=own.each_min)


def _as_rule(own: OwnRule, condition: Condition) -> Rule:
    severities = (
        dict.fromkeys(Method, own.severity) if isinstance(own.severity, Severity) else dict(own.severity)
    )
    title = visible(own.title, 120)

    def ask(vm: VM, estate: Estate) -> Iterator[str | None]:
        found = condition.outcome(vm, Seen(estate.gaps, estate.taken_at))
        if found is Outcome.UNKNOWN:
            yield None
        elif found is Outcome.FINDING:
            facts = condition.when.facts(vm, Seen(estate.gaps, estate.taken_at))
            yield f"{visible(vm.name)}: {title}" + (f" ({', '.join(facts)})" if facts else "")

    check = Check(
        own.id,
        own.title,
        severities,
        own.why,
        own.remedy,
        condition=own.when + (f"; unknown when {own.unknown_when}" if own.unknown_when else ""),
        reference=own.reference,
        work=_work(own.work, all(item is Severity.INFO for item in severities.values())),
    )
    return Rule(check, ask)


def _with_names(value: object) -> object:
    """Return the document with a name for every VM of a test that has none."""
    for rule in value if isinstance(value, list) else ():
        tests = rule.get("tests") if isinstance(rule, dict) else None
        for test in tests if isinstance(tests, list) else ():
            if isinstance(test, dict) and isinstance(test.get("vm"), dict):
                test["vm"] = {**_NAMED, **test["vm"]}
    return value


def _refused(marked: Marked, where: str, place: tuple[str | int, ...], why: str) -> BadInput:
    rule = marked.value[place[0]] if place and isinstance(place[0], int) else None
    named = rule.get("id") if isinstance(rule, dict) else None
    # Brackets are pydantic's names for the members of a choice.
    field = ".".join(str(part) for part in place[1:] if "[" not in str(part))
    parts = [
        f"{where} line {marked.line(place)}",
        f"rule {visible(named, 60)}" if isinstance(named, str) else "",
        f"field {visible(field, 60)}" if field else "",
    ]
    return BadInput(f"{', '.join(filter(None, parts))}: {why}", _HINT)


_NO_FIELD = {"extra_forbidden", "unexpected_keyword_argument"}


def _why(error: dict[str, object]) -> str:
    kind, said = error["type"], str(error["msg"])
    if kind in _NO_FIELD:
        return "there is no such field"
    if kind == "missing":
        return "it is missing"
    if kind == "string_pattern_mismatch":
        return "it has to be words of small letters, digits and hyphens joined by points, on one line"
    return f"{said[:1].lower()}{said[1:]}"


def _validated(marked: Marked, where: str) -> tuple[OwnRule, ...]:
    if marked.value is None:
        return ()  # a file of comments
    if not isinstance(marked.value, list):
        raise BadInput(f"{where} is no list of rules", "begin every rule with '- id: family.name'")
    try:
        return OwnRules.model_validate_json(json.dumps(_with_names(marked.value))).root
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        # A field that was mistyped is missing too; what is there to be seen helps more.
        first = next((item for item in found if item["type"] in _NO_FIELD), found[0])
        raise _refused(marked, where, first["loc"], _why({**first})) from error


def _condition(rule: OwnRule, at: int, marked: Marked, where: str) -> Condition:
    parsed: dict[str, Filter | None] = {}
    for field, text in (("when", rule.when), ("unknown_when", rule.unknown_when)):
        try:
            parsed[field] = parse(text) if text.strip() else None
        except BadInput as error:
            refused = _refused(marked, where, (at, field), error.message)
            raise BadInput(refused.message, error.hint) from error
    if parsed["when"] is None:
        raise _refused(marked, where, (at, "when"), "it is empty, and would find every VM")
    return Condition(parsed["when"], parsed["unknown_when"])


def rules_of(marked: Marked, where: str, taken: Sequence[str]) -> RuleFile:
    """Return the rules of a document; ``taken`` are ids they may not have; raises BadInput."""
    rules = _validated(marked, where)
    seen = set(taken)
    for at, rule in enumerate(rules):
        if rule.id in seen:
            why = "wherry has a check of this id" if rule.id in taken else "another rule has this id"
            raise _refused(marked, where, (at, "id"), why)
        seen.add(rule.id)
        if isinstance(rule.severity, dict) and set(rule.severity) != set(Method):
            raise _refused(marked, where, (at, "severity"), f"it needs one for each of {', '.join(Method)}")
        if rule.work and rule.work.outage and (rule.work.shared or rule.severity is Severity.INFO):
            why = "work with an outage is no shared task and nothing that is only worth knowing"
            raise _refused(marked, where, (at, "work"), why)
        if rule.work and rule.work.each_min and not rule.work.shared:
            raise _refused(marked, where, (at, "work"), "each_min goes with shared only")
    conditions = tuple(_condition(rule, at, marked, where) for at, rule in enumerate(rules))
    return RuleFile(where, rules, conditions, marked)


def read_rules(path: Path) -> RuleFile:
    """Return the rules of a YAML file; raises BadInput that names file, line, rule and field."""
    from planner.checks.registry import all_checks

    return rules_of(read_marked(path), visible(str(path)), [check.id for check in all_checks()])
