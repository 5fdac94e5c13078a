"""Every condition of the catalogue that the checks were written from: answered by a check, or not and why.

D are its 31 conditions of disks and storage, C its 21 of devices, compute and firmware.
"""

from __future__ import annotations

from planner.checks.registry import all_checks
from tests.planner.checks.world import FAMILIES

ANSWERED = {
    "D1 physical RDM": ["disks.rdm.physical"],
    "D2 virtual RDM": ["disks.rdm.virtual"],
    "D3 LUN used by several VMs": ["disks.shared", "disks.rdm.physical", "disks.rdm.no-lun"],
    "D4 SCSI bus sharing": ["disks.bus-sharing"],
    "D5 multi-writer": ["disks.multi-writer"],
    "D6 one VMDK path in several VMs": ["disks.shared"],
    "D7 independent disk": ["disks.independent"],
    "D8 non-persistent disk": ["disks.nonpersistent"],
    "D9 snapshots": ["snapshots.old", "snapshots.many", "snapshots.size"],
    "D10 consolidation needed": ["disks.consolidation"],
    "D11 delta chain, linked clone": ["snapshots.chain", "snapshots.linked-clone"],
    "D12 change tracking off": ["disks.cbt", "disks.cbt.partial"],
    "D13 too large for a VMDK or the target": ["disks.size.too-large", "disks.size.target"],
    "D14 no capacity or no datastore": ["disks.size.unknown", "disks.datastore"],
    "D15 over 2 TB": ["disks.size.large"],
    "D16 odd capacity": ["disks.size.uneven"],
    "D17 too many disks": ["disks.count"],
    "D18 NVMe": ["disks.controller.nvme"],
    "D19 IDE, SATA, BusLogic": ["disks.controller.ide-sata", "disks.controller.buslogic"],
    "D20 encrypted": ["security.encryption"],
    "D21 persistent memory": ["disks.pmem"],
    "D22 flash cache, filters, limits": ["disks.flash-cache", "disks.filters", "disks.iops-limit"],
    "D23 replicated already": ["replication.other"],
    "D24 datastore out of reach": [
        "storage.inaccessible",
        "storage.maintenance",
        "storage.local",
        "storage.map.missing",
        "storage.map.unmapped",
        "disks.datastore",
    ],
    "D25 vSAN, VVol, NFS": ["storage.kind"],
    "D26 room": ["storage.space.disk", "storage.space.total", "storage.full", "storage.map.room"],
    "D27 VMFS version, extents": ["storage.vmfs.version", "storage.vmfs.extents"],
    "D28 LUN that hosts do not see": ["disks.rdm.target-lun", "disks.rdm.hidden"],
    "D29 raw device with array software or a physical node": ["disks.rdm.physical"],
    "D30 paths and folder names": [
        "storage.path",
        "storage.folder.duplicate",
        "storage.folder.name",
        "storage.map.folder",
    ],
    "C1 passthrough, vGPU, direct path": ["devices.passthrough", "devices.vgpu", "devices.direct-path"],
    "C2 SR-IOV": ["devices.sriov"],
    "C3 USB": ["devices.usb", "devices.usb-controller"],
    "C4 media connected": ["compute.cdrom", "devices.floppy"],
    "C5 serial, parallel": ["devices.port"],
    "C6 vTPM": ["security.tpm"],
    "C7 VBS, SGX, SEV, secure boot": [
        "security.vbs",
        "security.sgx",
        "security.sev",
        "security.secure-boot",
    ],
    "C8 fault tolerance": ["compute.fault-tolerance"],
    "C9 hardware version": ["compute.hardware-version", "compute.hardware-version.target"],
    "C10 EVC, processor maker": ["compute.evc"],
    "C11 affinity, NUMA": ["compute.affinity"],
    "C12 reservations, limits, latency": [
        "compute.reservation",
        "compute.limit",
        "compute.memory-locked",
        "compute.latency",
    ],
    "C13 larger than a host": ["compute.size.target", "compute.size.half"],
    "C14 hot add": ["compute.hot-add"],
    "C15 nested, IOMMU": ["compute.nested", "compute.iommu"],
    "C16 boot": ["compute.boot.network", "compute.boot.raw"],
    "C17 suspended, disconnected": ["compute.suspended", "compute.connection", "hosts.connection"],
    "C18 template, agent, managed": ["compute.template", "compute.agent", "compute.managed"],
    "C19 host mode": ["hosts.maintenance", "hosts.lockdown", "hosts.vmotion"],
    "C20 ESXi too old": ["hosts.version.unsupported", "hosts.version.old"],
    "C21 clock, watchdog, sound": ["devices.rare"],
}
UNANSWERED = {"D31 zombie files": "needs a look into every datastore's folders, which no inventory holds"}


def test_every_number_is_answered_or_says_why_not() -> None:
    numbers = [title.partition(" ")[0] for title in (*ANSWERED, *UNANSWERED)]
    assert sorted(numbers) == sorted([f"D{at}" for at in range(1, 32)] + [f"C{at}" for at in range(1, 22)])
    assert all(UNANSWERED.values())


def test_every_check_stands_for_a_number_and_every_name_is_one() -> None:
    known = {check.id for check in all_checks() if check.family in FAMILIES}
    assert {check for checks in ANSWERED.values() for check in checks} == known
