"""Each check on the smallest VM that it is about, and on one that says nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.checks.registry import Readiness, all_checks, explain, run_checks
from planner.errors import NotFound
from planner.model import (
    VM,
    Backing,
    BusSharing,
    Cdrom,
    Disk,
    Inventory,
    Nic,
    Power,
    Severity,
    Snapshot,
)
from planner.sources.opening import read_source

TIB = 1024**4
DISK = Disk(
    "1",
    "Hard disk 1",
    1024**3,
    path="[ds] a/a.vmdk",
    mode="persistent",
    multi_writer=False,
    controller="SCSI controller 0",
    bus_sharing=BusSharing.NONE,
)
NIC = Nic("Network adapter 1", "lan", "00:50:56:00:00:01", "Vmxnet3", True, ("10.0.0.1",))
GOOD = VM(
    id="1",
    name="good",
    power=Power.ON,
    dns_name="good.example.test",
    hw_version=19,
    tools="toolsOk",
    cbt=True,
    consolidation_needed=False,
    ft_state="notConfigured",
    connection_state="connected",
    disks=(DISK,),
    nics=(NIC,),
)
TWIN = replace(
    GOOD,
    id="2",
    name="other",
    disks=(replace(DISK, path="[ds] b/b.vmdk"),),
    nics=(replace(NIC, mac="00:50:56:00:00:02", addresses=("10.0.0.2",)),),
)


def run(*vms: VM, gaps: tuple[str, ...] = ()) -> Readiness:
    return run_checks(Inventory("test", "2026-06-30T00:00:00+00:00", vms, gaps=gaps))


def with_disk(**changes: object) -> VM:
    return replace(GOOD, disks=(replace(DISK, **changes),))  # type: ignore[arg-type]


def with_nic(**changes: object) -> VM:
    return replace(GOOD, nics=(replace(NIC, **changes),))  # type: ignore[arg-type]


def old(created: str) -> tuple[Snapshot, ...]:
    return (Snapshot("s", created),)


RDM = {"backing": Backing.RDM_PHYSICAL, "lun": "naa.1", "mode": "independent_persistent"}
SHARED_RDM = RDM | {"bus_sharing": BusSharing.PHYSICAL}
CASES: list[tuple[VM | tuple[VM, ...], list[str]]] = [
    (GOOD, []),
    ((GOOD, TWIN), []),
    (with_disk(**RDM), ["disks.rdm.physical"]),
    (with_disk(**SHARED_RDM), ["disks.rdm.physical"]),
    (with_disk(backing=Backing.RDM_VIRTUAL, lun="naa.1"), ["disks.rdm.virtual"]),
    (with_disk(**(RDM | {"lun": ""})), ["disks.rdm.no-lun", "disks.rdm.physical"]),
    ((GOOD, replace(TWIN, disks=(DISK,))), ["disks.shared", "disks.shared"]),
    (with_disk(bus_sharing=BusSharing.VIRTUAL), ["disks.bus-sharing"]),
    (with_disk(multi_writer=True), ["disks.multi-writer"]),
    (with_disk(mode="independent_persistent"), ["disks.independent"]),
    (with_disk(mode="independent_nonpersistent"), ["disks.nonpersistent"]),
    (with_disk(mode="append"), ["disks.nonpersistent"]),
    (replace(GOOD, consolidation_needed=True), ["disks.consolidation"]),
    (replace(GOOD, cbt=False), ["disks.cbt"]),
    (with_disk(size_bytes=63 * TIB), ["disks.size.too-large"]),
    (with_disk(size_bytes=62 * TIB), ["disks.size.large"]),
    (with_disk(size_bytes=2 * TIB), []),
    (with_disk(size_bytes=0), ["disks.size.unknown"]),
    (
        with_disk(**(RDM | {"size_bytes": 1024**3 + 512})),
        ["disks.rdm.physical", "disks.size.uneven"],
    ),
    (
        replace(GOOD, disks=tuple(replace(DISK, key=str(at), path=f"[ds] {at}.vmdk") for at in range(61))),
        ["disks.count"],
    ),
    (replace(GOOD, snapshots=old("2026-06-20T00:00:00+00:00")), ["snapshots.old"]),
    (replace(GOOD, snapshots=old("2026-06-24T00:00:00+00:00")), []),
    (replace(GOOD, snapshots=old("2026-06-29T00:00:00") * 4), ["snapshots.many"]),
    (replace(GOOD, cdroms=(Cdrom("CD/DVD drive 1", True, "[iso] x.iso"),)), ["compute.cdrom"]),
    (replace(GOOD, cdroms=(Cdrom("CD/DVD drive 1", False),)), []),
    (replace(GOOD, ft_state="running"), ["compute.fault-tolerance"]),
    (replace(GOOD, hw_version=4), ["compute.hardware-version"]),
    (replace(GOOD, power=Power.SUSPENDED), ["compute.suspended"]),
    (replace(GOOD, connection_state="orphaned"), ["compute.connection"]),
    (replace(GOOD, template=True), ["compute.template"]),
    (replace(GOOD, placeholder=True), ["compute.template"]),
    (replace(GOOD, name="vCLS-1"), ["compute.agent"]),
    ((GOOD, replace(TWIN, nics=(replace(NIC, addresses=("10.0.0.9",)),))), ["network.mac.duplicate"] * 2),
    (
        (GOOD, replace(TWIN, nics=(replace(NIC, mac="00:50:56:00:00:09"),))),
        ["network.address.duplicate"] * 2,
    ),
    (with_nic(adapter="E1000e"), ["network.adapter.old"]),
    (with_nic(addresses=()), ["network.address.missing"]),
    (replace(with_nic(addresses=()), power=Power.OFF), []),
    (
        replace(GOOD, nics=tuple(replace(NIC, mac=f"00:50:56:00:01:{at:02}") for at in range(11))),
        ["network.adapter.count"],
    ),
    ((GOOD, replace(TWIN, name="GOOD")), ["names.duplicate"] * 2),
    (replace(GOOD, name="n" * 80), []),
    (replace(GOOD, name="n" * 81), ["names.invalid"]),
    (replace(GOOD, name="a/b"), ["names.invalid"]),
    (replace(GOOD, name="a\x1b[31m"), ["names.invalid"]),
    (replace(GOOD, name=" a"), ["names.invalid"]),
    (replace(GOOD, dns_name="localhost.localdomain"), ["names.host"]),
    (replace(GOOD, tools="toolsNotInstalled"), ["guest.tools.missing"]),
    (replace(GOOD, tools="toolsNotRunning"), ["guest.tools.stopped"]),
    (replace(GOOD, tools="toolsNotRunning", power=Power.OFF), []),
    (replace(GOOD, tools="toolsOld"), ["guest.tools.old"]),
]


@pytest.mark.parametrize(("vms", "expected"), CASES)
def test_each_check(vms: VM | tuple[VM, ...], expected: list[str]) -> None:
    readiness = run(*(vms if isinstance(vms, tuple) else (vms,)))
    assert sorted(finding.check for finding in readiness.findings) == sorted(expected)
    # Without any address known, whether one is used twice is unknown.
    silent = isinstance(vms, VM) and not any(nic.addresses for nic in vms.nics)
    assert readiness.unknown == ({"network.address.duplicate": 1} if silent else {})


def test_every_check_has_a_case() -> None:
    assert {check.id for check in all_checks()} == {check for _, expected in CASES for check in expected}


def test_checks_are_well_formed() -> None:
    checks = all_checks()
    assert len({check.id for check in checks}) == len(checks)
    for check in checks:
        assert check.id.startswith(f"{check.family}.")
        assert check.why.endswith(".")
        assert check.title
        assert check.remedy
        assert not check.remedy.endswith(".")


def test_a_vm_that_says_nothing_is_unknown_and_has_no_finding() -> None:
    mute = VM(
        id="1", name="mute", disks=(Disk("1", "d", 1024**3),), nics=(Nic("n", ""),), cdroms=(Cdrom("c"),)
    )
    readiness = run(replace(mute, snapshots=(Snapshot("s"),)))
    assert readiness.findings == ()
    assert set(readiness.unknown) == {
        "compute.cdrom",
        "compute.connection",
        "compute.fault-tolerance",
        "compute.hardware-version",
        "compute.suspended",
        "disks.bus-sharing",
        "disks.cbt",
        "disks.consolidation",
        "disks.independent",
        "disks.multi-writer",
        "disks.nonpersistent",
        "disks.shared",
        "guest.tools.missing",
        "guest.tools.old",
        "guest.tools.stopped",
        "names.host",
        "network.adapter.old",
        "network.address.duplicate",
        "network.address.missing",
        "network.mac.duplicate",
        "snapshots.old",
    }
    assert set(readiness.unknown.values()) == {1}


def test_what_the_source_does_not_list_is_unknown_not_none() -> None:
    bare = replace(GOOD, disks=(), nics=())
    assert "snapshots.old" not in run(bare).unknown
    unknown = run(bare, gaps=("disks", "nics", "snapshots", "cdroms")).unknown
    assert {check.id for check in all_checks() if check.family == "disks"} <= set(unknown)
    assert {"snapshots.old", "snapshots.many", "compute.cdrom", "network.mac.duplicate"} <= set(unknown)


def test_a_shared_physical_rdm_is_one_finding_that_names_the_other() -> None:
    pair = with_disk(**SHARED_RDM), replace(TWIN, disks=(replace(DISK, **SHARED_RDM),))  # type: ignore[arg-type]
    findings = run(*pair).findings
    assert [(finding.check, finding.subject) for finding in findings] == [
        ("disks.rdm.physical", "1"),
        ("disks.rdm.physical", "2"),
    ]
    assert findings[0].message.endswith("shared with other")


def test_templates_are_asked_nothing_else() -> None:
    readiness = run(replace(GOOD, template=True, cbt=False, tools=""))
    assert [finding.check for finding in readiness.findings] == ["compute.template"]
    assert readiness.unknown == {}


def test_order_is_severity_then_check_then_name() -> None:
    findings = (
        run_checks(read_source("hostile-names")).findings
        + run(replace(GOOD, cbt=False, tools="toolsOld", power=Power.SUSPENDED)).findings
    )
    weights = [Severity.BLOCKER, Severity.WARNING, Severity.INFO]
    for part in (findings[:-3], findings[-3:]):
        keys = [(weights.index(item.severity), item.check, item.subject_name) for item in part]
        assert keys == sorted(keys)
    assert [item.severity for item in findings[-3:]] == weights


def test_hostile_names_are_shown_harmless() -> None:
    readiness = run_checks(read_source("hostile-names"))
    assert readiness.findings
    for finding in readiness.findings:
        assert finding.message.isprintable()


def test_the_lab_has_the_findings_it_is_meant_to_have() -> None:
    readiness = run_checks(read_source("lab"))
    found = {(finding.check, finding.subject_name) for finding in readiness.findings}
    assert found == {
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
        ("guest.tools.stopped", "intranet-01"),
    }
    assert readiness.count(Severity.BLOCKER) == 0
    assert readiness.unknown == {}


def test_explain() -> None:
    assert explain("disks.rdm.physical").severity() is Severity.WARNING
    with pytest.raises(NotFound, match="does not exist"):
        explain("disks.rdm")
