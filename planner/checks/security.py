"""Checks of what ties a VM to keys and to the hardware: encryption, TPM, secure boot, VBS."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import VM, DeviceKind, Severity
from planner.names import visible

RULES: list[Rule] = []


@rule(
    RULES,
    "security.encryption",
    Severity.BLOCKER,
    "Encrypted VM or disk",
    condition="the home of the VM or one of its disks has an encryption key",
    properties=("config.keyId", "config.hardware.device[VirtualDisk].backing.keyId"),
    reference="vSphere API: VirtualMachineConfigInfo.keyId, VirtualDiskFlatVer2BackingInfo.keyId",
    why="Without the same key provider at the target the VM cannot be opened there, and whether it trusts "
    "the same one no inventory says.",
    remedy="set up the same key provider at the target and waive this, or decrypt the VM before the seed",
    work=Work(effort_min=60, outage=True, lead_days=10),
    kinds=("disks",),
)
def encrypted(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: encrypted VM or disk; one finding for both."""
    disks = [disk for disk in vm.disks if disk.encrypted]
    if disks:
        shown = ", ".join(visible(disk.label or disk.key, 40) for disk in disks[:3])
        yield f"{visible(vm.name)} has encrypted disks: {shown}" + (" and more" if len(disks) > 3 else "")
    elif vm.compute.encrypted:
        yield f"{visible(vm.name)} has an encrypted home"
    elif vm.compute.encrypted is None or any(disk.encrypted is None for disk in vm.disks):
        yield None


@rule(
    RULES,
    "security.tpm",
    Severity.BLOCKER,
    "Virtual TPM",
    condition="the VM has a virtual TPM",
    properties=("config.hardware.device[VirtualTPM]", "summary.config.tpmPresent"),
    reference="vSphere API: VirtualTPM",
    why="Its secrets lie in the VM's encrypted home and not on its disks: a guest that sealed its keys in "
    "them asks for the recovery key at the target.",
    remedy="export the key provider to the target and have the recovery keys at hand, or suspend the disk "
    "encryption in the guest and remove the TPM",
    work=Work(effort_min=60, outage=True, lead_days=5),
    kinds=("devices",),
)
def virtual_tpm(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtual TPM."""
    if any(device.kind is DeviceKind.TPM for device in vm.devices):
        yield f"{visible(vm.name)} has a virtual TPM"


@rule(
    RULES,
    "security.secure-boot",
    Severity.INFO,
    "Secure boot",
    condition="EFI secure boot is on",
    properties=("config.bootOptions.efiSecureBootEnabled",),
    reference="vSphere API: VirtualMachineBootOptions.efiSecureBootEnabled; RVTools vInfo: EFI Secure boot",
    why="Keys that were enrolled by hand lie in the VM's home and not on its disks; a guest that is signed "
    "with them does not boot at the target.",
    remedy="nothing with the keys every VM has; enrol keys of your own again at the target",
)
def secure_boot(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: secure boot."""
    if vm.compute.secure_boot is None:
        yield None
    elif vm.compute.secure_boot:
        yield f"{visible(vm.name)} boots with EFI secure boot"


@rule(
    RULES,
    "security.vbs",
    Severity.WARNING,
    "Virtualisation-based security",
    condition="virtualisation-based security is on",
    properties=("config.flags.vbsEnabled",),
    reference="vSphere API: VirtualMachineFlagInfo.vbsEnabled",
    why="The guest runs its own hypervisor, so the target's processors must offer virtualisation to guests.",
    remedy="check that the target's hosts have hardware virtualisation and I/O memory management switched on",
    work=Work(effort_min=30),
)
def virtualisation_based(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtualisation-based security."""
    if vm.compute.vbs is None:
        yield None
    elif vm.compute.vbs:
        yield f"{visible(vm.name)} uses virtualisation-based security"


@rule(
    RULES,
    "security.sgx",
    Severity.WARNING,
    "SGX enclaves",
    condition="the VM has memory for SGX enclaves",
    properties=("config.sgxInfo",),
    reference="vSphere API: VirtualMachineSgxInfo",
    why="Enclaves are sealed to one processor: what they sealed cannot be opened on another one.",
    remedy="have the application export and import its secrets; check that the target's hosts offer SGX",
    work=Work(effort_min=120, outage=True, lead_days=10),
)
def sgx(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: SGX enclaves."""
    if vm.compute.sgx is None:
        yield None
    elif vm.compute.sgx:
        yield f"{visible(vm.name)} has memory for SGX enclaves"


@rule(
    RULES,
    "security.sev",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Encrypted memory (SEV)",
    condition="AMD secure encrypted virtualisation is on",
    properties=("config.sevEnabled",),
    reference="vSphere API: VirtualMachineConfigInfo.sevEnabled",
    why="The hypervisor cannot read the memory, so snapshots of the running VM are refused; it starts only "
    "on hosts with the same technique.",
    remedy="move the VM cold, to hosts that offer SEV",
    work=Work(effort_min=60, outage=True, lead_days=5),
)
def sev(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: encrypted memory."""
    if vm.compute.sev is None:
        yield None
    elif vm.compute.sev:
        yield f"{visible(vm.name)} runs with encrypted memory (SEV)"
