"""Which settings of a VM (``extraConfig``) travel with it, which are the vCenter's own, and which stay.

Only what is known to mean the same everywhere travels. A setting that is neither known nor a vCenter's own
is left behind and told, so that a person can decide.
"""

from __future__ import annotations

from collections.abc import Iterable

# The guest sees these, or they change how it runs, and they name nothing of the site.
_TRAVELS = (
    *("disk.enableuuid", "devices.hotplug", "time.synchronize.", "isolation.", "remotedisplay.", "log."),
    *("numa.", "cpuid.", "mks.", "svga.", "hypervisor.cpuid.", "monitor.", "rtc.", "guestinfo.", "mem."),
    *("bios.", "efi.", "smbios.", "board-id", "uuid.action", "keyboard.typematic", "usb.generic."),
    *("sched.cpu.latencysensitivity", "sched.mem.pshare", "sched.cpu.vsmpconsolidate"),
)
# Written by a vCenter, a host, the tools or a replication for itself; a new VM gets its own.
_OWN = (
    *("nvram", "pcibridge", "hpet0.", "svga.present", "svga.vramsize", "viv.", "vmware.tools.", "tools."),
    *("guestinfo.vmtools.", "guestinfo.detailed.", "guestinfo.appinfo", "guestinfo.toolsinstallerrcode"),
    *("toolsinstallmanager.", "migrate.", "sched.swap.", "sched.scsi", "sched.nvme", "sched.sata"),
    *(
        "vmxstats.",
        "softpoweroff",
        "monitor.phys_bits_used",
        "vmotion.",
        "cpuid.corespersocket",
        "mks.enable",
    ),
    *("scsi", "sata", "nvme", "ide", "ethernet", "floppy", "usb", "serial", "parallel", "hbr_filter."),
    *("vmci", "ctkenabled", "wherry.", "govcsim", "config.readonly", "replay.", "tpm", "vtpm"),
    *("numa.autosize.vcpu.maxpervirtualnode", "numa.autosize.cookie", "monitor.virtual_"),
)
_THREE_D = "mks.enable3d"


def travels(key: str) -> bool:
    """Return whether a setting goes with its VM."""
    low = key.lower()
    return low == _THREE_D or (low.startswith(_TRAVELS) and not low.startswith(_OWN))


def stays(key: str) -> bool:
    """Return whether a setting is left behind and a person has to know of it."""
    return not travels(key) and not key.lower().startswith(_OWN)


def sorted_out(options: Iterable[tuple[str, str]]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the settings that travel, with values, and the names of those left behind; both sorted."""
    said = dict(options)  # a key that is told twice counts as told last
    kept = sorted((key, value) for key, value in said.items() if travels(key) and value)
    return tuple(kept), tuple(sorted(key for key in said if stays(key)))
