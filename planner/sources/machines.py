"""A row of vInfo to a VM without devices, and the columns that are custom attributes.

Attributes are the columns no RVTools version writes. Four of them fill fields of their own when a
column is called so: application, owner, environment, tier.
"""

from __future__ import annotations

import re

from planner.model import VM, Power
from planner.sources.cells import flag, mebibytes, text, whole
from planner.sources.headers import Row, Table, header_key
from planner.sources.joins import Identity

_WRITTEN = """
VM,Powerstate,Template,SRM Placeholder,Config status,DNS Name,Connection state,Guest state,Heartbeat,
Consolidation Needed,PowerOn,Suspended To Memory,Suspend time,Suspend Interval,Creation date,Change Version,
CPUs,Overall Cpu Readiness,Memory,Active Memory,NICs,Disks,Total disk capacity MiB,Fixed Passthru HotPlug,
min Required EVC Mode Key,Latency Sensitivity,Op Notification Timeout,EnableUUID,disk.EnableUUID,CBT,
Primary IP Address,Network #1,Network #2,Network #3,Network #4,Network #5,Network #6,Network #7,Network #8,
Num Monitors,Video Ram KiB,Resource pool,Folder ID,Folder,vApp,DAS protection,FT State,FT Role,FT Latency,
FT Bandwidth,FT Sec. Latency,Vm Failover In Progress,Provisioned MiB,In Use MiB,Unshared MiB,
HA Restart Priority,HA Isolation Response,HA VM Monitoring,Cluster rule(s),Cluster rule name(s),
Boot Required,Boot delay,Boot retry delay,Boot retry enabled,Boot BIOS setup,Reboot PowerOff,EFI Secure boot,
Firmware,HW version,HW upgrade status,HW upgrade policy,HW target,Path,Log directory,Snapshot directory,
Suspend directory,Annotation,Datacenter,Cluster,Host,OS according to the configuration file,
OS according to the VMware Tools,Customization Info,Guest Detailed Data,VM ID,SMBIOS UUID,VM UUID,
VI SDK Server type,VI SDK API Version,VI SDK Server,VI SDK UUID,vCenter UUID,Internal Sort Column,
Guest OS,Guest Hostname,Guest IP
"""
_KNOWN = frozenset(header_key(name) for name in _WRITTEN.split(","))
_FIELDS = {
    "application": "application",
    "app": "application",
    "applicationname": "application",
    "owner": "owner",
    "applicationowner": "owner",
    "environment": "environment",
    "env": "environment",
    "tier": "tier",
}
_POWER = {
    "poweredon": Power.ON,
    "on": Power.ON,
    "poweredoff": Power.OFF,
    "off": Power.OFF,
    "suspended": Power.SUSPENDED,
}
_TOOLS_SPELLED = {
    "toolsok": "toolsOk",
    "toolsold": "toolsOld",
    "toolsnotrunning": "toolsNotRunning",
    "toolsnotinstalled": "toolsNotInstalled",
    "notrunning": "toolsNotRunning",
    "notinstalled": "toolsNotInstalled",
}


def attribute_columns(sheet: Table) -> dict[str, str]:
    """Return the keys of the custom attributes of vInfo with their headers as written."""
    named = {at: key for key, at in sheet.columns.items()}
    return {named[at]: header for at, header in enumerate(sheet.headers) if named.get(at, "vm") not in _KNOWN}


def tools_status(word: str) -> str:
    """Return the status of VMware Tools as vSphere spells it, other words as they are."""
    return _TOOLS_SPELLED.get(re.sub(r"[^a-z]", "", word.casefold()), word)


def _hardware(row: Row) -> int | None:
    digits = re.search(r"\d+", text(row.cell("hwversion")))
    return int(digits[0]) if digits and len(digits[0]) < 4 else None


def machine(row: Row, who: Identity, vm_id: str, attributes: dict[str, str]) -> VM:
    """Return the VM of a vInfo row; devices are joined later."""
    said = tuple((header, value) for key, header in attributes.items() if (value := row.text(key)))
    fields = {
        field: value
        for header, value in reversed(said)
        if (field := _FIELDS.get(header_key(header, "vinfo").removeprefix("tags")))
    }
    rules = [rule.strip() for rule in row.text("clusterrulenames").split(",")]
    return VM(
        id=vm_id,
        name=who.name or vm_id,
        vcenter=who.vcenter,
        power=_POWER.get(row.text("powerstate").casefold(), Power.UNKNOWN),
        template=flag(row.cell("template")) or False,
        placeholder=flag(row.cell("srmplaceholder")) or False,
        guest_os=row.text("osaccordingtotheconfigurationfile", "osaccordingtothevmwaretools", "guestos"),
        dns_name=row.text("dnsname", "guesthostname"),
        cpus=max(whole(row.cell("cpus")) or 0, 0),
        memory_bytes=mebibytes(row.cell("memory")) or 0,
        firmware=row.text("firmware").casefold(),
        hw_version=_hardware(row),
        host=row.text("host"),
        cluster=row.text("cluster"),
        datacenter=row.text("datacenter"),
        folder=row.text("folder"),
        resource_pool=row.text("resourcepool"),
        vapp=row.text("vapp"),
        vmx_path=row.text("path"),
        bios_uuid=row.text("smbiosuuid"),
        cbt=flag(row.cell("cbt")),
        consolidation_needed=flag(row.cell("consolidationneeded")),
        ft_state=row.text("ftstate"),
        connection_state=row.text("connectionstate"),
        used_bytes=mebibytes(row.cell("inusemb")),
        annotation=row.text("annotation"),
        application=fields.get("application", ""),
        tier=fields.get("tier", ""),
        environment=fields.get("environment", ""),
        owner=fields.get("owner", ""),
        rules=tuple(dict.fromkeys(rule for rule in rules if rule)),
        attributes=said,
    )
