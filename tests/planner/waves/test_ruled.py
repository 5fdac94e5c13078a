"""DRS rules in a plan: in every wave that one of their VMs is in, whole, and those that can be built."""

from __future__ import annotations

from planner.model import Cluster, DrsGroup, DrsRule, Inventory, RuleKind
from planner.plan import Plan, PlannedRule
from tests.planner.sketch import estate, plan, vm


def source(*rules: DrsRule) -> Inventory:
    groups = (DrsGroup("dbs", False, ("id-a",)), DrsGroup("licensed", True, ("host-1",)))
    cluster = Cluster("c1", "prod", rules=rules, groups=groups)
    return estate(vm("a"), vm("b"), vm("c"), vm("stays", template=True), clusters=(cluster,))


def test_a_rule_is_in_every_wave_of_its_vms_and_names_all_of_them() -> None:
    apart = DrsRule("apart", RuleKind.APART, ("id-a", "id-stays", "id-gone"), False)
    pinned = DrsRule("pinned", RuleKind.VM_HOST, ("id-a",), True, True, "dbs", "licensed", False)
    together = DrsRule("together", RuleKind.TOGETHER, ("id-a", "id-b"), None)
    made = plan(source(apart, pinned, together), caps={"vms": 1})
    rules = {one.vms[0].name: [rule.name for rule in one.rules] for one in made.waves}
    assert rules == {"a": ["apart", "pinned", "together"], "b": ["together"], "c": []}
    found = {rule.name: rule for one in made.waves for rule in one.rules}
    assert found["apart"] == PlannedRule(
        name="apart",
        kind=RuleKind.APART,
        vms={"id-a": "a", "id-stays": "stays", "id-gone": "id-gone"},
        enabled=False,
    )
    assert (found["pinned"].mandatory, found["pinned"].host_group, found["pinned"].affine) == (
        *(True, "licensed", False),
    )
    assert found["together"].enabled


def test_rules_of_which_not_all_is_known_and_orders_are_in_no_plan() -> None:
    unknown = DrsRule("name only", RuleKind.TOGETHER)
    empty = DrsRule("empty", RuleKind.TOGETHER, ())
    order = DrsRule("first", RuleKind.ORDER, ("id-a", "id-b"))
    assert [wave.rules for wave in plan(source(unknown, empty, order)).waves] == [()]


def test_an_approval_is_of_the_rules_and_not_of_the_names_in_them() -> None:
    def made(*rules: DrsRule) -> Plan:
        return plan(source(*rules))

    rule = DrsRule("together", RuleKind.TOGETHER, ("id-a", "id-stays"), True)
    bare, (wave,) = made().waves[0], made(rule).waves
    assert bare.fingerprint != wave.fingerprint
    (said,) = wave.rules
    renamed = said.model_copy(update={"vms": {"id-a": "x", "id-stays": "y"}})
    assert wave.model_copy(update={"rules": (renamed,)}).fingerprint == wave.fingerprint
    assert wave.model_copy(update={"rules": ()}).fingerprint == bare.fingerprint
