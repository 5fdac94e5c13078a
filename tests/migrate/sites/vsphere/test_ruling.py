"""DRS rules are built once over VMs that are there, and only those of the same step are removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from migrate.sites.rules import NewRule
from migrate.sites.vsphere.ruling import Ruling
from planner.errors import SiteRefused, Unreachable
from planner.model import DrsGroup, DrsRule, RuleKind
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import APP, ODD, document
from tests.vcenter.fixtures import StartVCenter

OP, UNDO, OTHER = "1/rules/do1", "1/rules/undo1", "2/rules/do1"
RECONFIGURE = "ReconfigureComputeResource_Task"
HOSTS = DrsGroup("licensed", True, ("host-1",))
BOTH = ("vm-7", "vm-8")
APART = NewRule("shop apart", RuleKind.APART, BOTH)
PINNED = NewRule("dbs", RuleKind.VM_HOST, BOTH, False, True, "dbs", "licensed")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of two VMs, seen by the test's own eyes."""

    wired: Wired
    site: Ruling

    @property
    def config(self) -> Any:
        (datacenter,) = self.wired.peer.connect().content.rootFolder.childEntity
        (cluster,) = datacenter.hostFolder.childEntity
        return cluster.configurationEx

    def rules(self) -> dict[str, Any]:
        return {one.name: one for one in self.config.rule}

    def groups(self) -> dict[str, Any]:
        return {one.name: one for one in self.config.group}

    def sent(self) -> int:
        return self.wired.tasks.log.methods[RECONFIGURE]


Starts = Callable[..., Cluster]


@pytest.fixture
def starts(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Starts:
    def start(**more: Any) -> Cluster:
        wired = wire(vcenter("-estate", str(document(tmp_path, APP, ODD, groups=(HOSTS,), **more))))
        return Cluster(wired, Ruling(*wired.of(*BOTH)))

    return start


@pytest.fixture
def cluster(starts: Starts) -> Cluster:
    return starts()


@pytest.mark.parametrize(
    ("kind", "type_name"),
    [(RuleKind.APART, "ClusterAntiAffinityRuleSpec"), (RuleKind.TOGETHER, "ClusterAffinityRuleSpec")],
)
@pytest.mark.parametrize("enabled", [True, False])
def test_vms_run_apart_or_together(cluster: Cluster, kind: RuleKind, type_name: str, enabled: bool) -> None:
    rule = replace(APART, kind=kind, enabled=enabled)
    assert cluster.site.build_rule(rule, OP) == ""
    assert cluster.site.build_rule(rule, "1/rules/do2") == ""
    (there,) = cluster.config.rule
    assert (there.name, there._wsdlName, there.enabled) == ("shop apart", type_name, enabled)
    assert {machine._moId for machine in there.vm} == set(BOTH)
    assert cluster.sent() == 1


@pytest.mark.parametrize("affine", [True, False])
def test_a_rule_with_hosts_brings_its_group_of_vms(cluster: Cluster, affine: bool) -> None:
    rule = replace(PINNED, affine=affine)
    assert cluster.site.build_rule(rule, OP) == ""
    there = cluster.rules()["dbs"]
    sides = (there.affineHostGroupName or "", there.antiAffineHostGroupName or "")
    assert sides == (("licensed", "") if affine else ("", "licensed"))
    assert (there.enabled, there.mandatory, there.vmGroupName) == (False, True, "dbs")
    assert {machine._moId for machine in cluster.groups()["dbs"].vm} == set(BOTH)
    cluster.site.drop_rule(rule, UNDO)
    assert (cluster.rules(), set(cluster.groups())) == ({}, {"licensed"})


def test_a_group_that_another_rule_uses_stays(cluster: Cluster) -> None:
    second = replace(PINNED, name="dbs elsewhere", affine=False)
    assert [cluster.site.build_rule(rule, OP) for rule in (PINNED, second)] == ["", ""]
    cluster.site.drop_rule(PINNED, UNDO)
    assert (set(cluster.rules()), set(cluster.groups())) == ({"dbs elsewhere"}, {"licensed", "dbs"})
    cluster.site.drop_rule(second, UNDO)
    assert (cluster.rules(), set(cluster.groups())) == ({}, {"licensed"})


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (replace(PINNED, host_group="gone\u202e"), "the target has no group of hosts called gone<U+202E>"),
        (replace(PINNED, host_group="vms"), "the target has no group of hosts called vms"),
        (replace(PINNED, vm_group="vms"), "a group of other VMs is called vms there"),
        (replace(APART, name="taken"), "another rule of its name is there"),
        (replace(APART, vms=(*BOTH, "vm-99x")), "not all of its VMs are there"),
    ],
)
def test_what_stands_against_a_rule_is_told_and_nothing_is_changed(
    starts: Starts, rule: NewRule, why: str
) -> None:
    taken = DrsRule("taken", RuleKind.TOGETHER, BOTH, True)
    wired = starts(rules=(taken,)).wired
    config = Cluster(wired, Ruling(*wired.of(*BOTH)))
    _add_group(config)
    assert config.site.build_rule(rule, OP) == why
    assert config.sent() == 0
    assert set(config.rules()) == {"taken"}
    config.site.drop_rule(rule, UNDO)
    assert set(config.rules()) == {"taken"}


def _add_group(cluster: Cluster) -> None:
    """Make a group of one VM called vms, as somebody else would."""
    import pyVmomi

    vim: Any = pyVmomi.vim
    (datacenter,) = cluster.wired.peer.connect().content.rootFolder.childEntity
    machine = cluster.wired.machines()["odd"][""]
    group = vim.cluster.VmGroup(name="vms", vm=[machine])
    spec = vim.cluster.ConfigSpecEx(groupSpec=[vim.cluster.GroupSpec(operation="add", info=group)])
    datacenter.hostFolder.childEntity[0].ReconfigureComputeResource_Task(spec, True)


def test_a_rule_that_is_just_so_stands_and_is_not_ours(starts: Starts) -> None:
    cluster = starts(rules=(DrsRule("shop apart", RuleKind.APART, BOTH, True),))
    assert cluster.site.build_rule(APART, OP) == ""
    cluster.site.drop_rule(APART, UNDO)
    assert (set(cluster.rules()), cluster.sent()) == ({"shop apart"}, 0)


def test_another_run_does_not_remove_it(cluster: Cluster) -> None:
    cluster.site.build_rule(APART, OP)
    cluster.site.drop_rule(APART, "2/rules/undo1")
    assert set(cluster.rules()) == {"shop apart"}
    cluster.site.drop_rule(APART, UNDO)
    cluster.site.drop_rule(APART, UNDO)
    assert (cluster.rules(), cluster.sent()) == ({}, 2)
    assert cluster.site.build_rule(APART, OTHER) == ""
    assert set(cluster.rules()) == {"shop apart"}


@pytest.mark.parametrize(
    ("method", "effect", "sent"),
    [
        *((RECONFIGURE, "drop", 2), (RECONFIGURE, "dropAfter", 1), (RECONFIGURE, "half", 1)),
        *((RECONFIGURE, "expire", 1), ("ReconfigVM_Task", "dropAfter", 1)),
    ],
)
def test_a_lost_answer_builds_nothing_twice(cluster: Cluster, method: str, effect: str, sent: int) -> None:
    strike = [{"method": method, "count": 1, effect: True}]
    cluster.wired.peer.rules(strike)
    assert cluster.site.build_rule(PINNED, OP) == ""
    assert (cluster.wired.peer.fired(), cluster.sent()) == ([1], sent)
    assert [one.name for one in cluster.config.rule] == ["dbs"]
    cluster.wired.peer.rules(strike)
    cluster.site.drop_rule(PINNED, UNDO)
    assert cluster.wired.peer.fired() == [1]
    assert (cluster.rules(), set(cluster.groups())) == ({}, {"licensed"})


def test_what_never_gets_through_builds_nothing(cluster: Cluster) -> None:
    cluster.wired.peer.rules([{"method": RECONFIGURE, "drop": True}])
    with pytest.raises(Unreachable):
        cluster.site.build_rule(APART, OP)
    cluster.wired.peer.rules([])
    assert cluster.rules() == {}
    cluster.site.drop_rule(APART, UNDO)
    assert cluster.site.build_rule(APART, "1/rules/do2") == ""


def test_an_account_without_the_privilege_is_declined(cluster: Cluster) -> None:
    cluster.wired.peer.rules([{"method": RECONFIGURE, "fault": "NoPermission"}])
    with pytest.raises(SiteRefused, match=r"build rule of shop apart failed: .*NoPermission"):
        cluster.site.build_rule(APART, OP)
