"""Every check of disks, storage, machines, devices and hosts: found, fine, unknown, and how it is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from planner.checks.check import About, Rule, rule
from planner.checks.registry import Readiness, all_checks, explain, run_checks
from planner.errors import NotFound
from planner.model import VM, Cdrom, Device, DeviceKind, Disk, Inventory, Method, Nic, Severity, Snapshot
from planner.sources.opening import read_source
from tests.planner.checks.test_disks import CASES as OF_DISKS
from tests.planner.checks.test_machines import CASES as OF_MACHINES
from tests.planner.checks.test_storage import CASES as OF_STORAGE
from tests.planner.checks.world import FAMILIES, GOOD, TWIN, Case, World, ask, found, one, weights

CASES = (*OF_DISKS, *OF_STORAGE, *OF_MACHINES)
MINE = [check for check in all_checks() if check.family in FAMILIES]
KINDS = (
    "disks", "nics", "snapshots", "cdroms", "usb", "floppies", "devices", "hosts", "clusters", "datastores",
    "networks", "luns", "licences", "vcenters", "tags", "partitions", "placeholders",
)  # fmt: skip
# What a name and a flag that every source has are enough for.
NEED_NO_DATA = {"compute.agent"}
B, W, I = Severity.BLOCKER, Severity.WARNING, Severity.INFO  # noqa: E741
LIGHTER_WHEN_OFF = {
    "disks.rdm.physical": (W, I),
    "disks.bus-sharing": (W, I),
    "disks.multi-writer": (W, I),
    "disks.independent": (B, I),
    "disks.nonpersistent": (B, W),
    "disks.consolidation": (B, W),
    "disks.cbt": (W, I),
    "disks.cbt.partial": (W, I),
    "disks.iops-limit": (W, I),
    "storage.full": (W, I),
    "snapshots.many": (W, I),
    "snapshots.size": (W, I),
    "snapshots.chain": (B, W),
    "replication.other": (B, W),
    "compute.fault-tolerance": (B, W),
    "compute.hardware-version": (B, W),
    "compute.evc": (W, I),
    "devices.passthrough": (B, W),
    "devices.vgpu": (B, W),
    "devices.sriov": (B, W),
    "devices.direct-path": (W, I),
    "security.sev": (B, W),
}
FIXES = {
    "disks.cbt": "enable-cbt",
    "disks.cbt.partial": "enable-cbt",
    "disks.consolidation": "consolidate",
    "snapshots.chain": "consolidate",
    "disks.independent": "disk-mode",
    "disks.nonpersistent": "disk-mode",
    "compute.hardware-version": "upgrade-hardware",
    "compute.cdrom": "disconnect-media",
    "devices.floppy": "disconnect-media",
}


def named(case: Case) -> str:
    return case.check


def test_the_good_world_is_fine_and_nothing_of_it_is_unknown() -> None:
    for world in (World(), World(vms=(GOOD, TWIN))):
        assert ask(world) == Readiness((), {})


@pytest.mark.parametrize("case", CASES, ids=named)
def test_found(case: Case) -> None:
    assert found(case.found) == sorted((case.check, *case.also))


@pytest.mark.parametrize("case", [case for case in CASES if case.unknown], ids=named)
def test_unknown(case: Case) -> None:
    assert case.unknown
    readiness = ask(case.unknown)
    assert case.check in readiness.unknown
    assert case.check not in {item.check for item in readiness.findings}


def test_every_check_has_a_case() -> None:
    assert sorted(case.check for case in CASES) == sorted(check.id for check in MINE)
    assert {case.check for case in CASES if not case.unknown} == NEED_NO_DATA


def test_severity_goes_by_the_method() -> None:
    assert {check.id for check in MINE if len(set(weights(check.id))) > 1} == set(LIGHTER_WHEN_OFF)
    for check_id, expected in LIGHTER_WHEN_OFF.items():
        assert weights(check_id) == expected
    order = [I, W, B]
    assert all(order.index(cold) <= order.index(warm) for warm, cold in (weights(check.id) for check in MINE))
    cold = ask(one(cbt=False), Method.COLD).findings
    assert [item.severity for item in cold] == [I]


def test_what_wherry_can_mend_itself() -> None:
    assert {check.id: check.work.fix for check in MINE if check.work and check.work.fix} == FIXES
    # Nobody deletes what a person keeps but that person.
    assert all("delete" not in fix for fix in FIXES.values())


def test_checks_are_well_formed() -> None:
    checks = all_checks()
    assert len({check.id for check in checks}) == len(checks)
    for check in checks:
        assert check.id.startswith(f"{check.family}.")
        assert set(check.severities) == set(Method)
        assert check.why.endswith(".")
        assert check.title
        assert check.remedy
        assert not check.remedy.endswith(".")
    for check in MINE:
        assert check.condition, check.id
        assert not check.condition.endswith(".")
        assert check.properties, check.id
        assert check.reference, check.id
        # A blocker is mended or it is a question to a person; either way somebody has work.
        assert check.work or B not in check.severities.values(), check.id


def test_explain() -> None:
    assert explain("disks.rdm.physical").severity() is Severity.WARNING
    with pytest.raises(NotFound, match="does not exist"):
        explain("disks.rdm")


def mute(**changes: object) -> VM:
    """A VM whose source says that it exists and has devices, and nothing of them."""
    vm = VM("1", "mute", disks=(Disk("1", "d", 0),), nics=(Nic("n", ""),), cdroms=(Cdrom("c"),))
    return replace(vm, snapshots=(Snapshot("s"),), **changes)  # type: ignore[arg-type]


def claims(readiness: Readiness, check_ids: set[str]) -> set[str]:
    """The checks that neither found anything nor said that they do not know: what would read as passed."""
    return check_ids - {item.check for item in readiness.findings} - set(readiness.unknown) - NEED_NO_DATA


@rules(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.text(max_size=40), gaps=st.permutations(KINDS), split=st.integers(0, len(KINDS)))
def test_nothing_is_passed_of_a_vm_that_says_nothing(name: str, gaps: list[str], split: int) -> None:
    """The kinds that nobody had a word on may stand with the VM or with the inventory."""
    own = tuple(gaps[:split])
    rest = tuple(kind for kind in gaps if kind not in own or kind in {"hosts", "datastores"})
    readiness = run_checks(Inventory("test", "", (VM("id", name, gaps=own),), gaps=rest))
    mine = {check.id for check in MINE}
    assert claims(readiness, mine) == set()
    assert {item.check for item in readiness.findings if item.check in mine} <= {"compute.agent"}


def test_a_check_that_takes_silence_for_a_yes_is_caught() -> None:
    """Negative control of the property above."""
    lying: list[Rule] = []
    rule(lying, "own.lying", Severity.INFO, "Lying", why="It lies.", remedy="do not")(
        lambda vm, estate: iter(())
    )
    inventory = Inventory("test", "", (VM("id", "name", gaps=KINDS),), gaps=KINDS)
    mine = {check.id for check in MINE} | {"own.lying"}
    assert claims(run_checks(inventory, own_rules=lying), mine) == {"own.lying"}


def test_devices_that_say_nothing_are_unknown_and_not_found() -> None:
    readiness = ask(World(vms=(mute(),), hosts=(), datastores=(), target=None))
    assert [item.check for item in readiness.findings] == ["disks.size.unknown"]
    assert {"disks.shared", "disks.independent", "snapshots.old", "compute.cdrom"} <= set(readiness.unknown)
    assert set(readiness.unknown.values()) == {1}


@pytest.mark.parametrize("by_vm", [True, False])
def test_what_the_source_does_not_list_is_unknown_not_none(by_vm: bool) -> None:
    bare = replace(GOOD, disks=(), nics=(), snapshots=())
    kinds = ("disks", "nics", "snapshots", "cdroms")
    assert "snapshots.old" not in ask(World(vms=(bare,))).unknown
    world = World(vms=(replace(bare, gaps=kinds),)) if by_vm else World(vms=(bare,), gaps=kinds)
    unknown = ask(world).unknown
    assert {check.id for check in MINE if check.family == "disks"} <= set(unknown)
    assert {"snapshots.old", "snapshots.many", "snapshots.chain", "compute.cdrom"} <= set(unknown)


def test_templates_are_asked_nothing_else() -> None:
    readiness = ask(one(template=True, cbt=False, tools=""))
    assert [item.check for item in readiness.findings] == ["compute.template"]
    assert readiness.unknown == {}


def test_order_is_severity_then_check_then_name() -> None:
    odd = replace(GOOD, cbt=False, consolidation_needed=True, compute=replace(GOOD.compute, secure_boot=True))
    mixed = run_checks(replace(World().inventory(), vms=(odd, replace(odd, id="3", name="a")))).findings
    weight = [Severity.BLOCKER, Severity.WARNING, Severity.INFO]
    for findings in (run_checks(read_source("hostile-names")).findings, mixed):
        keys = [(weight.index(item.severity), item.check, item.subject_name) for item in findings]
        assert keys == sorted(keys)
    assert {item.severity for item in mixed} == set(weight)


HOSTILE = "a\x1b[31m\u202e\r\nb"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_hostile_names_are_shown_harmless(case: Case) -> None:
    """Every name and word of a world is hostile; the message stays one printable line."""
    vms = tuple(replace(vm, name=f"{vm.name}{HOSTILE}") for vm in case.found.vms or (GOOD,))
    vms = tuple(
        replace(
            vm,
            disks=tuple(replace(disk, label=HOSTILE, controller=HOSTILE) for disk in vm.disks),
            devices=tuple(replace(item, label=HOSTILE, detail=HOSTILE) for item in vm.devices),
            cdroms=tuple(replace(item, label=HOSTILE, media=HOSTILE) for item in vm.cdroms),
            nics=tuple(replace(item, label=HOSTILE) for item in vm.nics),
            snapshots=tuple(replace(item, name=HOSTILE) for item in vm.snapshots),
        )
        for vm in vms
    )
    world = replace(
        case.found,
        vms=vms,
        hosts=tuple(replace(item, name=HOSTILE) for item in case.found.hosts),
        datastores=tuple(replace(item, name=item.name, kind=item.kind) for item in case.found.datastores),
    )
    messages = [item.message for item in ask(world).findings]
    assert messages
    assert all(message.isprintable() for message in messages)


def test_hostile_values_are_shown_harmless() -> None:
    worlds = [
        one(ft_state=HOSTILE, connection_state=HOSTILE, vmx_path=f"[{HOSTILE}] {HOSTILE}/x.vmx"),
        one(management=replace(GOOD.management, managed_by=HOSTILE, replication=HOSTILE)),
        one(disks=(replace(GOOD.disks[0], filters=(HOSTILE,), parent=f"[{HOSTILE}] x/y.vmdk"),)),
        one(disks=(replace(GOOD.disks[0], path=f"[] {HOSTILE}"),)),
        one(devices=(Device(DeviceKind.USB, HOSTILE, True, HOSTILE),)),
        replace(
            World(), hosts=(replace(World().hosts[0], connection_state=HOSTILE, version=f"6.0{HOSTILE}"),)
        ),
        replace(World(), datastores=(replace(World().datastores[0], name=HOSTILE, maintenance=True),)),
    ]
    for world in worlds:
        messages = [item.message for item in ask(world).findings]
        assert messages
        assert all(message.isprintable() for message in messages)


def test_the_lab_has_the_findings_it_is_meant_to_have() -> None:
    findings = run_checks(read_source("lab")).findings
    assert {(item.check, item.subject_name) for item in findings if item.check.split(".")[0] in FAMILIES} == {
        ("disks.rdm.physical", "crm-db-01"),
        ("disks.rdm.virtual", "files-01"),
        ("disks.shared", "erp-db-01"),
        ("disks.shared", "erp-db-02"),
        ("disks.multi-writer", "erp-db-01"),
        ("disks.multi-writer", "erp-db-02"),
        ("disks.bus-sharing", "erp-db-01"),
        ("disks.bus-sharing", "erp-db-02"),
        ("snapshots.old", "erp-web-01"),
        ("compute.cdrom", "crm-app-02"),
        ("storage.kind", "iso-01"),
    }
    assert not any(item.severity is Severity.BLOCKER for item in findings)


def test_checks_left_open_are_counted_by_vm_too() -> None:
    silent, bare = VM("1", "silent"), VM("2", "bare", gaps=("disks",))
    ready = run_checks(Inventory("x", "2026-03-10T09:00:00Z", (silent, bare)))
    of_vms = {check.id for check in all_checks() if check.about is About.VM}
    assert sum(ready.undecided.values()) == sum(n for key, n in ready.unknown.items() if key in of_vms)
    assert ready.undecided["2"] > ready.undecided["1"] > 0
