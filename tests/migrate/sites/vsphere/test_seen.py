"""What people see in vCenter: an event for each act, and where a VM stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.sites.ports import Shown, Shows
from migrate.sites.vsphere.configuring import Configuring
from migrate.sites.vsphere.seen import Showing
from planner.errors import SiteRefused
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import APP, ODD, document
from tests.vcenter.fixtures import StartVCenter

OP = "1/g0/v0/fix/do1"


class Site(Showing, Configuring):
    """Two parts put together."""


@pytest.fixture
def wired(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Wired:
    return wire(vcenter("-estate", str(document(tmp_path, APP, ODD))))


def attributes(wired: Wired, name: str) -> dict[str, str]:
    service = wired.peer.connect()
    names = {field.key: field.name for field in service.content.customFieldsManager.field}
    values = wired.machines("customValue")[name]["customValue"]
    return {names[value.key]: value.value for value in values}


def events(wired: Wired) -> list[tuple[str, str]]:
    import pyVmomi

    vim: Any = pyVmomi.vim
    found = wired.peer.connect().content.eventManager.QueryEvents(vim.event.EventFilterSpec())
    return [(one.vm.name, one.message) for one in found if isinstance(one, vim.event.GeneralUserEvent)]


def test_each_act_is_an_event_at_its_vm(wired: Wired) -> None:
    site = Site(*wired.of("vm-7"))
    site.set_change_tracking("vm-7", True, OP)
    site.consolidate("vm-7", OP)
    assert sorted(events(wired)) == [
        ("odd", "wherry: consolidate [1/g0/v0/fix/do1]"),
        ("odd", "wherry: set change tracking [1/g0/v0/fix/do1]"),
    ]


@pytest.mark.parametrize("rule", [{"fault": "NoPermission"}, {"drop": True}, {"dropAfter": True}])
def test_an_event_that_is_refused_holds_nothing_up(wired: Wired, rule: dict[str, object]) -> None:
    wired.peer.rules([{"method": "LogUserEvent", **rule}])
    site = Site(*wired.of("vm-7"))
    site.set_change_tracking("vm-7", True, OP)
    found = site.configuration("vm-7")
    assert found is not None
    assert found.cbt
    assert wired.tasks.log.methods["LogUserEvent"] == 1


def test_where_a_vm_stands_is_shown(wired: Wired) -> None:
    site: Shows = Showing(*wired.of("vm-7", "vm-8"))
    site.show("vm-8", Shown("wave-1", "seed"), OP)
    site.show("vm-8", Shown("wave-1", "checkpoint", "2026-01-02T03:04:05+00:00"), OP)
    site.show("vm-7", Shown("wave-1\u202e", "seed"), OP)
    site.show("vm-99", Shown("wave-1", "seed"), OP)
    assert attributes(wired, "app/one") == {
        **dict(APP.attributes),
        "wherry wave": "wave-1",
        "wherry state": "checkpoint",
        "wherry checkpoint": "2026-01-02T03:04:05+00:00",
    }
    assert attributes(wired, "odd")["wherry wave"] == "wave-1<U+202E>"
    assert wired.tasks.log.methods == {"AddCustomFieldDef": 3, "SetField": 6}


def test_what_stands_there_already_is_not_set_again(wired: Wired) -> None:
    site = Showing(*wired.of("vm-8"))
    site.show("vm-8", Shown("wave-1", "seed"), OP)
    site.show("vm-8", Shown("wave-1", "seed"), OP)
    assert wired.tasks.log.methods == {"AddCustomFieldDef": 2, "SetField": 2}


@pytest.mark.parametrize("method", ["SetField", "AddCustomFieldDef"])
@pytest.mark.parametrize(("effect", "sent"), [("drop", 3), ("dropAfter", 2)])
def test_a_lost_answer_is_asked_for(wired: Wired, method: str, effect: str, sent: int) -> None:
    wired.peer.rules([{"method": method, "count": 1, effect: True}])
    Showing(*wired.of("vm-8")).show("vm-8", Shown("wave-1", "seed"), OP)
    assert attributes(wired, "app/one")["wherry state"] == "seed"
    assert wired.tasks.log.methods[method] == sent


def test_an_account_that_may_not_define_attributes_is_told(wired: Wired) -> None:
    wired.peer.rules([{"method": "AddCustomFieldDef", "fault": "NoPermission"}])
    with pytest.raises(SiteRefused, match="show of vm-8 failed: NoPermission"):
        Showing(*wired.of("vm-8")).show("vm-8", Shown("wave-1", "seed"), OP)
