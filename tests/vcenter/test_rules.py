"""DRS rules of a source stand again at the target, as a dry rehearsal said; going back removes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vcenter.collected import finished, named
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import Plant, Staged, machines, staged


def config(peer: VCenterPeer) -> tuple[Any, Any]:
    """Return a peer's cluster and its configuration."""
    from pyVmomi import vim

    (cluster,) = (one[""] for one in named(peer.connect(), vim.ClusterComputeResource, "name").values())
    return cluster, cluster.configurationEx


def rule_them(peer: VCenterPeer) -> None:
    """Keep the VMs of a peer's cluster together, on its hosts, off hosts that the target has none of."""
    import pyVmomi

    vim: Any = pyVmomi.vim
    cluster, _ = config(peer)
    vms = list(machines(peer).values())
    groups = (
        vim.cluster.VmGroup(name="shop", vm=vms),
        *(vim.cluster.HostGroup(name=name, host=[cluster.host[0]]) for name in ("licensed", "old")),
    )
    on, off = (
        vim.cluster.VmHostRuleInfo(name=name, enabled=True, vmGroupName="shop", **{side: hosts})
        for name, side, hosts in (
            *(("on licensed", "affineHostGroupName", "licensed"),),
            *(("not on old", "antiAffineHostGroupName", "old"),),
        )
    )
    together = vim.cluster.AffinityRuleSpec(name="shop together", enabled=False, vm=vms)
    changes = [vim.cluster.RuleSpec(operation="add", info=info) for info in (together, on, off)]
    made = [vim.cluster.GroupSpec(operation="add", info=info) for info in groups]
    spec = vim.cluster.ConfigSpecEx(groupSpec=made, rulesSpec=changes)
    finished(cluster.ReconfigureComputeResource_Task(spec, True))


@pytest.fixture
def stage(tmp_path: Path, vcenter: StartVCenter) -> Staged:
    import pyVmomi

    vim: Any = pyVmomi.vim
    plant = Plant(vcenter("-vm", "2", "-standalone-host", "0"))
    rule_them(plant.peer)
    target = vcenter("-vm", "0", "-standalone-host", "0")
    cluster, _ = config(target)
    hosts = vim.cluster.HostGroup(name="licensed", host=[cluster.host[1]])
    change = vim.cluster.GroupSpec(operation="add", info=hosts)
    finished(cluster.ReconfigureComputeResource_Task(vim.cluster.ConfigSpecEx(groupSpec=[change]), True))
    return staged(tmp_path / "move", plant.peer, target).planned()


def live(stage: Staged, verb: str) -> None:
    ran = stage.cli.live(verb, "W01")
    assert ran.code == 0, ran.text


def test_rules_stand_where_the_vms_run_and_go_with_them(stage: Staged) -> None:
    ran = stage.cli("rehearse", "W01", "--depth", "dry", "--json")
    said = ran.document
    assert (ran.code, [one["what"] for one in said["findings"]]) == (3, ["rules"])
    missing = "the cluster where VMs of the rule not on old land has no group of hosts called old"
    assert missing in said["findings"][0]["message"], "what the run would tell at the end of the cutover"
    names = ["shop together", "on licensed", "not on old"]
    assert [call["subject"] for call in said["calls"] if call["call"] == "build_rule"] == names
    for verb in ("replicate", "cutover"):
        live(stage, verb)
    against = stage.cli.done("rehearse", "W01", "--depth", "dry", "--against-run", "--json").document
    assert against["differences"] == [], "what was predicted is what was asked for"
    _, there = config(stage.target)
    rules = {one.name: one for one in there.rule}
    assert set(rules) == {"shop together", "on licensed"}
    assert {machine.name for machine in rules["shop together"].vm} == set(machines(stage.target))
    assert [rules[name].enabled for name in ("shop together", "on licensed")] == [False, True]
    assert {one.name for one in there.group} == {"licensed", "shop"}
    told = {step["step"]: step["said"] for step in stage.cli.report("W01")["steps"]}["rules"]
    assert told == "built 2 rules; not on old is not built: the target has no group of hosts called old"
    live(stage, "rollback")
    _, there = config(stage.target)
    assert (list(there.rule), [one.name for one in there.group]) == ([], ["licensed"])
    assert {one.name for one in config(stage.source)[1].rule} == {*names}


def test_the_privilege_is_asked_for_where_a_wave_has_rules(stage: Staged) -> None:
    stage.target.rules([{"deny": "Host.Inventory.EditCluster"}])
    ran = stage.cli("rehearse", "W01", "--depth", "dry", "--json")
    finding, _ = ran.document["findings"]
    assert "the account lacks Host.Inventory.EditCluster on cluster DC0_C0" in finding["message"]
