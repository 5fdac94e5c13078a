"""A VM that has moved away is put aside into a folder, once, and goes back to where it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.sites.vsphere.foldering import Foldering
from migrate.sites.vsphere.refusing import ended, raised
from planner.errors import SiteRefused, Unreachable
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import APP, ODD, document
from tests.vcenter.fixtures import StartVCenter

OP, BACK = "1/g0/v0/fence/do1", "2/g0/v0/unfence/do1"
MOVE, MAKE = "MoveIntoFolder_Task", "CreateFolder"


@dataclass(frozen=True, slots=True)
class Estate:
    """A vCenter with two VMs in the root of their datacenter."""

    wired: Wired
    site: Foldering

    def where(self, name: str = "app/one") -> list[str]:
        """Return the names of the folders that a VM is in, the innermost first."""
        at, names = self.wired.machines("parent")[name]["parent"], []
        while at.name != "vm":
            names.append(at.name)
            at = at.parent
        return names

    def sent(self, method: str) -> int:
        return self.wired.tasks.log.methods[method]


@pytest.fixture
def estate(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Estate:
    wired = wire(vcenter("-estate", str(document(tmp_path, APP, ODD))))
    return Estate(wired, Foldering(*wired.of("vm-7", "vm-8")))


def test_the_folder_is_made_once_and_the_vm_goes_back_to_its_own(estate: Estate) -> None:
    for vm in ("vm-8", "vm-7", "vm-8"):
        assert estate.site.put_aside(vm, "Old/a%b", OP) == ""
    assert estate.where() == estate.where("odd") == ["a%25b", "Old"]
    assert (estate.sent(MAKE), estate.sent(MOVE)) == (2, 2)
    assert estate.site.put_back("vm-8", BACK) == ""
    assert estate.site.put_back("vm-8", BACK) == ""
    assert (estate.where(), estate.where("odd")) == ([], ["a%25b", "Old"])
    assert estate.sent(MOVE) == 3
    assert estate.site.put_aside("vm-8", "Old", OP) == ""
    assert estate.where() == ["Old"]


def test_one_that_nobody_put_aside_stays(estate: Estate) -> None:
    assert estate.site.put_back("vm-8", BACK) == ""
    assert estate.sent(MOVE) == 0


def test_one_whose_folder_is_gone_stays_and_that_is_told(estate: Estate) -> None:
    estate.site.put_aside("vm-8", "first", OP)
    estate.site.put_back("vm-8", BACK)
    first = estate.wired.machines("parent")["app/one"]["parent"].childEntity
    made = next(one for one in first if one.name == "first")
    made.MoveIntoFolder_Task([estate.wired.machines()["app/one"][""]])
    estate.site.put_aside("vm-8", "second", OP)
    made.Destroy_Task()
    assert estate.site.put_back("vm-8", BACK) == "the folder that it was in is gone"
    assert estate.where() == ["second"]


@pytest.mark.parametrize("method", [MAKE, MOVE, "ReconfigVM_Task"])
@pytest.mark.parametrize(("effect", "again"), [("drop", 1), ("dropAfter", 0), ("expire", 0)])
def test_a_lost_answer_moves_nothing_twice(estate: Estate, method: str, effect: str, again: int) -> None:
    strike = [{"method": method, "count": 1, effect: True}]
    estate.wired.peer.rules(strike)
    assert estate.site.put_aside("vm-8", "moved", OP) == ""
    assert (estate.wired.peer.fired(), estate.where()) == ([1], ["moved"])
    assert estate.sent(method) == 1 + again
    if method != MAKE:
        estate.wired.peer.rules(strike)
        assert estate.site.put_back("vm-8", BACK) == ""
        assert (estate.wired.peer.fired(), estate.where()) == ([1], [])


def test_what_never_gets_through_moves_nothing(estate: Estate) -> None:
    estate.wired.peer.rules([{"method": MOVE, "drop": True}])
    with pytest.raises(Unreachable):
        estate.site.put_aside("vm-8", "moved", OP)
    assert estate.where() == []


def test_an_account_without_the_privilege_is_declined(estate: Estate) -> None:
    estate.wired.peer.rules([{"method": MOVE, "fault": "NoPermission"}])
    with pytest.raises(SiteRefused, match=r"put aside of vm-8 failed: .*NoPermission"):
        estate.site.put_aside("vm-8", "moved", OP)
    assert estate.where() == []


def test_a_lost_privilege_is_named() -> None:
    import pyVmomi

    fault = pyVmomi.vim.fault.NoPermission(privilegeId="VirtualMachine.Inventory.Move", msg="denied")
    assert raised("it failed", fault).message == (
        "it failed: NoPermission: denied (VirtualMachine.Inventory.Move)"
    )
    said = {"fault": {"@": "NoPermission", "privilegeId": "Folder.Create"}}
    assert ended("it failed", said).message == "it failed: NoPermission: (Folder.Create)"
