"""Checks of what vCenter keeps about a VM and that no copy of its files carries along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate, moment
from planner.model import VM, DrsRule, RuleKind, Severity
from planner.names import visible

RULES: list[Rule] = []
_KINDS = {
    RuleKind.TOGETHER: "keep together",
    RuleKind.APART: "keep apart",
    RuleKind.VM_HOST: "run on hosts",
    RuleKind.ORDER: "start in order",
}
_BACKUP_AGE = timedelta(days=7)
_DEFAULT_POOL = "Resources"
_SHOWN = 5


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(visible(name, 60) for name in names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _is_binding(found: DrsRule) -> bool:
    return found.kind is RuleKind.VM_HOST and bool(found.mandatory) and found.enabled is not False


@rule(
    RULES,
    "platform.drs.rule",
    Severity.WARNING,
    "Named by DRS rules",
    why="Rules belong to the cluster: at the target the VM runs anywhere until they are made again. Between "
    "vCenters wherry does so once all their VMs are there, where a group of hosts of the same name is.",
    remedy="look in the report of each run which rules were built at the target, and make the others there",
    condition="a rule of the cluster names the VM: together, apart, on hosts, in order",
    properties=("ClusterComputeResource.configurationEx.rule", "configurationEx.group"),
    reference="vSphere API: ClusterRuleInfo",
    work=Work(10, shared=True, each_min=5),
)
def drs_rules(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: named by DRS rules; without a rule it is fine only where the cluster's rules are known."""
    known = {found.name: _KINDS[found.kind] for _, found in estate.lookup.rules.get(vm.id, ())}
    names = list(dict.fromkeys((*known, *vm.rules)))
    if names:
        yield f"{visible(vm.name)} is named by DRS rules: {_some([_told(name, known) for name in names])}"
    elif not _rules_known(vm, estate):
        yield None


def _told(name: str, known: dict[str, str]) -> str:
    return f"{name} ({known[name]})" if name in known else name


def _rules_known(vm: VM, estate: Estate) -> bool:
    cluster = estate.clusters.get(estate.place(vm, vm.cluster))
    return cluster is not None and cluster.rules is not None


@rule(
    RULES,
    "platform.drs.must",
    Severity.WARNING,
    "Bound to hosts",
    why="A rule that must be kept often stands for a licence or a device of those hosts; HA keeps it too.",
    remedy="find out why it is bound, provide such hosts at the target, and make the rule there",
    condition="a mandatory rule in force binds a group with the VM to a group of hosts, or away from it",
    properties=("ClusterComputeResource.configurationEx.rule[ClusterVmHostRuleInfo].mandatory",),
    reference="vSphere API: ClusterVmHostRuleInfo",
    work=Work(60),
)
def bound_to_hosts(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: bound to hosts."""
    rules = [found for _, found in estate.lookup.rules.get(vm.id, ())]
    for found in filter(_is_binding, rules):
        way = "to" if found.affine else "away from"
        group = visible(found.host_group, 60) or "a group of hosts"
        yield f"{visible(vm.name)} is bound {way} {group} by {visible(found.name, 60)}"
    unsaid = any(found.kind is RuleKind.VM_HOST and found.mandatory is None for found in rules)
    if unsaid or not _rules_known(vm, estate):
        yield None


@rule(
    RULES,
    "platform.override",
    Severity.INFO,
    "Exception from its cluster",
    why="Automation level and restart priority of a single VM are kept by the cluster and stay there.",
    remedy="set the exception again in the target cluster",
    condition="DRS treats the VM otherwise than its cluster, or HA restarts it earlier, later or never",
    properties=("configurationEx.drsVmConfig", "configurationEx.dasVmConfig"),
    reference="vSphere API: ClusterDrsVmConfigInfo, ClusterDasVmConfigInfo",
    work=Work(10, shared=True, each_min=2),
)
def exception(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: exception from its cluster."""
    said = {"DRS": vm.management.drs_override, "HA restart priority": vm.management.restart_priority}
    if None in said.values():
        yield None
    if found := [f"{what} {visible(value, 40)}" for what, value in said.items() if value]:
        yield f"{visible(vm.name)} is excepted from its cluster: {', '.join(found)}"


@rule(
    RULES,
    "platform.policy",
    Severity.WARNING,
    "Storage policy",
    why="Policies are names in one vCenter: where the name is missing the disk gets the datastore's default, "
    "unencrypted and with other redundancy.",
    remedy="export the policies to the target's vCenter before the first wave and map them to those",
    condition="the VM's home or a disk has a storage policy",
    properties=("pbm.QueryAssociatedProfile",),
    reference="vSphere Storage: storage policy based management",
    work=Work(30, shared=True, each_min=2),
    kinds=("disks",),
)
def policies(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: storage policy."""
    said = [vm.management.storage_policy, *(disk.policy for disk in vm.disks)]
    if None in said:
        yield None
    if names := list(dict.fromkeys(name for name in said if name)):
        yield f"{visible(vm.name)} has storage policies: {_some(names)}"


@rule(
    RULES,
    "platform.tags",
    Severity.INFO,
    "Tags",
    why="Tags belong to one vCenter; backups, firewalls and policies that pick VMs by tag forget this one.",
    remedy="export categories and tags to the target's vCenter and set them again after the move",
    condition="the VM has tags",
    properties=("cis.tagging.TagAssociation",),
    reference="vSphere Automation API: tagging",
    work=Work(5, shared=True, each_min=0.2),
)
def tags(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: tags."""
    if vm.tags is None:
        yield None
    elif vm.tags:
        yield f"{visible(vm.name)} has tags: {_some([f'{category}/{tag}' for category, tag in vm.tags])}"


@rule(
    RULES,
    "platform.attributes",
    Severity.INFO,
    "Custom attributes",
    why="Custom attributes are defined in one vCenter; their values stay behind with it.",
    remedy="define the attributes in the target's vCenter and write the values again after the move",
    condition="the VM has values of custom attributes",
    properties=("customValue",),
    reference="vSphere API: CustomFieldsManager",
    work=Work(5, shared=True, each_min=0.2),
)
def attributes(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: custom attributes; none at all in a vCenter may mean that they were not read."""
    if names := [name for name, value in vm.attributes if value]:
        yield f"{visible(vm.name)} has custom attributes: {_some(names)}"
    elif not estate.lookup.reads(vm, "attributes"):
        yield None


@rule(
    RULES,
    "platform.pool",
    Severity.WARNING,
    "In a resource pool",
    why="Shares, reservations and limits of the pool hold for the VM here and for nothing there.",
    remedy="make the pool at the target with the same settings and map it, or do without it knowingly",
    condition="the VM is in a resource pool other than its cluster's own",
    properties=("resourcePool",),
    reference="vSphere Resource Management: resource pools",
    work=Work(15, shared=True, each_min=2),
)
def pool(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: in a resource pool."""
    name = vm.resource_pool.rstrip("/").rpartition("/")[2]
    if not name:
        yield None
    elif name != _DEFAULT_POOL and not vm.vapp:
        yield f"{visible(vm.name)} is in the resource pool {visible(name, 60)}"


@rule(
    RULES,
    "platform.vapp",
    Severity.WARNING,
    "Part of a vApp",
    why="Start order and properties of the vApp are not part of the VM; other tools deploy it as a whole.",
    remedy="move the members in one group and give the plan their start order",
    condition="the VM is a member of a vApp",
    properties=("parentVApp",),
    reference="vSphere API: VirtualApp",
    work=Work(30),
)
def vapp(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: part of a vApp; a VM whose pool is known is in none unless it says so."""
    if vm.vapp:
        yield f"{visible(vm.name)} is part of the vApp {visible(vm.vapp, 60)}"
    elif not vm.resource_pool:
        yield None


@rule(
    RULES,
    "platform.permissions",
    Severity.WARNING,
    "Permissions of its own",
    why="Who may see, start or open the console of the VM is kept by the vCenter, not by the VM.",
    remedy="list them and grant them again at the target, to a folder rather than to the VM",
    condition="permissions are set on the VM itself",
    properties=("permission",),
    reference="vSphere API: AuthorizationManager",
    work=Work(10, shared=True, each_min=5),
)
def permissions(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: permissions of its own."""
    if vm.management.permissions is None:
        yield None
    elif vm.management.permissions:
        yield f"{visible(vm.name)} has {vm.management.permissions} permissions of its own"


@rule(
    RULES,
    "platform.backup.job",
    Severity.WARNING,
    "Backed up under its old number",
    why="Backup jobs know a VM by its number in one vCenter: after the move they miss it, and the first new "
    "backup is a full one.",
    remedy="add the VM to a job at the target, run a full backup after the commit, keep the old chain",
    condition="a backup left its time at the VM",
    properties=("customValue", "config.annotation"),
    reference="vSphere API: ManagedObjectReference is not kept",
    work=Work(15, shared=True, each_min=2),
)
def backup_job(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: backed up under its old number."""
    if not vm.management.last_backup:
        yield None
    else:
        yield f"{visible(vm.name)} was last backed up at {visible(vm.management.last_backup, 40)}"


@rule(
    RULES,
    "platform.backup.old",
    Severity.WARNING,
    "Last backup is old",
    why="When the move goes wrong in a way nobody foresaw, the backup is what is left.",
    remedy="take a backup, and restore it once, before the first copy",
    condition=f"the last backup is more than {_BACKUP_AGE.days} days older than the inventory",
    properties=("customValue", "config.annotation"),
    reference="practice: a tested backup before the first copy",
    work=Work(15),
)
def old_backup(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: last backup is old."""
    last = moment(vm.management.last_backup)
    if last is None or estate.taken_at is None:
        yield None
    elif estate.taken_at - last > _BACKUP_AGE:
        days = (estate.taken_at - last).days
        yield f"{visible(vm.name)} was last backed up {days} days before the inventory was taken"
