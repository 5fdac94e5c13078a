"""Which object a VM of the plan is: by its moref at home, by its stamp elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.sites.vsphere.ids import Held, Ids, held_disks, stamps
from planner.errors import NotFound, SiteRefused
from planner.sources.vcenter.soap import Ref
from tests.migrate.sites.vsphere.conftest import Wired
from tests.vcenter.collected import finished


def _stamp(wired: Wired, name: str, settings: dict[str, str]) -> str:
    import pyVmomi

    vim: Any = pyVmomi.vim
    machine = wired.machines()[name][""]
    options = [vim.option.OptionValue(key=key, value=value) for key, value in settings.items()]
    finished(machine.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options)))
    moref: str = machine._moId
    return moref


def test_at_home_a_vm_is_its_moref(wired: Wired) -> None:
    ids = Ids(wired.connection, {"other/vm-7": "vm-7"})
    assert ids.need("other/vm-7") == Ref("VirtualMachine", "vm-7")
    assert ids.name_of(Ref("VirtualMachine", "vm-7")) == "other/vm-7"


def test_elsewhere_a_moref_of_the_same_text_is_another_vm(wired: Wired) -> None:
    here = next(iter(wired.machines().values()))[""]._moId
    ids = Ids(wired.connection, {})
    assert ids.find(here) is None
    with pytest.raises(NotFound):
        ids.need(here)


def test_elsewhere_a_vm_is_found_by_its_stamp(wired: Wired) -> None:
    first, second = sorted(wired.machines())
    ids = Ids(wired.connection, {})
    made = Ref("VirtualMachine", _stamp(wired, first, stamps("vm-7", "1/do1")))
    assert ids.find("vm-7") == made
    assert ids.name_of(made) == "vm-7"
    _stamp(wired, first, {"wherry.vm": "vm-8"})
    assert ids.find("vm-7") is None  # what was found before is looked at again
    _stamp(wired, second, stamps("vm-8", "1/do2"))
    with pytest.raises(SiteRefused, match=r"2 VMs at .* say they are vm-8"):
        Ids(wired.connection, {}).find("vm-8")


def test_places_and_volumes(wired: Wired) -> None:
    ids = Ids(wired.connection, {}, {"vm-7/2000": "[a] x/x.vmdk"})
    assert ids.volume("[a] x/x.vmdk") == "vm-7/2000"
    assert ids.volume("[a] y.vmdk") == "[a] y.vmdk"
    ids.learn("vm-8/2000", "[a] y.vmdk")
    assert ids.place("vm-8/2000") == "[a] y.vmdk"


def test_stamps_tell_of_disks() -> None:
    held = Held("[a] b/ü.vmdk", "vm-7/2000", "2000")
    told = stamps("vm-7", "1/do1", [held])
    assert held_disks(told) == (held,)
    assert held_disks({**told, "wherry.volume.1": "torn"}) == (held,)
