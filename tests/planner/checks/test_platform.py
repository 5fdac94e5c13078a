"""Checks of what VMs stand on, of what vCenter keeps about them, and of the target as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from planner.checks.registry import all_checks
from planner.model import (
    Cluster,
    Disk,
    DrsRule,
    Host,
    Inventory,
    Licence,
    Management,
    RuleKind,
    VCenter,
)
from planner.units import GIB
from tests.planner.checks.verdict import OFF, ON, Item, estate, findings, verdict, vm

APART = DrsRule("apart", RuleKind.APART, vms=("id-app-01", "id-b"), enabled=True)
MUST = DrsRule("licensed", RuleKind.VM_HOST, ("id-app-01",), True, mandatory=True, host_group="oracle")
SHOULD = DrsRule("near", RuleKind.VM_HOST, ("id-app-01",), True, mandatory=False, host_group="rack")


def ruled(*rules: DrsRule) -> dict[str, Any]:
    return {"clusters": (Cluster("c", "prod", rules=rules),)}


def held(**more: Any) -> Any:
    return vm(management=Management(**more))


def there(*licences: Licence, **more: Any) -> dict[str, Any]:
    return {"target": estate(licences=licences, **more)}


def hosts(*gib: int, running: int = 0, **more: Any) -> dict[str, Any]:
    members = tuple(Host(str(at), str(at), memory_bytes=size * GIB) for at, size in enumerate(gib))
    busy = (vm("there", power=ON, memory_bytes=running * GIB),) if running else ()
    return {"target": estate(*busy, hosts=members), **more}


IN = vm(cluster="prod")
BIG = vm(power=ON, memory_bytes=64 * GIB)
ONE_DISK = vm(disks=(Disk("1", "d", GIB),), management=Management(storage_policy=""))
OLD, NEW = VCenter("v", version="7.0.3"), VCenter("v", version="8.0.3")
CASES: list[tuple[str, str, Item, dict[str, Any]]] = [
    ("platform.drs.rule", "finding", IN, ruled(APART)),
    ("platform.drs.rule", "finding", vm(rules=("by name",)), {}),
    ("platform.drs.rule", "fine", IN, ruled()),
    ("platform.drs.rule", "unknown", IN, {"clusters": (Cluster("c", "prod"),)}),
    ("platform.drs.rule", "unknown", IN, {}),
    ("platform.drs.must", "finding", IN, ruled(MUST)),
    ("platform.drs.must", "fine", IN, ruled(SHOULD, APART)),
    ("platform.drs.must", "unknown", IN, ruled(DrsRule("x", RuleKind.VM_HOST, ("id-app-01",)))),
    ("platform.drs.must", "unknown", IN, {}),
    ("platform.override", "finding", held(drs_override="manual", restart_priority=""), {}),
    ("platform.override", "finding", held(restart_priority="high"), {}),
    ("platform.override", "fine", held(drs_override="", restart_priority=""), {}),
    ("platform.override", "unknown", held(drs_override=""), {}),
    ("platform.policy", "finding", held(storage_policy="gold"), {}),
    ("platform.policy", "fine", held(storage_policy=""), {}),
    ("platform.policy", "unknown", ONE_DISK, {}),
    ("platform.tags", "finding", vm(tags=(("Env", "prod"),)), {}),
    ("platform.tags", "fine", vm(tags=()), {}),
    ("platform.tags", "unknown", vm(), {}),
    ("platform.attributes", "finding", vm(attributes=(("Owner", "A"),)), {}),
    ("platform.attributes", "fine", vm(), {"vms": (vm("b", attributes=(("Owner", "A"),)),)}),
    ("platform.attributes", "unknown", vm(), {}),
    ("platform.pool", "finding", vm(resource_pool="/dc/host/prod/Resources/gold"), {}),
    ("platform.pool", "fine", vm(resource_pool="/dc/host/prod/Resources"), {}),
    ("platform.pool", "unknown", vm(), {}),
    ("platform.vapp", "finding", vm(vapp="shop"), {}),
    ("platform.vapp", "fine", vm(resource_pool="Resources"), {}),
    ("platform.vapp", "unknown", vm(), {}),
    ("platform.permissions", "finding", held(permissions=2), {}),
    ("platform.permissions", "fine", held(permissions=0), {}),
    ("platform.permissions", "unknown", vm(), {}),
    ("platform.backup.job", "finding", held(last_backup="2026-06-29T00:00:00Z"), {}),
    ("platform.backup.job", "unknown", vm(), {}),
    ("platform.backup.old", "finding", held(last_backup="2026-06-20T00:00:00Z"), {}),
    ("platform.backup.old", "fine", held(last_backup="2026-06-29T00:00:00Z"), {}),
    ("platform.backup.old", "unknown", held(last_backup="yesterday"), {}),
    ("platform.certificate.host", "finding", Host("h", "e", certificate_expires="2026-08-01T00:00:00Z"), {}),
    ("platform.certificate.host", "fine", Host("h", "e", certificate_expires="2027-08-01T00:00:00Z"), {}),
    ("platform.certificate.host", "unknown", Host("h", "esx"), {}),
    ("platform.certificate.host", "unknown", None, {"gaps": ("hosts",)}),
    ("platform.certificate.vcenter", "finding", VCenter("v", certificate_expires="2026-01-01T00:00:00Z"), {}),
    ("platform.certificate.vcenter", "fine", VCenter("v", certificate_expires="2029-01-01T00:00:00Z"), {}),
    ("platform.certificate.vcenter", "unknown", VCenter("v"), {}),
    ("platform.linked", "finding", VCenter("v", linked=True), {}),
    ("platform.linked", "fine", VCenter("v", linked=False), {}),
    ("platform.linked", "unknown", VCenter("v"), {}),
    ("platform.scheduled-tasks", "finding", VCenter("v", scheduled_tasks=3), {}),
    ("platform.scheduled-tasks", "fine", VCenter("v", scheduled_tasks=0), {}),
    ("platform.scheduled-tasks", "unknown", VCenter("v"), {}),
    ("platform.replication", "finding", VCenter("v", extensions=("com.vmware.vcDr",)), {}),
    ("platform.replication", "fine", VCenter("v", extensions=("com.vmware.vum",)), {}),
    ("platform.replication", "unknown", VCenter("v"), {}),
    ("platform.version.older", "finding", NEW, there(vcenters=(OLD,))),
    ("platform.version.older", "fine", OLD, there(vcenters=(NEW,))),
    ("platform.version.older", "unknown", OLD, {}),
    ("platform.version.older", "unknown", OLD, there(vcenters=(VCenter("w"),))),
    ("platform.clock", "finding", Host("h", "esx", clock_skew_s=-2.5), {}),
    ("platform.clock", "fine", Host("h", "esx", clock_skew_s=0.5), {}),
    ("platform.clock", "unknown", Host("h", "esx"), {}),
    ("platform.ntp", "finding", Host("h", "esx", ntp_servers=()), {}),
    ("platform.ntp", "finding", Host("h", "esx", ntp_servers=("a",), ntp_running=False), {}),
    ("platform.ntp", "fine", Host("h", "esx", ntp_servers=("a",), ntp_running=True), {}),
    ("platform.ntp", "unknown", Host("h", "esx", ntp_servers=("a",)), {}),
    ("platform.stretched", "finding", Cluster("c", "prod", vsan=True, vsan_stretched=True), {}),
    ("platform.stretched", "fine", Cluster("c", "prod", vsan=False), {}),
    ("platform.stretched", "unknown", Cluster("c", "prod", vsan=True), {}),
    ("platform.licence.expired", "finding", None, there(Licence("v8", expires="2026-07-10T00:00:00Z"))),
    ("platform.licence.expired", "fine", None, there(Licence("v8", expires="2027-07-10T00:00:00Z"))),
    ("platform.licence.expired", "unknown", None, there(Licence("v8", expires="soon"))),
    ("platform.licence.expired", "unknown", None, there(gaps=("licences",))),
    ("platform.licence.expired", "unknown", None, {}),
    ("platform.licence.full", "finding", None, there(Licence("vSphere 8", total=4, used=4))),
    ("platform.licence.full", "fine", None, there(Licence("vSphere 8", total=0, used=4))),
    ("platform.licence.full", "unknown", None, there(Licence("vSphere 8", used=4))),
    ("platform.licence.full", "unknown", None, {}),
    ("platform.admission", "finding", BIG, hosts(64, 63)),
    ("platform.admission", "finding", BIG, hosts(64, 64, running=1)),
    ("platform.admission", "fine", BIG, hosts(64, 64)),
    ("platform.admission", "fine", vm(power=OFF, memory_bytes=64 * GIB), hosts(1, 1)),
    ("platform.admission", "unknown", vm(power=ON), hosts(64, 64)),
    ("platform.admission", "unknown", BIG, hosts(64, 0)),
    ("platform.admission", "unknown", BIG, {}),
]  # fmt: skip
# A backup that nobody mentions may well be taken by a job that leaves no trace at the VM.
NEVER_FINE = {"platform.backup.job"}


@pytest.mark.parametrize(("check", "expected", "item", "more"), CASES)
def test_each_check(check: str, expected: str, item: Item, more: dict[str, Any]) -> None:
    assert verdict(check, item, **more) == expected


def test_every_check_has_all_its_cases() -> None:
    wanted = {check.id for check in all_checks() if check.family == "platform"}
    assert {(check, said) for check, said, _, _ in CASES} == {
        (check, said)
        for check in wanted
        for said in ("finding", "fine", "unknown")
        if said != "fine" or check not in NEVER_FINE
    }


def test_a_rule_is_told_with_what_it_asks_for() -> None:
    found, _ = findings("platform.drs.rule", IN, **ruled(APART, MUST))
    assert found[0].message == "app-01 is named by DRS rules: apart (keep apart), licensed (run on hosts)"


def test_a_finding_about_the_whole_names_the_estate() -> None:
    found, _ = findings("platform.admission", BIG, **hosts(64, 63))
    assert (found[0].subject_kind, found[0].subject, found[0].subject_name) == ("estate", "estate", "test")


def test_progress_is_told_while_many_vms_are_asked() -> None:
    from planner.checks.registry import run_checks

    said: list[tuple[int, int]] = []
    vms = tuple(vm(f"v{at}") for at in range(401))
    run_checks(Inventory("t", "", vms), progress=lambda done, total: said.append((done, total)))
    assert said == [(0, 401), (200, 401), (400, 401)]
