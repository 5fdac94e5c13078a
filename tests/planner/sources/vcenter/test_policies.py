"""Storage policies: what a policy service says, and that nothing else is lost where it says nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from planner.sources.vcenter.disks import disks
from planner.sources.vcenter.policies import Policies, attached
from planner.sources.vcenter.reading import read_vcenter
from tests.planner.sources.vcenter.logins import login_of
from tests.planner.sources.vcenter.raw import around, device, vm
from tests.vcenter.fixtures import StartVCenter


class Service:
    """A policy service with a few hundred policies, two of them in use."""

    def __init__(self) -> None:
        self.asked = 0

    def PbmQueryProfile(self, resourceType: Any, profileCategory: str) -> list[Any]:
        assert (resourceType, profileCategory) == ("storage", "REQUIREMENT")
        return [f"p-{at}" for at in range(250)]

    def PbmRetrieveContent(self, profileIds: list[Any]) -> list[Any]:
        self.asked += 1
        return [SimpleNamespace(profileId=key, name=f"policy {key}") for key in profileIds]

    def PbmQueryAssociatedEntity(self, profile: Any, entityType: str) -> list[Any] | None:
        held = {
            ("p-1", "virtualMachine"): [("virtualMachine", "vm-1")],
            ("p-200", "virtualDiskId"): [("virtualDiskId", "vm-1:2000"), ("virtualDiskUUID", "6000")],
        }.get((profile, entityType))
        return held and [SimpleNamespace(objectType=kind, key=key) for kind, key in held]


def test_what_policies_are_attached_to() -> None:
    service = Service()
    assert attached(service, "storage") == Policies({"vm-1": "policy p-1"}, {"vm-1:2000": "policy p-200"})  # type: ignore[arg-type]
    assert service.asked == 3


def test_policies_of_disks() -> None:
    held = [
        device("VirtualDisk", key, backing={"@": "VirtualDiskFlatVer2BackingInfo"}) for key in (2000, 2001)
    ]
    known = around(policies=Policies({}, {"vm-1:2000": "gold"}))
    assert [disk.policy for disk in disks(vm(*held), held, known)] == ["gold", ""]
    assert [disk.policy for disk in disks(vm(*held), held, around())] == [None, None]


def test_a_service_that_cannot_tell_leaves_them_unknown(vcenter: StartVCenter) -> None:
    """The simulator has policies and cannot say what they are attached to."""
    peer = vcenter("-vm", "2")
    inventory = read_vcenter(login_of(peer))
    assert len(inventory.vms) == 4
    assert {vm.management.storage_policy for vm in inventory.vms} == {None}
    (note,) = [note for note in inventory.notes if note.startswith("storage policies are unknown")]
    assert "MethodNotFound" in note
    assert peer.calls()["PbmQueryProfile"] == 1  # asked for, in our session
