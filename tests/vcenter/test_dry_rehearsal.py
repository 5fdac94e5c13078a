"""wherry rehearse --depth dry between two vCenters: both are asked, and nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.command import refused
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import Plant, Staged, staged

# Besides tasks, which all change something but this one; as far as wherry calls them.
_CHANGING = {"SetField", "AddCustomFieldDef", "ShutdownGuest", "MakeDirectory", "UnregisterVM"}
_LOOKS = "SearchDatastore_Task"


@pytest.fixture
def stage(tmp_path: Path, vcenter: StartVCenter) -> Staged:
    plant = Plant(vcenter("-vm", "1"))
    stage = staged(tmp_path / "move", plant.peer, vcenter("-vm", "0")).planned(min(plant.machines))
    for peer in (stage.source, stage.target):
        peer.calls(reset=True)
    return stage


def dry(stage: Staged) -> Any:
    ran = stage.cli("rehearse", "W01", "--depth", "dry", "--json")
    assert ran.code in (0, 3), ran.text
    return ran.document


def test_a_calm_wave(stage: Staged) -> None:
    said = dry(stage)
    assert (said["findings"], said["stopped_at"]) == ([], "")
    assert said["sites"] == {"source": stage.source.instance_uuid, "target": stage.target.instance_uuid}
    assert {call["call"] for call in said["calls"]} >= {
        "create_disk",
        "take_snapshot",
        "create_vm",
        "power_on",
    }
    for peer in (stage.source, stage.target):
        asked = peer.calls()
        assert asked, "the vCenter was not asked at all"
        tasks = {call for call in asked if call.endswith("_Task")} - {_LOOKS}
        assert not tasks | (_CHANGING & asked.keys())


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"networks": '{DC0_DVPG0 = "nowhere"}'}, {"networks"}),
        ({"datastores": '{LocalDS_0 = "nowhere"}'}, {"datastores"}),
        ({"datastores": "{}"}, {"datastores"}),
    ],
)
def test_what_is_not_there_is_a_finding(stage: Staged, settings: dict[str, str], what: set[str]) -> None:
    stage.planned(stage.moving, **settings)
    assert what <= {finding["what"] for finding in dry(stage)["findings"]}


def test_a_missing_privilege_is_named_with_its_object(stage: Staged) -> None:
    stage.source.rules([{"deny": "VirtualMachine.State.CreateSnapshot", "kind": "VirtualMachine"}])
    (finding,) = dry(stage)["findings"]
    assert finding["what"] == "privileges"
    assert "VirtualMachine.State.CreateSnapshot" in finding["message"]
    assert stage.moving in finding["message"]


def test_one_vcenter_is_not_two_sites(tmp_path: Path, vcenter: StartVCenter) -> None:
    plant = Plant(vcenter("-vm", "1"))
    stage = staged(tmp_path / "move", plant.peer, plant.peer).planned(min(plant.machines))
    assert "sites" in {finding["what"] for finding in dry(stage)["findings"]}
    refused(stage.cli.live("replicate", "W01"), 3, "are one and the same")


def test_the_way_to_each_disk_is_told(stage: Staged) -> None:
    found = {one["where"]: one for one in dry(stage)["ways"]}
    assert {where: one["way"] for where, one in found.items()} == {"source": "local", "target": "local"}
    assert found["source"]["reason"] == "local: its datastore is mounted here"
    assert found["target"]["reason"] == (
        "local: its datastore is mounted here; not hot-add: no VM of the mover is set up at this vCenter"
    )
    assert found["source"]["disk"].startswith(stage.moving)
    shown = stage.cli("rehearse", "W01", "--depth", "dry").text
    assert "not hot-add: no VM of the mover is set up" in shown
    stage.cli.done("settings", "set", "sites.dc1.mounts", "{}")
    stage.cli.done("settings", "set", "sites.dc2.mounts", "{}")
    found = {one["where"]: one for one in dry(stage)["ways"]}
    assert {one["way"] for one in found.values()} == {"datastore-http"}
    assert "not local: datastore LocalDS_0 is not mounted here" in found["source"]["reason"]
    assert "ESXi does not" in found["target"]["reason"]
