"""Trouble with the machine: devices, virtual hardware, processor, memory, states."""

from __future__ import annotations

from typing import Any

from planner.model import Cdrom, Device, DeviceKind, Power
from planner.synth.dice import Dice
from planner.synth.drafts import Draft
from planner.synth.trouble.plants import Plant, plain, running, sets
from planner.units import GIB, MIB


def _device(kind: DeviceKind, label: str, connected: bool | None = True, detail: str = "") -> Any:
    def put(draft: Draft, dice: Dice) -> None:
        draft.devices.append(Device(kind, label, connected, detail))

    return put


def _iso(draft: Draft, dice: Dice) -> None:
    store = draft.store.name
    image = dice.pick(("windows-server-2019.iso", "rhel-8.6-x86_64-dvd.iso", "tools.iso", "setup_final.iso"))
    draft.cdroms[0] = Cdrom(
        "CD/DVD drive 1", connected=True, media=f"[{store}] iso/{image}", starts_connected=True
    )


def _old_hardware(draft: Draft, dice: Dice) -> None:
    draft.fields["hw_version"] = dice.pick((7, 8))


def _ancient_hardware(draft: Draft, dice: Dice) -> None:
    draft.fields["hw_version"] = 4


def _reserved(draft: Draft, dice: Dice) -> None:
    draft.compute |= {
        "cpu_reservation_mhz": dice.between(1, 8) * 500,
        "memory_reservation_bytes": draft.fields["memory_bytes"] // 2 // MIB * MIB,
    }


def _limited(draft: Draft, dice: Dice) -> None:
    draft.compute |= {"cpu_limit_mhz": 2000, "memory_limit_bytes": draft.fields["memory_bytes"]}


def _sensitive(draft: Draft, dice: Dice) -> None:
    draft.compute |= {
        "latency_sensitivity": "high",
        "memory_locked": True,
        "memory_reservation_bytes": draft.fields["memory_bytes"],
    }


def _larger_than_a_host(draft: Draft, dice: Dice) -> None:
    host = draft.host.fields
    draft.fields |= {"cpus": host["cpus"] + 8, "memory_bytes": host["memory_bytes"] + 64 * GIB}


def _tpm(draft: Draft, dice: Dice) -> None:
    draft.devices.append(Device(DeviceKind.TPM, "Virtual TPM"))
    draft.fields["firmware"] = "efi"
    draft.compute |= {"secure_boot": True, "encrypted": True}


def _vbs(draft: Draft, dice: Dice) -> None:
    draft.fields["firmware"] = "efi"
    draft.compute |= {"vbs": True, "secure_boot": True, "iommu": True, "nested_virtualisation": True}


def _suspended(draft: Draft, dice: Dice) -> None:
    draft.fields |= {"power": Power.SUSPENDED, "tools": "toolsNotRunning"}
    draft.guest["heartbeat"] = "gray"


_PRODUCTS = ("vsphere-replication", "srm", "zerto", "recoverpoint")

PLANTS = (
    Plant("devices.passthrough", 0.002, _device(DeviceKind.PASSTHROUGH, "PCI device 0", None, "NVIDIA T4")),
    Plant("devices.vgpu", 0.003, _device(DeviceKind.VGPU, "PCI device 0", None, "grid_t4-4q")),
    Plant("devices.sriov", 0.001, _device(DeviceKind.SRIOV, "SR-IOV network adapter 2", True)),
    Plant("devices.usb", 0.002, _device(DeviceKind.USB, "USB 1", True, "licence dongle")),
    Plant("devices.serial", 0.001, _device(DeviceKind.SERIAL, "Serial port 1", True, "/dev/ttyS0")),
    Plant("devices.parallel", 0.0005, _device(DeviceKind.PARALLEL, "Parallel port 1", True)),
    Plant("devices.floppy", 0.002, _device(DeviceKind.FLOPPY, "Floppy drive 1", True)),
    Plant("devices.precision-clock", 0.0005, _device(DeviceKind.PRECISION_CLOCK, "Precision clock")),
    Plant("devices.watchdog", 0.0005, _device(DeviceKind.WATCHDOG, "Watchdog timer")),
    Plant("devices.sound", 0.0005, _device(DeviceKind.SOUND, "Sound card")),
    Plant("devices.nvdimm", 0.0003, _device(DeviceKind.NVDIMM, "NVDIMM 1")),
    Plant("compute.cdrom", 0.05, _iso),
    Plant("compute.hardware-old", 0.018, _old_hardware),
    Plant("compute.hardware-version", 0.002, _ancient_hardware),
    Plant("compute.fault-tolerance", 0.001, sets("fields", ft_state="running"), running),
    Plant("compute.affinity", 0.003, sets("compute", affinity=True)),
    Plant("compute.reservation", 0.02, _reserved),
    Plant("compute.limit", 0.01, _limited),
    Plant("compute.latency", 0.002, _sensitive),
    Plant("compute.too-large", 0.0001, _larger_than_a_host),
    Plant("compute.boot-order", 0.002, sets("compute", boot_order=("net", "disk"))),
    Plant("compute.suspended", 0.002, _suspended, lambda vm: running(vm) and plain(vm)),
    Plant("compute.orphaned", 0.001, sets("fields", connection_state="orphaned")),
    Plant("compute.inaccessible", 0.001, sets("fields", connection_state="inaccessible")),
    Plant("compute.managed", 0.002, sets("management", managed_by="com.vmware.vim.sms")),
    Plant("security.tpm", 0.02, _tpm),
    Plant("security.encrypted", 0.005, sets("compute", encrypted=True)),
    Plant("security.vbs", 0.005, _vbs),
    Plant("security.sgx", 0.0005, sets("compute", sgx=True)),
    Plant("security.sev", 0.0005, sets("compute", sev=True)),
    Plant(
        "replication.other", 0.005, lambda vm, dice: vm.management.update(replication=dice.pick(_PRODUCTS))
    ),
    Plant("platform.override", 0.005, sets("management", drs_override="manual")),
    Plant("platform.restart-priority", 0.01, sets("management", restart_priority="highest")),
    Plant("platform.policy", 0.02, sets("management", storage_policy="Gold mirrored")),
    Plant("platform.permissions", 0.003, sets("management", permissions=2)),
)
