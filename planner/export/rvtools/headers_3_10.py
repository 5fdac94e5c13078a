"""Sheets and columns of the 3.10 era, as far as they are known.

vInfo, vDisk, vPartition, vCluster and vHost are as workbooks of that time have them. The others are
those of 4.7 without what its manual says came later; sizes were headed MB. A column whose age is not
known is left out, so that none is here that did not exist.
"""

from __future__ import annotations

from planner.export.rvtools.headers_4_7 import HEADERS as NEWEST
from planner.export.rvtools.headers_4_7 import columns

_SEEN = {
    "vInfo": """
VM, Powerstate, Template, Config status, DNS Name, Connection state, Consolidation Needed, CPUs,
Latency Sensitivity, Memory, NICs, Disks, EnableUUID, CBT, Num Monitors, Video Ram KB, Resource pool, Folder,
vApp, DAS protection, FT State, FT Latency, FT Bandwidth, FT Sec. Latency, Provisioned MB, In Use MB,
Unshared MB, HA Restart Priority, HA Isolation Response, HA VM Monitoring, Cluster rule(s),
Cluster rule name(s), Boot Required, Boot delay, Boot retry delay, Boot retry enabled, Boot BIOS setup,
Firmware, HW version, HW upgrade status, HW upgrade policy, HW target, Path, Annotation, Datacenter, Cluster,
Host, OS according to the configuration file, OS according to the VMware Tools, VM ID, VM UUID,
VI SDK Server, VI SDK UUID
""",
    "vDisk": """
VM, Powerstate, Template, Disk, Capacity MB, Raw, Disk Mode, Thin, Eagerly Scrub, Split, Write Through, Level,
Shares, Reservation, Limit, Controller, Label, SCSI Unit #, Unit #, Shared Bus, Path, Raw LUN ID,
Raw Comp. Mode, Annotation, Datacenter, Cluster, Host, Folder, OS according to the configuration file,
OS according to the VMware Tools, VM ID, VM UUID, VI SDK Server, VI SDK UUID
""",
    "vPartition": """
VM, Powerstate, Template, Disk, Capacity MB, Consumed MB, Free MB, Free % , Annotation, Datacenter, Cluster,
Host, Folder, OS according to the configuration file, OS according to the VMware Tools, VM ID, VM UUID,
VI SDK Server, VI SDK UUID
""",
    "vFloppy": """
VM, Powerstate, Template, Device Node, Connected, Starts Connected, Device Type, Annotation, Datacenter,
Cluster, Host, Folder, OS according to the configuration file, OS according to the VMware Tools, VM ID,
VM UUID, VI SDK Server, VI SDK UUID
""",
    "vHost": """
Host, Datacenter, Cluster, Config status, CPU Model, Speed, HT Available, HT Active, # CPU, Cores per CPU,
# Cores, CPU usage %, # Memory, Memory usage %, Console, # NICs, # HBAs, # VMs, VMs per Core, # vCPUs,
vCPUs per Core, vRAM, VM Used memory, VM Memory Swapped, VM Memory Ballooned, VMotion support,
Storage VMotion support, Current EVC, Max EVC, Assigned License(s), ATS Heartbeat, ATS Locking,
Current CPU power man. policy, Supported CPU power man., Host Power Policy, ESX Version, Boot time,
DNS Servers, DHCP, Domain, DNS Search Order, NTP Server(s), NTPD running, Time Zone, Time Zone Name,
GMT Offset, Vendor, Model, Service tag, OEM specific string, BIOS Version, BIOS Date, Object ID,
VI SDK Server, VI SDK UUID
""",
}
_ORDER = """
vInfo, vCPU, vMemory, vDisk, vPartition, vNetwork, vFloppy, vCD, vSnapshot, vTools, vRP, vCluster, vHost,
vHBA, vNIC, vSwitch, vPort, dvSwitch, dvPort, vSC_VMK, vDatastore, vMultiPath, vLicense, vHealth, vMetaData
"""
_LATER = columns(
    """
SRM Placeholder, NIC label, IPv4 Address, IPv6 Address, Direct Path IO, Internal Sort Column, Object ID,
VMRef, Numa Hotadd Exposed, Memory Reservation Locked To Max, # VMs total, MTU
"""
)


def _then(header: str) -> str:
    return header.replace("MiB", "MB").replace("KiB", "KB")


def _derived(sheet: str) -> tuple[str, ...]:
    kept = [_then(header) for header in NEWEST[sheet] if header not in _LATER]
    if sheet == "vNetwork":
        kept.insert(kept.index("Type") + 1, "IP Address")
    return tuple(kept)


HEADERS: dict[str, tuple[str, ...]] = {
    sheet: columns(_SEEN[sheet]) if sheet in _SEEN else _derived(sheet) for sheet in columns(_ORDER)
}
