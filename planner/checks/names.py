"""Checks of names and identities: what must be unique, and what other programs cannot digest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks import secrets
from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate, besides, names_of
from planner.model import VM, Severity
from planner.names import visible

RULES: list[Rule] = [*secrets.RULES]
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@rule(
    RULES,
    "names.duplicate",
    Severity.WARNING,
    "VM name used twice",
    why="One folder at the target cannot hold two VMs of one name, and people mix them up.",
    remedy="rename one of them, or map them to different folders",
    condition="another VM of the inventory has the same name, in whatever case",
    properties=("name",),
    reference="vSphere API: DuplicateName",
    work=Work(10),
)
def duplicate_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM name used twice."""
    others = besides(vm, estate.by_name[vm.name.casefold()])
    if others:
        count = f"{len(others)} other VMs have" if len(others) > 1 else "another VM has"
        yield f"{visible(vm.name)} has a name that {count} too"


@rule(
    RULES,
    "names.target",
    Severity.WARNING,
    "VM name is taken at the target",
    why="One folder cannot hold two VMs of one name; or the VM was moved already and its source left behind.",
    remedy="find out whether the VM was moved already, else rename one or map them to different folders",
    condition="a VM of the target inventory has the same name, in whatever case",
    properties=("name",),
    reference="vSphere API: DuplicateName",
    work=Work(15),
)
def name_at_target(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM name is taken at the target; unknown while no target was discovered."""
    if estate.target is None:
        yield None
    elif found := estate.target.by_name.get(vm.name.casefold()):
        where = f" in {visible(found[0].folder, 60)}" if found[0].folder else ""
        yield f"{visible(vm.name)} has a name that is taken at the target{where}"


@rule(
    RULES,
    "names.invalid",
    Severity.WARNING,
    "VM name that tools cannot digest",
    why="vSphere allows 80 characters and escapes / \\ and %; control characters and outer blanks break "
    "scripts, exports and people's eyes.",
    remedy="rename the VM",
    condition="the name is longer than 80 characters, has / \\ or %, control characters or outer blanks",
    properties=("name",),
    reference="vSphere API: VirtualMachineConfigSpec.name",
    work=Work(10),
)
def invalid_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM name that tools cannot digest."""
    shown = visible(vm.name, 90)
    if len(vm.name) > 80:
        yield f"{shown} has a name of {len(vm.name)} characters"
    elif visible(vm.name) != vm.name or vm.name != vm.name.strip():
        yield f"{shown} has control characters or outer blanks in its name"
    elif re.search(r"[/\\%]", vm.name):
        yield f"{shown} has / \\ or % in its name"


@rule(
    RULES,
    "names.label",
    Severity.INFO,
    "VM name that is no host name",
    why="Clouds, Kubernetes and many inventories take host names only; there the VM gets another name.",
    remedy="nothing for vSphere; rename it when other tools have to find it by name",
    condition="the name is not one to 63 letters, digits and inner hyphens",
    properties=("name",),
    reference="RFC 1123, section 2.1",
)
def no_label(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM name that is no host name."""
    if not all(map(_LABEL.fullmatch, vm.name.split("."))):
        yield f"{visible(vm.name, 90)} has a name that no host can have"


@rule(
    RULES,
    "names.host",
    Severity.WARNING,
    "Guest calls itself localhost",
    why="A guest without a name of its own registers nothing in DNS, so a new address reaches nobody.",
    remedy="set a host name in the guest",
    condition="the first label of the guest's host name is localhost",
    properties=("guest.hostName",),
    reference="vSphere API: GuestInfo.hostName",
    work=Work(15),
)
def localhost(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: guest calls itself localhost."""
    if not vm.dns_name:
        yield None
    elif vm.dns_name.casefold().split(".")[0] == "localhost":
        yield f"{visible(vm.name)} has the host name {visible(vm.dns_name, 60)}"


@rule(
    RULES,
    "names.host.missing",
    Severity.WARNING,
    "Guest reports no host name",
    why="What others call it cannot be told, so nobody can say who has to follow when its address changes.",
    remedy="set a host name in the guest, or write it into the inventory",
    condition="VMware Tools run and report addresses, but no host name, where other guests report one",
    properties=("guest.hostName", "guest.toolsRunningStatus"),
    reference="vSphere API: GuestInfo.hostName",
    work=Work(15),
)
def no_host_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: guest reports no host name; without a report of the guest it is unknown."""
    if vm.dns_name:
        return
    reports = vm.tools in {"toolsOk", "toolsOld"} and any(nic.addresses for nic in vm.nics)
    if reports and estate.lookup.reads(vm, "dns_name"):
        yield f"{visible(vm.name)} reports addresses, but no host name"
    else:
        yield None


@rule(
    RULES,
    "names.host.duplicate",
    Severity.WARNING,
    "Host name used twice",
    why="Two guests under one name write over each other in DNS, monitoring and backup; it is a clone or a "
    "cluster name.",
    remedy="ask the owner; give a clone a name of its own, keep nodes of a cluster in one move group",
    condition="another guest of the inventory reports the same host name, localhost left aside",
    properties=("guest.hostName",),
    reference="vSphere API: GuestInfo.hostName",
    work=Work(30),
)
def duplicate_host_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: host name used twice."""
    if not vm.dns_name:
        yield None
        return
    name = vm.dns_name.casefold()
    if name.partition(".")[0] != "localhost" and (others := besides(vm, estate.lookup.by_dns[name])):
        yield f"{visible(vm.name)} has the host name {visible(vm.dns_name, 60)}, as {names_of(others)} has"


@rule(
    RULES,
    "names.uuid.bios",
    Severity.WARNING,
    "BIOS UUID used twice",
    why="Software that knows a machine by it (backup, licences, SCCM, cloud-init) takes two for one.",
    remedy="give one of them a new one: uuid.action = create, with the VM off",
    condition="another VM of the inventory has the same BIOS UUID",
    properties=("config.uuid",),
    reference="vSphere API: VirtualMachineConfigInfo.uuid is not unique",
    work=Work(15, outage=True),
)
def duplicate_bios_uuid(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: BIOS UUID used twice."""
    if not vm.bios_uuid:
        yield None
    elif others := besides(vm, estate.lookup.by_bios_uuid[vm.bios_uuid.casefold()]):
        yield f"{visible(vm.name)} has the BIOS UUID that {names_of(others)} has too"


@rule(
    RULES,
    "names.uuid.instance",
    Severity.BLOCKER,
    "Instance UUID used twice",
    why="A vCenter holds one VM for each instance UUID: of two that meet at the target one is renumbered, "
    "and who remembers it by that number loses it.",
    remedy="give one of them a new instance UUID before the move",
    condition="another VM of the inventory, or of the target's, has the same instance UUID",
    properties=("config.instanceUuid",),
    reference="vSphere API: VirtualMachineConfigInfo.instanceUuid",
    work=Work(15, outage=True),
)
def duplicate_instance_uuid(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: instance UUID used twice."""
    if not vm.instance_uuid:
        yield None
        return
    key = vm.instance_uuid.casefold()
    if others := besides(vm, estate.lookup.by_instance_uuid[key]):
        yield f"{visible(vm.name)} has the instance UUID that {names_of(others)} has too"
    elif estate.target is None:
        yield None
    elif there := estate.target.lookup.by_instance_uuid.get(key):
        yield f"{visible(vm.name)} has the instance UUID that {names_of(there)} has at the target"
