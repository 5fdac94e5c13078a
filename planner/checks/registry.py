"""All readiness checks, and the one function that runs them.

    rules of each family ──ask every VM──▶ findings, and for each check how many VMs it could not decide

Unknown is neither finding nor pass: it is counted, so that a thin export does not look healthy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from planner.checks import compute, disks, guest, network, snapshots
from planner.checks.check import Check, Rule
from planner.checks.estate import survey
from planner.errors import NotFound
from planner.model import Finding, Inventory, Severity

_RULES: tuple[Rule, ...] = (
    *disks.RULES,
    *snapshots.RULES,
    *compute.RULES,
    *network.RULES,
    *guest.RULES,
)
_WEIGHT = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}
# Checks about a kind of device that a source may not list at all.
_DISK_FAMILY = "disks"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Findings by severity, check and VM name; ``unknown`` counts VMs by check id, zeros left out."""

    findings: tuple[Finding, ...]
    unknown: dict[str, int]

    def count(self, severity: Severity) -> int:
        """Return how many findings have a severity."""
        return sum(finding.severity is severity for finding in self.findings)


def all_checks() -> tuple[Check, ...]:
    """Return every check, in the order of families and files."""
    return tuple(rule.check for rule in _RULES)


def explain(check_id: str) -> Check:
    """Return one check by id; raises NotFound."""
    for rule in _RULES:
        if rule.check.id == check_id:
            return rule.check
    families = ", ".join(dict.fromkeys(rule.check.family for rule in _RULES))
    raise NotFound(
        f"check {check_id!r} does not exist", f"families are {families}; list them all without an id"
    )


def run_checks(inventory: Inventory) -> Readiness:
    """Ask every check about every VM that moves; pure, one pass, no I/O."""
    estate = survey(inventory)
    findings: list[Finding] = []
    unknown: Counter[str] = Counter()
    no_disks = "disks" in estate.gaps
    for vm in inventory.vms:
        for rule in _RULES:
            if rule.of_movable and not vm.movable:
                continue
            check = rule.check
            undecided = no_disks and check.family == _DISK_FAMILY
            for answer in rule.ask(vm, estate):
                if answer is None:
                    undecided = True
                else:
                    findings.append(Finding(check.id, check.severity, vm.id, vm.name, answer, check.remedy))
            unknown[check.id] += undecided
    findings.sort(
        key=lambda item: (_WEIGHT[item.severity], item.check, item.subject_name, item.subject, item.message)
    )
    return Readiness(tuple(findings), {key: count for key, count in sorted(unknown.items()) if count})
