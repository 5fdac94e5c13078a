"""Checks of other products that replicate a VM already."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import VM, Severity
from planner.names import visible

RULES: list[Rule] = []


@rule(
    RULES,
    "replication.other",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Replicated by another product",
    condition="the VM is configured for vSphere Replication, or its settings, filters or manager name "
    "another product; unknown where nothing does and a product that replicates is registered there",
    properties=(
        "config.repConfig",
        "config.extraConfig[hbr_filter.*]",
        "config.managedBy.extensionKey",
        "ExtensionManager.extensionList.key",
    ),
    reference="vSphere API: VirtualMachineConfigInfo.repConfig",
    why="Two products that take and remove snapshots or filter the writes of one VM disturb each other, and "
    "the VM's protection ends unnoticed when it moves.",
    remedy="agree with its owner when the other replication ends, remove the VM from it, then start the seed",
    work=Work(effort_min=30, lead_days=2),
)
def replicated(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: replicated by another product."""
    if vm.management.replication is None:
        yield None
    elif vm.management.replication:
        yield f"{visible(vm.name)} is replicated by {visible(vm.management.replication, 60)}"
