"""The numbered lists of networks, guests and platform: each number is asked, or it says why not."""

from __future__ import annotations

from planner.checks.registry import all_checks

ASKED = {
    "N1": ("network.map.missing", "network.map.unset"),
    "N2": ("network.standard",),
    "N3": (
        "network.vlan.trunk",
        "network.vlan.private",
        "network.vlan.untagged",
        "network.ephemeral",
        "network.security",
    ),
    "N4": ("network.vmkernel",),
    "N5": ("network.mac.duplicate", "network.mac.target"),
    "N6": ("network.mac.manual",),
    "N7": ("names.uuid.bios", "names.uuid.instance"),
    "N8": (
        "names.duplicate",
        "names.target",
        "names.host.duplicate",
        "network.address.duplicate",
        "network.address.target",
    ),
    "N9": ("names.invalid", "names.label"),
    "N10": ("names.host", "names.host.missing"),
    "N11": (
        "network.address.missing",
        "network.address.dhcp",
        "network.readdress.duplicate",
        "network.readdress.subnet",
        "network.readdress.gateway",
        "network.readdress.guest",
    ),
    "N12": ("network.adapter.old", "network.adapter.disconnected"),
    "N13": ("network.adapter.count", "network.adapter.networks"),
    "N15": ("network.nsx.segment", "network.nsx.manager"),
    "N16": ("names.password",),
    "G1": ("guest.tools.missing", "guest.tools.stopped", "guest.tools.old"),
    "G2": ("guest.os.ended", "guest.os.ending", "guest.os.unknown"),
    "G3": ("guest.os.differs",),
    "G4": ("guest.space",),
    "G5": ("guest.database", "guest.directory"),
    "G6": ("guest.disk-ids",),
    "G7": ("guest.storage-network", "guest.npiv"),
    "G9": ("guest.churn.link", "guest.churn.high"),
    "G10": ("guest.cluster", "disks.bus-sharing", "disks.shared"),
    "G11": ("guest.time-sync",),
    "G12": ("guest.heartbeat",),
    "G13": ("security.tpm",),
    "P1": ("platform.drs.rule",),
    "P2": ("platform.drs.must",),
    "P3": ("platform.override",),
    "P4": ("platform.policy", "platform.tags", "platform.attributes"),
    "P5": ("platform.pool", "platform.vapp", "platform.permissions"),
    "P6": ("platform.scheduled-tasks",),
    "P7": ("platform.backup.job", "platform.backup.old"),
    "P8": ("platform.certificate.host", "platform.certificate.vcenter", "platform.linked"),
    "P9": ("platform.version.older", "hosts.version.unsupported", "compute.hardware-version.target"),
    "P10": ("platform.licence.expired", "platform.licence.full"),
    "P12": ("platform.clock", "platform.ntp"),
    "P13": ("platform.stretched", "platform.replication"),
    "P15": ("platform.admission",),
}
NOT_ASKED = {
    "N14": "which waves a subnet is split over is a matter of the plan, not of the inventory",
    "G8": "no inventory says what a licence is bound to; network.mac.manual, devices.usb and "
    "platform.drs.must are what can be seen of it",
    "P11": "loss, latency, MTU and open ports are measured between the sites, not listed in an inventory",
    "P14": "limits of concurrency shape the waves of a plan and the run, not one VM's readiness",
}
# Parts of numbers that are asked for the rest.
NOT_IN_PART = {
    "G2": "whether the target's ESXi supports a guest is in the maker's compatibility guide, no inventory",
    "G5": "VSS writers are listed inside the guest only",
    "G11": "when backup jobs run is kept by the backup product",
    "P6": "definitions of alarms are not read; who is told by them is no business of a VM",
    "P10": "the hardware compatibility list is no inventory",
}


def test_every_number_is_asked_or_says_why_not() -> None:
    numbers = (
        [f"N{at}" for at in range(1, 17)]
        + [f"G{at}" for at in range(1, 14)]
        + [f"P{at}" for at in range(1, 16)]
    )
    assert sorted([*ASKED, *NOT_ASKED]) == sorted(numbers)
    assert all(NOT_ASKED.values())
    assert set(NOT_IN_PART) <= set(ASKED)


def test_every_check_that_is_named_exists_and_every_check_is_named() -> None:
    known = {check.id for check in all_checks()}
    named = {check for checks in ASKED.values() for check in checks}
    assert named <= known
    mine = {check for check in known if check.split(".")[0] in {"network", "names", "guest", "platform"}}
    assert mine <= named


def test_every_check_says_all_there_is_to_say() -> None:
    for check in all_checks():
        if check.family in {"network", "names", "guest", "platform"}:
            assert check.condition, check.id
            assert check.reference, check.id
            assert check.properties or check.id == "guest.cluster", check.id
            assert check.why.endswith("."), check.id
            assert not check.remedy.endswith("."), check.id
            assert not check.condition.endswith("."), check.id
