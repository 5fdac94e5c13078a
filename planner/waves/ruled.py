"""The DRS rules of the source that concern a wave, as its plan says them.

A rule is in the plan of every wave that one of its VMs is in: whichever comes last builds it. Rules of which
the source knows no more than the name, and the order in which HA starts VMs, are in none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planner.model import DrsRule, Inventory, RuleKind
from planner.plan import PlannedRule
from planner.waves.content import writable

RulesOf = Mapping[str, tuple[PlannedRule, ...]]  # by VM id


def rules_of(inventory: Inventory) -> RulesOf:
    """Return the rules that each VM is in."""
    names = {vm.id: writable(vm.name) for vm in inventory.vms}
    found: dict[str, list[PlannedRule]] = {}
    for cluster in inventory.clusters:
        for rule in cluster.rules or ():
            if rule.vms and rule.kind is not RuleKind.ORDER:
                planned = _planned(rule, names)
                for vm in planned.vms:
                    found.setdefault(vm, []).append(planned)
    return {vm: tuple(rules) for vm, rules in found.items()}


def rules_for(vms: Iterable[str], known: RulesOf) -> tuple[PlannedRule, ...]:
    """Return the rules that any of these VMs is in, each once."""
    return tuple({id(rule): rule for vm in vms for rule in known.get(vm, ())}.values())


def _planned(rule: DrsRule, names: Mapping[str, str]) -> PlannedRule:
    return PlannedRule(
        name=writable(rule.name),
        kind=rule.kind,
        vms={vm: names.get(vm, vm) for vm in rule.vms or ()},
        enabled=rule.enabled is not False,
        mandatory=rule.mandatory is True,
        vm_group=writable(rule.vm_group),
        host_group=writable(rule.host_group),
        affine=rule.affine,
    )
