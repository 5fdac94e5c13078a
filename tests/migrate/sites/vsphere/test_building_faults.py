"""A VM is built whole and once, whichever call of its building is struck: every kind of call, every fault.

The negative control strikes as often as a call is tried at all, and nothing is built then.
"""

from __future__ import annotations

import pytest

from planner.errors import Unreachable
from tests.migrate.sites.vsphere.test_machines import CREATE, OP, Pair, pair, starts

__all__ = ["pair", "starts"]

CALLS = (
    *("CreateFolder", CREATE, "AddCustomFieldDef", "SetField", "RetrievePropertiesEx"),
    *("CreateContainerView", "QueryConfigOptionDescriptor"),
)
EFFECTS = ("drop", "dropAfter", "half", "expire")
SLICE = {("CreateFolder", "half"), (CREATE, "half"), ("SetField", "dropAfter")}
STRIKES = [
    pytest.param(call, effect, marks=() if (call, effect) in SLICE else pytest.mark.soak)
    for call in CALLS
    for effect in EFFECTS
]


def _whole(pair: Pair) -> None:
    built = pair.built()
    assert [disk.key for disk in built.disks] == [2000, 2016]
    assert [adapter.mac for adapter in built.adapters] == ["00:50:56:9a:00:01", "0a:11:22:33:44:55"]
    assert built.attributes == (("cost centre", "4711"), ("owner", "sales-it"))
    machines = pair.wired.machines("parent")
    assert set(machines) == {"app%2fone", "tagged"}
    assert machines["app%2fone"]["parent"].name == "shop"


@pytest.mark.parametrize(("call", "effect"), STRIKES)
def test_it_is_built_once_whichever_call_is_struck(pair: Pair, call: str, effect: str) -> None:
    vm = pair.vm(folder="shop")
    pair.wired.peer.rules(
        [{"method": call, "skip": 1 if call.startswith("Ret") else 0, "count": 1, effect: True}]
    )
    pair.target.create_vm(vm, OP)
    assert pair.wired.peer.fired() == [1]
    pair.wired.peer.rules([])
    _whole(pair)
    service = pair.wired.peer.connect()
    folders = [one.name for one in service.content.rootFolder.childEntity[0].vmFolder.childEntity]
    assert folders.count("shop") == 1


def test_what_never_gets_through_builds_nothing(pair: Pair) -> None:
    vm = pair.vm(folder="shop")
    pair.wired.peer.rules([{"method": CREATE, "drop": True}])
    with pytest.raises(Unreachable):
        pair.target.create_vm(vm, OP)
    assert set(pair.wired.machines()) == {"tagged"}
    pair.wired.peer.rules([])
    pair.target.create_vm(vm, OP)
    _whole(pair)
