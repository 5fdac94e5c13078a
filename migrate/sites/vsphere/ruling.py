"""DRS rules of a cluster, built again over VMs that wherry made there.

    VM ── resource pool ── owner ─▸ cluster ── its rules and groups ─▸ ReconfigureComputeResource_Task

A rule has no place for a mark. Before one is built its first VM is marked with the step that does so; a rule
of its name whose VM has no such mark is somebody else's, and is neither changed nor removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from migrate.sites.ports import NewVM
from migrate.sites.rules import NewRule
from migrate.sites.vsphere.built import built, option
from migrate.sites.vsphere.describing import Describing, stamp_of
from migrate.sites.vsphere.landing import Ground
from migrate.sites.vsphere.tasks import Act
from planner.model import RuleKind
from planner.names import content_id, visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import text

_POOLED = Kind("virtual machines", (), {"VirtualMachine": ("resourcePool",)})
_OWNED = Kind("resource pools", (), {"ResourcePool": ("owner",)})
_CLUSTER = Kind("clusters", (), {"ClusterComputeResource": ("name",)})
_RECONFIGURE = "ReconfigureComputeResource_Task"
_INFO = {
    RuleKind.TOGETHER: "ClusterAffinityRuleSpec",
    RuleKind.APART: "ClusterAntiAffinityRuleSpec",
    RuleKind.VM_HOST: "ClusterVmHostRuleInfo",
}


class Ruling(Describing):
    """The DRS rules of a vCenter's clusters."""

    def build_rule(self, rule: NewRule, op: str) -> str:
        """Build a rule; return what stands against it, empty when it stands. Raises Declined, Unreachable."""
        act = self.act("build_rule", rule.name, op)
        found = {vm: self.ids.find(vm) for vm in rule.vms}
        members = {vm: target for vm, target in found.items() if target is not None}
        if not members or len(members) < len(found):
            return "not all of its VMs are there"
        clusters = self._clusters(members.values())
        if len(clusters) != 1:
            return f"its VMs are in {len(clusters)} clusters"
        (cluster,) = clusters
        refs = {target.id for target in members.values()}
        config = self._config(cluster)
        there = _named(config.rule, rule.name)
        if there is not None:
            return "" if _is(there, rule, config, refs) else "another rule of its name is there"
        group = _named(config.group, rule.vm_group) if rule.kind is RuleKind.VM_HOST else None
        if rule.kind is RuleKind.VM_HOST:
            if not _has_hosts(config, rule):
                return f"the target has no group of hosts called {visible(rule.host_group, 80)}"
            if group is not None and _ids(getattr(group, "vm", ())) != refs:
                return f"a group of other VMs is called {visible(rule.vm_group, 80)} there"
        makes_group = rule.kind is RuleKind.VM_HOST and group is None
        self._mark(act, rule, {_key(rule): op, **({_group_key(rule): op} if makes_group else {})})
        machines = [self.connection.managed(target) for target in members.values()]
        spec = built(
            "ClusterConfigSpecEx",
            groupSpec=[_change("ClusterGroupSpec", _vm_group(rule, machines))] if makes_group else [],
            rulesSpec=[_change("ClusterRuleSpec", _info(rule, machines))],
        )
        self._reconfigure_cluster(act, cluster, spec, lambda config: _stands(config, rule, refs))
        return ""

    def hosts_missing(self, rules: Iterable[NewRule], arriving: Iterable[NewVM]) -> tuple[str, ...]:
        """Return a sentence for each group of hosts that is not in the cluster where a rule's VMs land.

        Raises SiteRefused for a place that is not there, Declined, Unreachable.
        """
        of_hosts = [rule for rule in rules if rule.kind is RuleKind.VM_HOST]
        if not of_hosts:
            return ()
        ground = Ground(self.connection)
        lands = {vm.id: ground.landing_of(vm).cluster for vm in arriving}
        clusters = {cluster for cluster in lands.values() if cluster.kind == "ClusterComputeResource"}
        configs = {cluster: self._config(cluster) for cluster in clusters}
        found = (
            f"the cluster where VMs of the rule {visible(rule.name, 80)} land has no group of hosts called "
            f"{visible(rule.host_group, 80)}"
            for rule in of_hosts
            for cluster in dict.fromkeys(lands[vm] for vm in rule.vms if vm in lands)
            if cluster in configs and not _has_hosts(configs[cluster], rule)
        )
        return tuple(dict.fromkeys(found))

    def drop_rule(self, rule: NewRule, op: str) -> None:
        """Remove a rule that the same step built, and its group of VMs; raises Declined, Unreachable."""
        act = self.act("drop_rule", rule.name, op)
        item = self._made(rule.vms[0])
        if item is None or not _same_step(stamp_of(item, _key(rule)), op):
            return
        own_group = _same_step(stamp_of(item, _group_key(rule)), op)
        for cluster in self._clusters([item.ref]):
            config = self._config(cluster)
            own_group = own_group and not _is_used_besides(config, rule)
            names = (rule.name, rule.vm_group if own_group else "")
            spec = _removal(config, *names)
            if spec is not None:
                self._reconfigure_cluster(act, cluster, spec, partial(_is_removed, names))
        self._mark(act, rule, {_key(rule): "", **({_group_key(rule): ""} if own_group else {})})

    def _clusters(self, targets: Iterable[Ref]) -> set[Ref]:
        """Return the clusters that VMs are in; a host without one counts for none."""
        pools = {text(item.values.get("resourcePool")) for item in self.connection.read(_POOLED, targets)}
        owned = self.connection.read(_OWNED, [Ref("ResourcePool", pool) for pool in sorted(pools) if pool])
        owners = [Ref("ClusterComputeResource", text(item.values.get("owner"))) for item in owned]
        return {item.ref for item in self.connection.read(_CLUSTER, dict.fromkeys(owners))}

    def _config(self, cluster: Ref) -> Any:
        managed = self.connection.managed(cluster)
        return self.connection.ask(
            f"the rules of {self.connection.shown} cannot be read", lambda _: managed.configurationEx
        )

    def _reconfigure_cluster(self, act: Act, cluster: Ref, spec: Any, stands: Callable[[Any], bool]) -> None:
        act.run(
            *(cluster, _RECONFIGURE, spec, True), done=lambda: True if stands(self._config(cluster)) else None
        )

    def _mark(self, act: Act, rule: NewRule, marks: Mapping[str, str]) -> None:
        """Write marks into the first VM of a rule; empty ones are taken off."""

        def item() -> RawObject:
            return self._seen(rule.vms[0])

        def done() -> bool | None:
            seen = item()
            return True if all(stamp_of(seen, key) == value for key, value in marks.items()) else None

        spec = built(
            "VirtualMachineConfigSpec", extraConfig=[option(key, value) for key, value in marks.items()]
        )
        act.run(item().ref, "ReconfigVM_Task", spec, done=done)


def _key(rule: NewRule) -> str:
    return f"wherry.rule.{content_id(rule.name)}"


def _group_key(rule: NewRule) -> str:
    return f"wherry.group.{content_id(rule.vm_group)}"


def _same_step(made: str, op: str) -> bool:
    return bool(made) and made.rpartition("/")[0] == op.rpartition("/")[0]


def _named(items: Any, name: str) -> Any:
    return next((one for one in items or () if one.name == name), None)


def _has_hosts(config: Any, rule: NewRule) -> bool:
    return bool(getattr(_named(config.group, rule.host_group), "host", None))


def _ids(machines: Any) -> set[str]:
    return {one._moId for one in machines or ()}


def _stands(config: Any, rule: NewRule, refs: set[str]) -> bool:
    there = _named(config.rule, rule.name)
    return there is not None and _is(there, rule, config, refs)


def _is_used_besides(config: Any, rule: NewRule) -> bool:
    """Whether another rule is about the VMs of a rule's group too."""
    return any(
        one.name != rule.name and getattr(one, "vmGroupName", "") == rule.vm_group for one in config.rule
    )


def _removal(config: Any, name: str, group: str) -> Any:
    """Return what removes a rule and, where one is named, a group of VMs; None when both are gone."""
    rule = _named(config.rule, name)
    rules = [] if rule is None else [built("ClusterRuleSpec", operation="remove", removeKey=rule.key)]
    found = _named(config.group, group) if group else None
    groups = [] if found is None else [built("ClusterGroupSpec", operation="remove", removeKey=group)]
    if not rules and not groups:
        return None
    return built("ClusterConfigSpecEx", groupSpec=groups, rulesSpec=rules)


def _is_removed(names: tuple[str, str], config: Any) -> bool:
    return _removal(config, *names) is None


def _is(there: Any, rule: NewRule, config: Any, refs: set[str]) -> bool:
    """Whether a rule of the cluster is the one to build, whatever its state."""
    if there._wsdlName != _INFO[rule.kind]:
        return False
    if rule.kind is not RuleKind.VM_HOST:
        return _ids(there.vm) == refs
    hosts = (there.affineHostGroupName or "", there.antiAffineHostGroupName or "")
    group = _named(config.group, there.vmGroupName)
    same_hosts = hosts == ((rule.host_group, "") if rule.affine else ("", rule.host_group))
    return same_hosts and _ids(getattr(group, "vm", ())) == refs


def _change(kind: str, info: Any) -> Any:
    return built(kind, operation="add", info=info)


def _vm_group(rule: NewRule, machines: list[Any]) -> Any:
    return built("ClusterVmGroup", name=rule.vm_group, vm=machines)


def _info(rule: NewRule, machines: list[Any]) -> Any:
    common = {"name": rule.name, "enabled": rule.enabled, "mandatory": rule.mandatory}
    if rule.kind is not RuleKind.VM_HOST:
        return built(_INFO[rule.kind], vm=machines, **common)
    side = "affineHostGroupName" if rule.affine else "antiAffineHostGroupName"
    return built(_INFO[rule.kind], vmGroupName=rule.vm_group, **{side: rule.host_group}, **common)
