"""What each text of an inventory is, noun by noun: the one table that decides what may pass.

A text field that is not listed here is an error, never passed: a field added to the model later
cannot leak by being forgotten.
"""

from __future__ import annotations

from enum import StrEnum

from planner import model


class Kind(StrEnum):
    """How a text is treated; the names are those of the mask's methods, besides the last two."""

    TEXT = "text"
    VALUE = "value"
    WORDS = "words"
    VERSION = "version"
    KEY = "key"
    ID = "identifier"
    SERIAL = "serial"
    TIME = "time"  # stays
    GONE = "gone"  # replaced by a word that says so


def _fields(**kinds: str) -> dict[str, Kind]:
    return {name: Kind[kind.upper()] for kind, names in kinds.items() for name in names.split()}


FIELDS: dict[type, dict[str, Kind]] = {
    model.Inventory: _fields(text="source", time="taken_at", gone="notes", words="gaps"),
    model.VM: _fields(
        id="id vcenter moref",
        text="name dns_name host cluster datacenter folder resource_pool vapp vmx_path bios_uuid "
        "instance_uuid application tier environment owner criticality window rules tags sayings",
        value="attributes",
        words="guest_os firmware tools ft_state connection_state gaps",
        gone="annotation",
    ),
    model.Guest: _fields(words="guest_id running_os heartbeat", version="tools_version"),
    model.Compute: _fields(words="latency_sensitivity evc_mode boot_order"),
    model.Management: _fields(
        text="managed_by replication storage_policy last_backup",
        words="drs_override restart_priority fault_tolerance_role",
    ),
    model.Disk: _fields(
        key="key", text="label path lun uuid parent filters policy controller", words="mode format"
    ),
    model.Nic: _fields(
        text="label network mac addresses subnets switch", words="adapter mac_type", id="port_group"
    ),
    model.Snapshot: _fields(text="name", time="created", gone="description"),
    model.Cdrom: _fields(text="label media"),
    model.Device: _fields(text="label detail"),
    model.Partition: _fields(text="path", key="disk"),
    model.VCenter: _fields(
        id="id", text="name extensions", version="version build api_version", time="certificate_expires"
    ),
    model.Hba: _fields(text="device wwn", words="kind model status"),
    model.Host: _fields(
        id="id vcenter",
        text="name cluster datacenter ntp_servers vmkernel_networks",
        words="cpu_model evc_mode evc_max connection_state vendor model licence",
        version="version build",
        time="certificate_expires",
    ),
    model.Lun: _fields(text="name uuid datastore", words="vendor model", serial="serial", id="hosts vcenter"),
    model.DrsGroup: _fields(text="name", id="members"),
    model.DrsRule: _fields(text="name vm_group host_group", id="vms"),
    model.Cluster: _fields(id="id vcenter", text="name datacenter", words="drs_mode evc_mode"),
    model.ResourcePool: _fields(id="id vcenter", text="name path cluster"),
    model.Folder: _fields(id="id vcenter", text="name path datacenter", words="kind"),
    model.Datastore: _fields(
        id="id vcenter", text="name datacenter url address extents", words="kind", version="version"
    ),
    model.Network: _fields(id="id vcenter key", text="name vlan switch datacenter", words="kind binding"),
    model.Licence: _fields(words="name", serial="key", time="expires", id="vcenter"),
    model.Dependency: _fields(id="source target", text="reason evidence", time="first_seen last_seen"),
    model.Decision: _fields(id="a b", text="who", time="at", gone="why"),
}
