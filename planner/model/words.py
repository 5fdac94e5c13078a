"""The words of the estate that are one of a few: states, modes, kinds."""

from __future__ import annotations

from enum import StrEnum


class Power(StrEnum):
    """Power state of a VM, as vSphere says."""

    ON = "poweredOn"
    OFF = "poweredOff"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class Backing(StrEnum):
    """What a virtual disk is made of."""

    VMDK = "vmdk"
    RDM_PHYSICAL = "rdm-physical"
    RDM_VIRTUAL = "rdm-virtual"

    @property
    def is_rdm(self) -> bool:
        """True when the disk is a raw device mapping."""
        return self is not Backing.VMDK


class Sending(StrEnum):
    """How often what a disk holds travels: once is with the seed only, never leaves it empty there."""

    ALWAYS = "always"
    ONCE = "once"
    NEVER = "never"


class BusSharing(StrEnum):
    """Sharing mode of the SCSI controller a disk hangs on."""

    NONE = "noSharing"
    VIRTUAL = "virtualSharing"
    PHYSICAL = "physicalSharing"


class Controller(StrEnum):
    """The kind of controller a disk hangs on."""

    PVSCSI = "pvscsi"
    LSI_LOGIC = "lsilogic"
    LSI_SAS = "lsisas"
    BUS_LOGIC = "buslogic"
    IDE = "ide"
    SATA = "sata"
    NVME = "nvme"


class DeviceKind(StrEnum):
    """Devices besides disks, adapters and CD drives that matter for a move."""

    PASSTHROUGH = "passthrough"  # a PCI device of the host
    VGPU = "vgpu"
    SRIOV = "sriov"
    USB = "usb"  # a device of the host or a client
    USB_CONTROLLER = "usb-controller"  # harmless by itself
    SERIAL = "serial"
    PARALLEL = "parallel"
    FLOPPY = "floppy"
    TPM = "tpm"
    NVDIMM = "nvdimm"
    PRECISION_CLOCK = "precision-clock"
    WATCHDOG = "watchdog"
    SOUND = "sound"


class Tie(StrEnum):
    """What a dependency means for a move."""

    HARD = "hard"  # breaks when its ends are apart: same group
    SOFT = "soft"  # works over the WAN meanwhile
    ORDER = "order"  # the target must be there first
    APART = "apart"  # not in the same wave


class Ruling(StrEnum):
    """What a person decided on a tie between two VMs, or on one VM that many need."""

    ACCEPT = "accept"  # what was seen is so
    REFUSE = "refuse"  # what was seen means nothing
    HARD = "hard"  # the three ties that only a person knows of
    ORDER = "order"
    APART = "apart"
    HUB = "hub"
    NO_HUB = "no-hub"


class RuleKind(StrEnum):
    """What a DRS rule asks for."""

    TOGETHER = "affinity"
    APART = "anti-affinity"
    VM_HOST = "vm-host"
    ORDER = "dependency"


class Method(StrEnum):
    """How a VM is moved: what is in the way depends on it."""

    WARM = "warm"  # copied while it runs, off for the last delta only
    COLD = "cold"  # off during the whole copy


class Severity(StrEnum):
    """How much a finding weighs for a replication-backed move."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"
