"""The fields that filters and rules may ask a VM for, each with what it means.

This table is what errors, completion and the documents list. ``VM_WORDS`` are what a VM says of itself;
``TABLE_WORDS`` know besides where a plan puts it and how its checks came out, which rules must not ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from planner.checks.estate import moment
from planner.model import VM, Backing, BusSharing, DeviceKind, Inventory, Power
from planner.vocabulary import NO, YES, Choice, Family, Field, Number, Text, Vocabulary, Words
from planner.volumes import datastore_of

Tally = tuple[int, int, int]  # blockers and warnings that nobody waived, checks left undecided


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known besides the VM: kinds nobody had a word on, and when the estate was read.

    ``placed`` holds wave and group by VM id, ``tallies`` how checks came out; a VM missing in the first
    is in no wave, one missing in the second was not judged.
    """

    gaps: frozenset[str] = frozenset()
    taken_at: datetime | None = None
    placed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        inventory: Inventory,
        placed: Mapping[str, tuple[str, str]] | None = None,
        tallies: Mapping[str, Tally] | None = None,
    ) -> Seen:
        """Return what an inventory says about itself, beside what a plan and checks say of its VMs."""
        return cls(frozenset(inventory.gaps), moment(inventory.taken_at), placed or {}, tallies or {})

    def place(self, vm: VM) -> tuple[str, ...]:
        """Return wave and group of a VM, empty for one that no wave holds."""
        return self.placed.get(vm.id, ())

    def lacks(self, vm: VM, kind: str) -> bool:
        """Return whether the VM's source had no word on a kind."""
        return kind in self.gaps or kind in vm.gaps


def said(text: str) -> Words:
    """Return a text as the words of a field: what is empty was not said."""
    return (text or None,)


def _text(meaning: str, read: Callable[[VM], str]) -> Text:
    return Text(meaning, lambda vm, seen: said(read(vm)))


def _spoken(value: str | None) -> Words:
    """Return a value whose empty text is a word of the source: there is none."""
    return (None,) if value is None else ((value,) if value else ())


def _texts(meaning: str, kind: str, read: Callable[[VM], Iterable[str | None]]) -> Text:
    """Return a field of what hangs on a VM; unknown as well when the source does not list it."""

    def values(vm: VM, seen: Seen) -> Words:
        found = tuple(value or None for value in read(vm))
        return (*found, None) if seen.lacks(vm, kind) else found

    return Text(meaning, values)


def _yes_no(value: bool | None) -> frozenset[str] | None:
    return None if value is None else (YES if value else NO)


def _flag(meaning: str, read: Callable[[VM], bool | None]) -> Choice:
    return Choice(meaning, lambda vm, seen: _yes_no(read(vm)))


def _any_flag(meaning: str, kind: str, read: Callable[[VM], Iterable[bool | None]]) -> Choice:
    """Return yes when it holds for one of them, no only when the source listed and said all."""

    def value(vm: VM, seen: Seen) -> frozenset[str] | None:
        flags = tuple(read(vm))
        if True in flags:
            return YES
        return None if None in flags or seen.lacks(vm, kind) else NO

    return Choice(meaning, value)


def _number(meaning: str, read: Callable[[VM], int | None]) -> Number:
    return Number(meaning, lambda vm, seen: read(vm))


def _size(meaning: str, read: Callable[[VM], int | None]) -> Number:
    return Number(meaning, lambda vm, seen: read(vm), is_size=True)


def _count(meaning: str, kind: str, read: Callable[[VM], int]) -> Number:
    return Number(meaning, lambda vm, seen: None if seen.lacks(vm, kind) else read(vm))


def _total(meaning: str, read: Callable[[VM], int]) -> Number:
    return Number(meaning, lambda vm, seen: None if seen.lacks(vm, "disks") else read(vm), is_size=True)


def _device(meaning: str, gap: str, *kinds: DeviceKind) -> Choice:
    return _any_flag(meaning, gap, lambda vm: (device.kind in kinds for device in vm.devices))


def _rdm(vm: VM, seen: Seen) -> frozenset[str] | None:
    words = {
        "physical" if disk.backing is Backing.RDM_PHYSICAL else "virtual"
        for disk in vm.disks
        if disk.backing.is_rdm
    }
    if words:
        return frozenset({"yes", *words})
    return None if seen.lacks(vm, "disks") else NO


_POWER = {Power.ON: "on", Power.OFF: "off", Power.SUSPENDED: "suspended"}


def power_words(power: Power) -> frozenset[str] | None:
    """Return the words that are true of a power state, None for one nobody said."""
    return frozenset({_POWER[power]}) if power in _POWER else None


def _snapshot_age(vm: VM, seen: Seen) -> int | None:
    """Return the age of the oldest snapshot in days; 0 when there is none."""
    if seen.lacks(vm, "snapshots"):
        return None
    made = [moment(snapshot.created) for snapshot in vm.snapshots]
    days = [(seen.taken_at - at).days for at in made if at is not None and seen.taken_at is not None]
    return None if len(days) < len(made) else max(days, default=0)


def _tools(vm: VM, seen: Seen) -> Words:
    return (vm.tools, vm.tools.removeprefix("tools")) if vm.tools else (None,)


def _tags(vm: VM, seen: Seen) -> Words:
    if vm.tags is None:
        return (None,)
    return tuple(value for category, tag in vm.tags for value in (tag, f"{category}/{tag}"))


FIELDS: dict[str, Field] = {
    # who it is
    "name": _text("name of the VM", lambda vm: vm.name),
    "id": _text("id of the VM in the inventory", lambda vm: vm.id),
    "dns": _text("host name, as the guest says it", lambda vm: vm.dns_name),
    "os": _text("operating system as configured", lambda vm: vm.guest_os),
    "running": _text("operating system as the guest says it", lambda vm: vm.guest.running_os),
    "guestid": _text("guest id of vSphere", lambda vm: vm.guest.guest_id),
    # where it is
    "vcenter": _text("instance UUID of its vCenter", lambda vm: vm.vcenter),
    "datacenter": _text("datacenter", lambda vm: vm.datacenter),
    "cluster": _text("cluster", lambda vm: vm.cluster),
    "host": _text("host it runs on", lambda vm: vm.host),
    "folder": _text("folder", lambda vm: vm.folder),
    "pool": _text("resource pool", lambda vm: vm.resource_pool),
    "vapp": _text("vApp", lambda vm: vm.vapp),
    "datastore": _texts(
        "datastores of its disks", "disks", lambda vm: (datastore_of(disk.path) for disk in vm.disks)
    ),
    # what people say of it
    "app": _text("application", lambda vm: vm.application),
    "tier": _text("tier: database, application, web, ...", lambda vm: vm.tier),
    "env": _text("environment", lambda vm: vm.environment),
    "owner": _text("owner", lambda vm: vm.owner),
    "criticality": _text("criticality", lambda vm: vm.criticality),
    "window": _text("maintenance window people gave it", lambda vm: vm.window),
    "note": _text("annotation", lambda vm: vm.annotation),
    "tag": Text("tags: the tag, or category/tag", _tags),
    # how it runs
    "power": Choice("power state", lambda vm, seen: power_words(vm.power), ("on", "off", "suspended")),
    "connection": _text("connection state", lambda vm: vm.connection_state),
    "tools": Text("VMware Tools: ok, old, notrunning, notinstalled", _tools),
    "toolsversion": _text("version of VMware Tools", lambda vm: vm.guest.tools_version),
    "heartbeat": _text("heartbeat of the guest", lambda vm: vm.guest.heartbeat),
    "cpu": _number("virtual processors", lambda vm: vm.cpus or None),
    "ram": _size("memory", lambda vm: vm.memory_bytes or None),
    "hw": _number("virtual hardware version", lambda vm: vm.hw_version),
    "firmware": _text("bios or efi", lambda vm: vm.firmware),
    "evc": Text("least EVC mode it needs now", lambda vm, seen: _spoken(vm.compute.evc_mode)),
    "latency": _text("latency sensitivity", lambda vm: vm.compute.latency_sensitivity),
    "ft": _text("state of fault tolerance", lambda vm: vm.ft_state),
    "secureboot": _flag("secure boot", lambda vm: vm.compute.secure_boot),
    "vbs": _flag("virtualisation-based security", lambda vm: vm.compute.vbs),
    "encrypted": _any_flag(
        "home or a disk is encrypted",
        "disks",
        lambda vm: (vm.compute.encrypted, *(disk.encrypted for disk in vm.disks)),
    ),
    "nested": _flag("nested virtualisation", lambda vm: vm.compute.nested_virtualisation),
    "hotadd": _any_flag(
        "processors or memory may be added while it runs",
        "",
        lambda vm: (vm.compute.cpu_hot_add, vm.compute.memory_hot_add),
    ),
    "pinned": _flag("tied to processors or memory nodes", lambda vm: vm.compute.affinity),
    "timesync": _flag("takes its time from the host", lambda vm: vm.guest.time_sync),
    "enableuuid": _flag("shows serial numbers of disks (disk.EnableUUID)", lambda vm: vm.compute.enable_uuid),
    "npiv": _flag("has Fibre Channel addresses of its own", lambda vm: vm.compute.npiv),
    # its disks
    "disk": _total("provisioned size of all disks", lambda vm: vm.disk_bytes),
    "biggest": _total(
        "size of the largest disk", lambda vm: max((disk.size_bytes for disk in vm.disks), default=0)
    ),
    "used": _size("bytes in use", lambda vm: vm.used_bytes),
    "churn": _size("bytes written a day", lambda vm: vm.churn_bytes_day),
    "disks": _count("number of disks", "disks", lambda vm: len(vm.disks)),
    "rdm": Choice("raw device mappings", _rdm, ("yes", "no", "physical", "virtual")),
    "lun": _texts("LUNs of raw devices", "disks", lambda vm: (d.lun for d in vm.disks if d.backing.is_rdm)),
    "mode": _texts("disk modes", "disks", lambda vm: (disk.mode for disk in vm.disks)),
    "controller": _texts(
        "kinds of disk controllers",
        "disks",
        lambda vm: (disk.controller_kind.value if disk.controller_kind else None for disk in vm.disks),
    ),
    "policy": Text(
        "storage policies of the VM and its disks",
        lambda vm, seen: tuple(
            value
            for said in (vm.management.storage_policy, *(disk.policy for disk in vm.disks))
            for value in _spoken(said)
        ),
    ),
    "thin": _any_flag("a disk is thin", "disks", lambda vm: (disk.thin for disk in vm.disks)),
    "cbt": _flag("changed block tracking", lambda vm: vm.cbt),
    "multiwriter": _any_flag(
        "a disk has the multi-writer flag", "disks", lambda vm: (disk.multi_writer for disk in vm.disks)
    ),
    "bussharing": _any_flag(
        "a disk hangs on a shared bus",
        "disks",
        lambda vm: (
            None if disk.bus_sharing is None else disk.bus_sharing is not BusSharing.NONE for disk in vm.disks
        ),
    ),
    "consolidation": _flag("its disks need consolidation", lambda vm: vm.consolidation_needed),
    "snapshots": _count("number of snapshots", "snapshots", lambda vm: len(vm.snapshots)),
    "snapshotage": Number("age of the oldest snapshot in days, 0 = none", _snapshot_age),
    # its adapters
    "nics": _count("number of network adapters", "nics", lambda vm: len(vm.nics)),
    "net": _texts("networks", "nics", lambda vm: (nic.network for nic in vm.nics)),
    "switch": _texts("switches of its networks", "nics", lambda vm: (nic.switch for nic in vm.nics)),
    "adapter": _texts("types of network adapters", "nics", lambda vm: (nic.adapter for nic in vm.nics)),
    "mac": _texts("MAC addresses", "nics", lambda vm: (nic.mac for nic in vm.nics)),
    "ip": _texts("IP addresses", "nics", lambda vm: (a for nic in vm.nics for a in nic.addresses or ("",))),
    "subnet": _texts("subnets", "nics", lambda vm: (s for nic in vm.nics for s in nic.subnets or ("",))),
    "dhcp": _any_flag("an adapter takes its address by DHCP", "nics", lambda vm: (n.dhcp for n in vm.nics)),
    # its devices
    "device": _texts("kinds of its other devices", "devices", lambda vm: (d.kind.value for d in vm.devices)),
    "usb": _device("a USB device of a host or client", "usb", DeviceKind.USB),
    "tpm": _device("a virtual TPM", "devices", DeviceKind.TPM),
    "passthrough": _device(
        "a device of the host: PCI, GPU, SR-IOV",
        "devices",
        DeviceKind.PASSTHROUGH,
        DeviceKind.VGPU,
        DeviceKind.SRIOV,
    ),
    "cdrom": _any_flag("a CD drive is connected", "cdroms", lambda vm: (cd.connected for cd in vm.cdroms)),
    # who else holds it
    "managedby": Text("extension it belongs to", lambda vm, seen: _spoken(vm.management.managed_by)),
    "replication": Text("product that replicates it", lambda vm, seen: _spoken(vm.management.replication)),
    "rule": _texts("DRS rules that name it", "", lambda vm: vm.rules or ("",)),
    "permissions": _number("permissions set on the VM itself", lambda vm: vm.management.permissions),
    "template": _flag("is a template", lambda vm: vm.template),
    "moves": _flag("is no template and no placeholder", lambda vm: vm.movable),
}


@cache
def _attribute(name: str) -> Text:
    wanted = name.casefold()
    # An attribute that is not among those listed may be unset or unread: that is not known.
    return Text(
        f"custom attribute {name}",
        lambda vm, seen: (
            tuple(value or None for key, value in vm.attributes if key.casefold() == wanted) or (None,)
        ),
    )


@cache
def _category(name: str) -> Text:
    wanted = name.casefold()
    return Text(
        f"tags of category {name}",
        lambda vm, seen: (
            (None,)
            if vm.tags is None
            else tuple(tag for category, tag in vm.tags if category.casefold() == wanted)
        ),
    )


FAMILIES = {
    "attr": Family("a custom attribute: attr.NAME:value", _attribute),
    "tag": Family("the tags of one category: tag.CATEGORY:value", _category),
}


def checked(tally: Tally | None) -> frozenset[str] | None:
    """Return the words that are true of a VM's checks, None when they were not asked."""
    if tally is None:
        return None
    words = (word for word, number in zip(("blocked", "warned", "undecided"), tally, strict=True) if number)
    return frozenset(words) or _FINE


_FINE = frozenset({"fine"})
# What a table of VMs knows besides them. A rule that asked for it would hang on what other rules say.
TABLE_FIELDS: dict[str, Field] = {
    "wave": Text("wave of the plan, or none", lambda vm, seen: seen.place(vm)[:1], "none"),
    "group": Text("move group of the plan, or none", lambda vm, seen: seen.place(vm)[1:], "none"),
    "checks": Choice(
        "how its checks came out",
        lambda vm, seen: checked(seen.tallies.get(vm.id)),
        ("blocked", "warned", "undecided", "fine"),
    ),
}
VM_WORDS = Vocabulary(FIELDS, FAMILIES)
TABLE_WORDS = VM_WORDS.also(TABLE_FIELDS)
