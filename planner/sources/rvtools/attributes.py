"""The columns of vInfo that no RVTools writes: custom attributes, and tags by their category.

Attributes keep their header as their name. Some fill a field of their own when they are called so:
application, owner, environment, tier, criticality, maintenance window, last backup. Tag columns say
"(tag category)" or begin with "Tag"; a workbook without any says nothing about tags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planner.sources.rvtools.headers import Sheet, header_key
from planner.sources.spoken import spoken_field

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
_TAG = re.compile(r"(?P<category>.+?)\s*\(tag category\)|tags?\s*[:\-]\s*(?P<after>.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What people say of a VM in columns of their own. ``tags`` is None where tags are unknown."""

    attributes: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...] | None
    fields: dict[str, str]


def _category(header: str) -> str:
    found = _TAG.fullmatch(header.strip())
    return (found["category"] or found["after"]).strip() if found else ""


def read_attributes(sheet: Sheet) -> tuple[list[Said], bool]:
    """Return what the attribute and tag columns say of each row, and whether there are tag columns."""
    named = {at: key for key, at in sheet.columns.items()}
    own = [
        (header, named[at])
        for at, header in enumerate(sheet.headers)
        if at in named and named[at] not in _KNOWN
    ]
    texts = {key: sheet.texts(key) for _, key in own}
    categories = {header: category for header, _ in own if (category := _category(header))}
    said = []
    for row in range(len(sheet)):
        attributes: list[tuple[str, str]] = []
        tags: list[tuple[str, str]] = []
        fields: dict[str, str] = {}
        for header, key in own:
            value = texts[key][row]
            if not value:
                continue
            category = categories.get(header, "")
            if category:
                tags += [(category, tag) for part in re.split(r"[,;]", value) if (tag := part.strip())]
            else:
                attributes.append((header, value))
            field = spoken_field(category or header)
            if field:
                fields.setdefault(field, value)
        said.append(Said(tuple(attributes), tuple(tags) if categories else None, fields))
    return said, bool(categories)
