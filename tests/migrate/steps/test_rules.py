"""rules: built once all their VMs are there, told otherwise, and removed on the way back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from migrate.papers.evidence import evidence
from migrate.rehearsal import model_of
from migrate.rehearsals.faults import CHANGING
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.runbook import Step
from migrate.sites.ports import Capability
from migrate.sites.rules import NewRule
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.twin import Twin
from planner.errors import SiteRefused
from planner.model import RuleKind
from planner.plan import PlannedRule, Wave
from planner.settings import Link
from tests.migrate.estate import small_wave

BOTH = {"id-web": "web", "id-db": "db"}
TOGETHER = PlannedRule(name="shop\u202e", kind=RuleKind.TOGETHER, vms=BOTH, enabled=False)
WAITING = PlannedRule(name="later", kind=RuleKind.APART, vms={"id-web": "web", "id-x": "x\u202e"})


def ruled(*rules: PlannedRule) -> Wave:
    return small_wave().model_copy(update={"rules": rules})


class Target:
    """A site that has the two VMs of the wave, and remembers what it is asked for."""

    name = "dc2"
    capabilities = frozenset({Capability.RULES})

    def __init__(self, why: str = "", *, declines: bool = False) -> None:
        self.why, self.declines = why, declines
        self.asked: list[tuple[str, Any]] = []

    def observe(self, vm: str) -> str | None:
        return vm if vm in BOTH else None

    def build_rule(self, rule: NewRule, op: str) -> str:
        self.asked.append((op, rule))
        if self.declines:
            raise SiteRefused("the account may not", "ask for it")
        return self.why

    def drop_rule(self, rule: NewRule, op: str) -> None:
        self.asked.append((op, rule.name))


def step_of(*rules: PlannedRule) -> Step:
    return compose(ruled(*rules)).step("rules")


def acted(target: Target, *rules: PlannedRule) -> dict[str, Any]:
    ctx = cast(Context, SimpleNamespace(target=target))
    return KINDS["rules"].act(ctx, step_of(*rules), "1/rules/do1")


def test_a_rule_is_built_as_it_was_once_all_its_vms_are_there() -> None:
    target = Target()
    result = acted(target, TOGETHER, WAITING)
    rule = NewRule("shop\u202e", RuleKind.TOGETHER, tuple(BOTH), enabled=False)
    assert target.asked == [("1/rules/do1", rule)]
    assert result == {"built": ["shop\u202e"], "left": [["later", "waits for x<U+202E>"]]}
    assert evidence("rules", result) == "built 1 rule; later is not built: waits for x<U+202E>"


def test_what_stands_against_a_rule_is_told_and_holds_nothing_up() -> None:
    assert acted(Target("no such hosts"), TOGETHER)["left"] == [["shop\u202e", "no such hosts"]]
    assert acted(Target(declines=True), TOGETHER)["left"] == [["shop\u202e", "the account may not"]]
    without = Target()
    without.capabilities = frozenset()
    assert acted(without, TOGETHER)["left"] == [["shop\u202e", "site dc2 keeps no rules"]]
    assert without.asked == []
    told = evidence("rules", acted(Target("\x1b"), TOGETHER))
    assert told == "shop<U+202E> is not built: \N{SYMBOL FOR ESCAPE}"


def test_going_back_removes_all_that_it_may_have_built() -> None:
    target = Target()
    ctx = cast(Context, SimpleNamespace(target=target))
    KINDS["rules"].undo(ctx, step_of(TOGETHER, WAITING), "1/rules/undo1")
    assert target.asked == [("1/rules/undo1", "shop\u202e"), ("1/rules/undo1", "later")]


def test_rules_stand_before_the_vms_start_and_a_wave_without_any_has_no_such_step() -> None:
    steps = {step.id: step for step in compose(ruled(TOGETHER)).steps}
    rules = steps["rules"]
    assert rules.undoable
    assert {need.rpartition("/")[2] for need in rules.needs} == {"mark"}
    first = [step for step in steps.values() if step.kind == "start" and "rules" in step.needs]
    assert first
    assert not [step for step in compose(small_wave()).steps if step.kind == "rules"]
    assert KINDS["rules"].plan(rules) == "build once all their VMs are there: shop<U+202E>"


def test_the_twin_builds_rules_and_goes_back_where_a_site_fails_in_it() -> None:
    def run(wave: Wave, **target: int) -> Any:
        return Twin(compose(wave), model_of(wave, Link()), KINDS, 1, {}, target).run()

    calm = run(ruled(TOGETHER))
    assert (calm.outcome, "rules" in calm.spans) == (Outcome.COMMITTED, True)
    assert run(ruled(TOGETHER), build_rule=1_000_000).outcome is not Outcome.COMMITTED
    assert {"build_rule", "drop_rule"} <= CHANGING
