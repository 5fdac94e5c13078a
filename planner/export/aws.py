"""The plan as the intake form of Cloud Migration Factory on AWS: one server a row.

What only people at the target know (account, region, subnets, security groups, instance types) stays
empty for them; what the inventory does not say stays empty too and is never guessed.
"""

from __future__ import annotations

from planner.checks.lifecycle import runs
from planner.export.csv import table_bytes
from planner.export.printout import Cell, Printout, Table
from planner.model import VM
from planner.names import visible
from planner.plan import PlannedVM, Wave

COLUMNS = (
    "wave_name", "app_name", "aws_region", "aws_accountid", "server_name", "server_os_family",
    "server_os_version", "server_fqdn", "server_tier", "server_environment", "r_type", "subnet_IDs",
    "securitygroup_IDs", "subnet_IDs_test", "securitygroup_IDs_test", "instanceType", "tenancy", "tags",
)  # fmt: skip


_NEITHER = frozenset({"FreeBSD", "Solaris", "macOS"})


def _family(vm: VM) -> str:
    known = runs(vm)
    if known is None or known.family in _NEITHER:
        return ""
    return "windows" if known.family.startswith("Windows") else "linux"


def _tag(key: str, value: str) -> str:
    """Return ``key=value``; the two characters that part tags become a blank."""
    return f"{key}={visible(value).replace(';', ' ').replace('=', ' ')}" if value else ""


def _row(printout: Printout, wave: Wave, vm: PlannedVM, group: str) -> tuple[Cell, ...]:
    seen = printout.vms.get(vm.id)
    tags = (
        _tag("Group", group),
        _tag("Owner", printout.owner(seen)),
        _tag("Criticality", seen.criticality if seen else ""),
        _tag("VMId", seen.moref or seen.id if seen else vm.id),
    )
    return (
        wave.name,
        visible((seen.application if seen else "") or group),
        "",
        "",
        visible(vm.name),
        _family(seen) if seen else "",
        visible(((seen.guest.running_os or seen.guest_os) if seen else "") or vm.guest_os),
        visible(seen.dns_name) if seen else "",
        visible(seen.tier) if seen else "",
        visible(seen.environment) if seen else "",
        "Rehost",
        "", "", "", "", "", "",
        ";".join(tag for tag in tags if tag),
    )  # fmt: skip


def render(printout: Printout) -> bytes:
    """Return the form's bytes, header first."""
    rows: list[tuple[Cell, ...]] = []
    for wave in printout.plan.waves:
        group_of = {vm: group.name for group in wave.groups for vm in group.vms}
        rows += [_row(printout, wave, vm, group_of.get(vm.id, "")) for vm in wave.vms]
    return table_bytes(Table("Intake form", COLUMNS, tuple(rows)))
