"""Clusters: their modes, their DRS rules and groups, and what they except single VMs from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from planner.model import Cluster, DrsGroup, DrsRule, RuleKind
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.values import flag, many, text

_KINDS = {
    "ClusterAffinityRuleSpec": RuleKind.TOGETHER,
    "ClusterAntiAffinityRuleSpec": RuleKind.APART,
    "ClusterVmHostRuleInfo": RuleKind.VM_HOST,
    "ClusterDependencyRuleInfo": RuleKind.ORDER,
}


def cluster(item: RawObject, places: Places) -> Cluster:
    """Return a cluster; what its configuration does not show is unknown."""
    config = item.values.get("configurationEx")
    shown = isinstance(config, dict)
    groups = tuple(_group(entry) for entry in many(config, "group")) if shown else None
    return Cluster(
        id=item.ref.id,
        name=entity_name(text(item.values.get("name"))),
        hosts=len(many(item.values.get("host"))),
        vcenter=places.vcenter,
        datacenter=places.datacenter(text(item.values.get("parent"))),
        ha=flag(config, "dasConfig", "enabled"),
        drs=flag(config, "drsConfig", "enabled"),
        drs_mode=text(config, "drsConfig", "defaultVmBehavior"),
        evc_mode=text(item.values["summary"], "currentEVCModeKey") if "summary" in item.values else None,
        vsan=flag(config, "vsanConfigInfo", "enabled"),
        admission_control=flag(config, "dasConfig", "admissionControlEnabled"),
        rules=tuple(_rule(entry, groups or ()) for entry in many(config, "rule")) if shown else None,
        groups=groups,
    )


def _group(entry: Any) -> DrsGroup:
    of_hosts = text(entry, "@") == "ClusterHostGroup"
    return DrsGroup(text(entry, "name"), of_hosts, tuple(many(entry, "host" if of_hosts else "vm")))


def _rule(entry: Any, groups: tuple[DrsGroup, ...]) -> DrsRule:
    kind = _KINDS.get(text(entry, "@"))
    members = {group.name: group.members for group in groups}
    affine, apart = text(entry, "affineHostGroupName"), text(entry, "antiAffineHostGroupName")
    vm_group, host_group = text(entry, "vmGroupName"), affine or apart
    vms: tuple[str, ...] | None = tuple(many(entry, "vm"))
    if kind is RuleKind.VM_HOST:
        vms = members.get(vm_group)
    elif kind is RuleKind.ORDER:
        vm_group, host_group = text(entry, "vmGroup"), ""
        first, second = members.get(text(entry, "dependsOnVmGroup")), members.get(vm_group)
        vms = None if first is None or second is None else tuple(dict.fromkeys((*first, *second)))
    return DrsRule(
        name=text(entry, "name"),
        kind=kind or RuleKind.TOGETHER,
        vms=vms if kind else None,
        enabled=flag(entry, "enabled"),
        mandatory=flag(entry, "mandatory"),
        vm_group=vm_group,
        host_group=host_group,
        affine=not apart,
    )


@dataclass(slots=True)
class Exceptions:
    """What clusters say of single VMs, by VM id; a VM of a cluster that shows nothing is in ``hidden``."""

    drs: dict[str, str] = field(default_factory=dict)
    restart: dict[str, str] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)  # ids of clusters

    @classmethod
    def of(cls, items: Iterable[RawObject], clusters: Iterable[Cluster]) -> Exceptions:
        """Return the exceptions and rules of these clusters."""
        found = cls()
        for item in items:
            config = item.values.get("configurationEx")
            if not isinstance(config, dict):
                found.hidden.add(item.ref.id)
                continue
            for entry in many(config, "drsVmConfig"):
                mode = "disabled" if flag(entry, "enabled") is False else text(entry, "behavior")
                found.drs[text(entry, "key")] = mode
            for entry in many(config, "dasVmConfig"):
                said = text(entry, "dasSettings", "restartPriority") or text(entry, "restartPriority")
                if said and said != "clusterRestartPriority":
                    found.restart[text(entry, "key")] = said
        for one in clusters:
            for drs_rule in one.rules or ():
                for vm in dict.fromkeys(drs_rule.vms or ()):
                    found.rules.setdefault(vm, []).append(drs_rule.name)
        return found
