"""Checks of VMs as machines: state, size, devices, security, other replication, and of their hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.model import Backing, Cdrom, Device, DeviceKind, Management, Power
from planner.units import GIB
from tests.planner.checks.world import (
    COMPUTE,
    DISK,
    GOOD,
    HOST,
    NIC,
    TARGET,
    Case,
    World,
    ask,
    compute,
    disk,
    found,
    host,
    landing,
    one,
)


def device(kind: DeviceKind, connected: bool | None = True, **changes: object) -> World:
    return one(devices=(Device(kind, f"{kind.value} 1", connected),), **changes)


def drive(*said: bool | None) -> World:
    return one(cdroms=(Cdrom("CD/DVD drive 1", said[0], "[iso] x.iso", said[1]),))


def direct(said: bool | None, **changes: object) -> World:
    nics = (replace(NIC, direct_path=said),)
    return one(nics=nics, compute=replace(COMPUTE, **changes))  # type: ignore[arg-type]


NO_DEVICES = World(gaps=("devices",))
SMALL = landing(hosts={"cpus": 1, "memory_bytes": 2 * GIB})
CASES = [
    Case("compute.cdrom", drive(True, True), drive(None, False)),
    Case("compute.fault-tolerance", one(ft_state="running"), one(ft_state="")),
    Case("compute.hardware-version", one(hw_version=4), one(hw_version=None)),
    Case("compute.hardware-version.target", one(hw_version=22), World(target=None)),
    Case("compute.suspended", one(power=Power.SUSPENDED), one(power=Power.UNKNOWN)),
    Case("compute.connection", one(connection_state="orphaned"), one(connection_state="")),
    Case("compute.boot.network", compute(boot_order=("cdrom", "net", "disk")), compute(boot_order=None)),
    Case(
        "compute.boot.raw",
        disk(backing=Backing.RDM_VIRTUAL, lun="naa.1"),
        disk(backing=Backing.RDM_VIRTUAL, lun="naa.1", bus=None),
        ("disks.rdm.virtual",),
    ),
    Case("compute.template", one(template=True), World(gaps=("placeholders",))),
    Case("compute.agent", one(name="vCLS-1", vmx_path="[ds] vCLS-1/v.vmx"), None),
    Case(
        "compute.managed",
        one(management=Management("com.vmware.vim.eam", "")),
        one(management=Management(None, "")),
    ),
    Case("compute.size.target", World(target=SMALL), World(target=None)),
    Case("compute.size.half", one(cpus=17), one(cpus=0)),
    Case("compute.evc", compute(evc_mode="intel-sapphirerapids"), compute(evc_mode=None)),
    Case("compute.affinity", compute(affinity=True), compute(affinity=None)),
    Case("compute.reservation", compute(cpu_reservation_mhz=500), compute(cpu_reservation_mhz=None)),
    Case("compute.limit", compute(memory_limit_bytes=GIB), compute(memory_limit_bytes=None)),
    Case("compute.memory-locked", compute(memory_locked=True), compute(memory_locked=None)),
    Case("compute.latency", compute(latency_sensitivity="High"), compute(latency_sensitivity="")),
    Case("compute.hot-add", compute(memory_hot_add=True), compute(memory_hot_add=None)),
    Case("compute.nested", compute(nested_virtualisation=True), compute(nested_virtualisation=None)),
    Case("compute.iommu", compute(iommu=True), compute(iommu=None)),
    Case("devices.passthrough", device(DeviceKind.PASSTHROUGH), NO_DEVICES),
    Case("devices.vgpu", device(DeviceKind.VGPU), NO_DEVICES),
    Case("devices.sriov", device(DeviceKind.SRIOV), NO_DEVICES),
    Case(
        "devices.direct-path",
        direct(True, memory_locked=True),
        direct(None, memory_locked=True),
        ("compute.memory-locked",),
    ),
    Case("devices.usb", device(DeviceKind.USB), device(DeviceKind.USB, None)),
    Case("devices.usb-controller", device(DeviceKind.USB_CONTROLLER, None), World(gaps=("usb",))),
    Case("devices.floppy", device(DeviceKind.FLOPPY), device(DeviceKind.FLOPPY, False, power=Power.OFF)),
    Case("devices.port", device(DeviceKind.SERIAL), device(DeviceKind.PARALLEL, None)),
    Case("devices.rare", device(DeviceKind.PRECISION_CLOCK), NO_DEVICES),
    Case("security.encryption", disk(encrypted=True), disk(encrypted=None)),
    Case("security.tpm", device(DeviceKind.TPM, None), NO_DEVICES),
    Case("security.secure-boot", compute(secure_boot=True), compute(secure_boot=None)),
    Case("security.vbs", compute(vbs=True), compute(vbs=None)),
    Case("security.sgx", compute(sgx=True), compute(sgx=None)),
    Case("security.sev", compute(sev=True), compute(sev=None)),
    Case(
        "replication.other",
        one(management=Management("", "vsphere-replication")),
        one(management=Management("", None)),
    ),
    Case("hosts.connection", host(connection_state="notResponding"), host(connection_state="")),
    Case("hosts.maintenance", host(maintenance=True), host(maintenance=None)),
    Case("hosts.lockdown", host(lockdown=True), host(lockdown=None)),
    Case("hosts.vmotion", host(vmotion=False), host(vmotion=None)),
    Case("hosts.version.unsupported", host(version="VMware ESXi 6.0.0 build-1"), host(version="")),
    Case("hosts.version.old", host(version="6.7.0"), host(version="unknown")),
]
FINE = {
    "a drive that is and stays disconnected": ("compute.cdrom", drive(False, False)),
    "fault tolerance was never set up": ("compute.fault-tolerance", one(ft_state="notConfigured")),
    "version 7 tracks changes": ("compute.hardware-version", one(hw_version=7)),
    "as new as the target": ("compute.hardware-version.target", one(hw_version=21)),
    "a VM that is off": ("compute.suspended", one(power=Power.OFF)),
    "the disk first, then the network": ("compute.boot.network", compute(boot_order=("disk", "net"))),
    "the default order": ("compute.boot.network", compute(boot_order=())),
    "a raw device behind the first disk": (
        "compute.boot.raw",
        disk(backing=Backing.RDM_VIRTUAL, lun="naa.1", unit=1),
    ),
    "an agent is known by its name": (
        "compute.managed",
        one(name="vCLS-1", management=Management("com.vmware.vim.eam", "")),
    ),
    "half a host": ("compute.size.half", one(cpus=16, memory_bytes=128 * GIB)),
    "what fits nowhere has its own finding": ("compute.size.half", World(target=SMALL)),
    "all logical processors of a host": ("compute.size.target", one(cpus=32)),
    "an older mode": ("compute.evc", compute(evc_mode="intel-merom")),
    "a VM that is off needs no mode": ("compute.evc", compute(evc_mode="")),
    "without limits": ("compute.limit", compute(cpu_limit_mhz=-1)),
    "low sensitivity": ("compute.latency", compute(latency_sensitivity="low")),
    "direct path that cannot be active": ("devices.direct-path", direct(True)),
    "a USB device with its controller": (
        "devices.usb-controller",
        one(devices=(Device(DeviceKind.USB_CONTROLLER, "c"), Device(DeviceKind.USB, "d", False))),
    ),
    "a port that is disconnected": ("devices.port", device(DeviceKind.SERIAL, False)),
    "a floppy drive that is empty": ("devices.floppy", device(DeviceKind.FLOPPY, False)),
    "ESXi 6.5 is old, not unsupported": ("hosts.version.unsupported", host(version="6.5.0")),
    "ESXi 7": ("hosts.version.old", host(version="7.0.3")),
}


@pytest.mark.parametrize("why", FINE)
def test_fine(why: str) -> None:
    check, world = FINE[why]
    readiness = ask(world)
    assert check not in {item.check for item in readiness.findings}
    assert check not in readiness.unknown


def test_a_drive_that_will_be_connected() -> None:
    (finding,) = ask(drive(False, True)).findings
    assert finding.message == "good connects CD/DVD drive 1 when it starts: [iso] x.iso"


@pytest.mark.parametrize("kind", [DeviceKind.PRECISION_CLOCK, DeviceKind.WATCHDOG, DeviceKind.SOUND])
def test_every_rare_device(kind: DeviceKind) -> None:
    assert found(device(kind)) == ["devices.rare"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("orphaned", "good is orphaned in its vCenter's inventory"),
        ("disconnected", "good is on a host that is disconnected"),
        ("odd", "good is odd"),
    ],
)
def test_states_of_connection_are_sentences(state: str, said: str) -> None:
    (finding,) = ask(one(connection_state=state)).findings
    assert finding.message.startswith(said)


def test_placeholders_are_named_as_such() -> None:
    (finding,) = ask(one(placeholder=True)).findings
    assert finding.message == "good is a placeholder and stays"


def test_encryption_is_one_finding_for_home_and_disks() -> None:
    both = replace(GOOD, compute=replace(COMPUTE, encrypted=True), disks=(replace(DISK, encrypted=True),))
    assert found(World(vms=(both,))) == ["security.encryption"]
    assert found(compute(encrypted=True)) == ["security.encryption"]
    assert ask(compute(encrypted=None)).unknown == {"security.encryption": 1}


@pytest.mark.parametrize(
    ("mode", "offered", "expected"),
    [
        ("intel-haswell", ("intel-haswell",), "fine"),
        ("intel-haswell", ("intel-broadwell",), "fine"),
        ("intel-haswell", ("intel-merom",), "found"),
        ("intel-haswell", ("amd-zen3",), "found"),
        ("intel-haswell", ("intel-merom", "intel-icelake"), "fine"),
        ("intel-haswell", ("intel-merom", ""), "unknown"),
        ("intel-haswell", ("intel-merom", "intel-future"), "unknown"),
        ("intel-future", ("intel-icelake",), "unknown"),
        ("intel-future", ("intel-future",), "fine"),
        ("AMD-Zen4", ("amd-zen4",), "fine"),
        ("amd-zen4", ("amd-zen3",), "found"),
    ],
)
def test_processor_modes(mode: str, offered: tuple[str, ...], expected: str) -> None:
    hosts = tuple(replace(HOST, id=str(at), evc_mode=None, evc_max=word) for at, word in enumerate(offered))
    world = replace(compute(evc_mode=mode), target=replace(TARGET, hosts=hosts))
    readiness = ask(world)
    said = "unknown" if "compute.evc" in readiness.unknown else "fine"
    assert ("found" if readiness.findings else said) == expected
    assert {item.check for item in readiness.findings} <= {"compute.evc"}


def test_the_mode_in_force_counts_before_the_most_a_host_could() -> None:
    limited = landing(hosts={"evc_mode": "intel-merom", "evc_max": "intel-icelake"})
    assert found(World(target=limited)) == ["compute.evc"]


def test_a_vm_needs_processors_and_memory_of_one_host() -> None:
    thin = replace(HOST, id="a", cpus=64, memory_bytes=2 * GIB)
    broad = replace(HOST, id="b", cpus=2, memory_bytes=512 * GIB)
    silent = replace(HOST, id="c", cpus=0)
    large = one(cpus=8, memory_bytes=64 * GIB)
    target = replace(TARGET, hosts=(thin, broad))
    assert found(replace(large, target=target)) == ["compute.size.target"]
    open_ = ask(replace(large, target=replace(target, hosts=(thin, broad, silent))))
    assert (open_.findings, set(open_.unknown)) == ((), {"compute.size.target", "compute.size.half"})


def test_a_device_that_is_not_connected_says_nothing_while_the_vm_is_off() -> None:
    for kind, check in ((DeviceKind.USB, "devices.usb"), (DeviceKind.SERIAL, "devices.port")):
        readiness = ask(device(kind, False, power=Power.OFF))
        assert (readiness.findings, readiness.unknown) == ((), {check: 1})


def test_direct_path_needs_all_memory_reserved() -> None:
    assert "devices.direct-path" in found(direct(True, memory_reservation_bytes=4 * GIB))
    assert "devices.direct-path" not in found(direct(True, memory_reservation_bytes=3 * GIB))
    assert "devices.direct-path" in ask(direct(True, memory_reservation_bytes=None)).unknown
    assert "devices.direct-path" not in ask(direct(False, memory_reservation_bytes=None)).unknown


def test_findings_about_hosts_name_the_host() -> None:
    (finding,) = ask(host(maintenance=True)).findings
    assert (finding.subject_kind, finding.subject, finding.subject_name) == ("host", "h1", "esx-1")


def test_hosts_that_a_source_does_not_list_are_unknown() -> None:
    readiness = ask(World(hosts=(), gaps=("hosts",)))
    assert {"hosts.connection", "hosts.version.old", "hosts.lockdown"} <= set(readiness.unknown)
