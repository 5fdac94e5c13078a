"""What a source does not say is never reported as fine."""

from __future__ import annotations

import pytest

from planner.checks.registry import all_checks, run_checks
from planner.model import VM, Inventory, Power
from planner.settings import Settings
from tests.planner.checks.verdict import TAKEN, estate

KINDS = (
    "disks", "nics", "snapshots", "cdroms", "usb", "floppies", "devices", "hosts", "clusters", "datastores",
    "networks", "luns", "licences", "vcenters", "tags", "partitions", "placeholders",
)  # fmt: skip
# A VM in an inventory always has a name.
ALWAYS_DECIDED = {
    "compute.agent",
    "names.duplicate",
    "names.invalid",
    "names.label",
}


@pytest.mark.parametrize("settings", [None, Settings()])
@pytest.mark.parametrize("target", [None, estate(gaps=KINDS)])
def test_a_source_that_says_nothing_leaves_every_check_unknown(
    settings: Settings | None, target: Inventory | None
) -> None:
    readiness = run_checks(Inventory("test", TAKEN, (VM("1", "mute"),), gaps=KINDS), settings, target)
    assert readiness.findings == ()
    # That a name or a number is nowhere at the target is known as soon as its VMs are.
    decided = {check.id for check in all_checks()} - set(readiness.unknown)
    assert decided == ALWAYS_DECIDED | ({"names.target"} if target else set())


def test_a_vm_that_says_something_decides_something() -> None:
    """Negative control: the same question of a VM that says more leaves less unknown."""
    said = VM("1", "said", power=Power.ON, cbt=True, tools="toolsOk", dns_name="a.example.test")
    mute = run_checks(Inventory("test", TAKEN, (VM("1", "mute"),), gaps=KINDS)).unknown
    less = run_checks(Inventory("test", TAKEN, (said,), gaps=KINDS)).unknown
    assert set(less) < set(mute)
    assert {"guest.tools.missing", "names.host"} <= set(mute) - set(less)
