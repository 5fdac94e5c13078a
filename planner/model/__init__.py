"""Every noun of the estate. All of it is plain frozen data; nothing here acts.

    Inventory ── one immutable snapshot of the estate, with source and time
      ├── VM ──┬── Disk ── Backing: a VMDK by path, or a raw device (RDM) by LUN
      │        ├── Nic, Snapshot, Cdrom, Device; Guest, Compute, Management: its smaller print
      │        └── application, tier, owner, environment: what people say of it
      ├── VCenter, Host ── Lun, Cluster ── DrsRule, ResourcePool, Folder, Datastore, Network, Licence
      └── Dependency ── source needs target: hard, soft or order, with evidence

    Volume = one backing with everyone attached to it; what replication copies, once.

Identity is (vCenter, VM id); a name is untrusted text for display. ``None`` means *unknown*: the
source does not say. It never means no.
"""

from planner.model.devices import (
    Cdrom,
    Device,
    Disk,
    Nic,
    Partition,
    Snapshot,
)
from planner.model.estate import (
    Attachment,
    Decision,
    Dependency,
    Inventory,
    LeftOut,
    Volume,
)
from planner.model.platform import (
    Cluster,
    Datastore,
    DrsGroup,
    DrsRule,
    Folder,
    Hba,
    Host,
    Licence,
    Lun,
    Network,
    ResourcePool,
    VCenter,
)
from planner.model.verdicts import (
    Estimate,
    Finding,
    MoveGroup,
    Reason,
)
from planner.model.vm import (
    VM,
    Compute,
    Guest,
    Management,
)
from planner.model.words import (
    Backing,
    BusSharing,
    Controller,
    DeviceKind,
    Method,
    Power,
    RuleKind,
    Ruling,
    Sending,
    Severity,
    Tie,
)

__all__ = [
    "VM",
    "Attachment",
    "Backing",
    "BusSharing",
    "Cdrom",
    "Cluster",
    "Compute",
    "Controller",
    "Datastore",
    "Decision",
    "Dependency",
    "Device",
    "DeviceKind",
    "Disk",
    "DrsGroup",
    "DrsRule",
    "Estimate",
    "Finding",
    "Folder",
    "Guest",
    "Hba",
    "Host",
    "Inventory",
    "LeftOut",
    "Licence",
    "Lun",
    "Management",
    "Method",
    "MoveGroup",
    "Network",
    "Nic",
    "Partition",
    "Power",
    "Reason",
    "ResourcePool",
    "RuleKind",
    "Ruling",
    "Sending",
    "Severity",
    "Snapshot",
    "Tie",
    "VCenter",
    "Volume",
]
