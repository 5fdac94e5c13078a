"""Bubbles are made of nothing that leads out, once, and nothing of one stays."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from migrate.sites.bubbles import NewBubble
from migrate.sites.ports import NewNic, NewVM
from migrate.sites.vsphere.bubble import PRIVILEGE, Bubbling, switch_of
from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.landing import Ground
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.tasks import SENDINGS, Tasks
from planner.errors import SiteRefused, Unreachable
from planner.sources.vcenter.session import Session
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import document
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.collected import named
from tests.vcenter.fixtures import StartVCenter

KEY = "p-1-cafe-2026"
SWITCH = switch_of(KEY)
OP = f"{KEY}/bubble/do1"
GONE = f"{KEY}/remove/do1"
ADDS = ("AddVirtualSwitch", "AddPortGroup")
REMOVES = ("RemovePortGroup", "RemoveVirtualSwitch")


@dataclass(frozen=True, slots=True)
class Place:
    """A vCenter, the part that makes bubbles there, and a wave of one VM on two networks."""

    wired: Wired
    part: Bubbling

    @property
    def bubble(self) -> NewBubble:
        nics = (NewNic("Network adapter 1", "lan"), NewNic("Network adapter 2", "dmz"))
        vm = NewVM("vm-1", "app", 1, 1 << 28, "bios", "Linux", (), nics, datastore="ds")
        return NewBubble(KEY, ("lan", "dmz"), (vm,), ("ds",))

    def systems(self) -> dict[str, Any]:
        """Return what each host says of its network, by the host's name."""
        from pyVmomi import vim

        hosts = named(self.wired.peer.connect(), vim.HostSystem, "name", "configManager")
        return {name: host["configManager"].networkSystem for name, host in hosts.items()}

    def left(self) -> list[str]:
        """Return all switches and networks of bubbles, wherever they are."""
        from pyVmomi import vim

        found = [
            one.name
            for system in self.systems().values()
            for one in system.networkInfo.vswitch
            if one.name.startswith("wherry-")
        ]
        networks = named(self.wired.peer.connect(), vim.Network, "name")
        return sorted([*found, *(name for name in networks if name.startswith("wherry-"))])


ALL = [SWITCH, f"{SWITCH}-1", f"{SWITCH}-2"]


@pytest.fixture
def place(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Place:
    wired = wire(vcenter("-estate", str(document(tmp_path))))
    return Place(wired, Bubbling(*wired.of()))


def test_a_bubble_is_on_one_host_and_each_network_is_alone(place: Place) -> None:
    host = place.part.bubble_host(place.bubble)
    assert place.left() == []
    assert place.part.make_bubble(place.bubble, OP) == {"lan": f"{SWITCH}-1", "dmz": f"{SWITCH}-2"}
    assert place.left() == ALL
    info = place.systems()[host].networkInfo
    switch = next(one for one in info.vswitch if one.name == SWITCH)
    assert (list(switch.pnic), switch.spec.bridge) == ([], None)
    vlans = {one.spec.name: one.spec.vlanId for one in info.portgroup if one.spec.vswitchName == SWITCH}
    assert vlans == {f"{SWITCH}-1": 1, f"{SWITCH}-2": 2}
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == []


def test_what_is_plugged_there_lands_on_that_host_although_drs_could_choose(place: Place) -> None:
    def lands(*networks: str) -> Any:
        where = Ground(place.wired.connection)
        return where.landing(datastore="ds", datastores=(), networks=networks, folder="", pool="").host

    assert lands("net") is None
    names = place.part.make_bubble(place.bubble, OP)
    host = lands(*names.values())
    assert place.wired.connection.managed(host).name == place.part.bubble_host(place.bubble)


def test_what_is_there_already_is_neither_made_nor_removed_again(place: Place) -> None:
    names = place.part.make_bubble(place.bubble, OP)
    assert place.part.make_bubble(place.bubble, OP) == names
    place.part.remove_bubble(KEY, GONE)
    place.part.remove_bubble(KEY, GONE)
    assert place.wired.tasks.log.methods == {
        "AddVirtualSwitch": 1,
        "AddPortGroup": 2,
        "RemovePortGroup": 2,
        "RemoveVirtualSwitch": 1,
    }


def test_another_rehearsals_bubble_stays(place: Place) -> None:
    other = replace(place.bubble, key="p-2")
    place.part.make_bubble(other, OP)
    place.part.make_bubble(place.bubble, OP)
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == [switch_of("p-2"), f"{switch_of('p-2')}-1", f"{switch_of('p-2')}-2"]


@pytest.mark.parametrize(("effect", "extra"), [("drop", 1), ("dropAfter", 0), ("half", 0)])
@pytest.mark.parametrize("method", [*ADDS, *REMOVES])
def test_a_lost_answer_is_asked_for(place: Place, method: str, effect: str, extra: int) -> None:
    place.wired.peer.rules([{"method": method, "count": 1, effect: True}])
    place.part.make_bubble(place.bubble, OP)
    assert place.left() == ALL
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == []
    assert place.wired.peer.fired() == [1]
    assert place.wired.tasks.log.methods[method] == (2 if "PortGroup" in method else 1) + extra


@pytest.mark.parametrize("method", ADDS)
def test_what_was_made_before_a_refusal_is_removed(place: Place, method: str) -> None:
    place.wired.peer.rules(
        [{"method": method, "skip": int(method == "AddPortGroup"), "fault": "HostConfigFault"}]
    )
    with pytest.raises(Declined, match="HostConfigFault"):
        place.part.make_bubble(place.bubble, OP)
    assert place.left() == ([] if method == "AddVirtualSwitch" else ALL[:2])
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == []


def test_an_outcome_that_stays_unknown_leaves_nothing_that_is_not_found(place: Place) -> None:
    place.wired.peer.rules([{"method": "AddPortGroup", "drop": True}])
    with pytest.raises(Unreachable):
        place.part.make_bubble(place.bubble, OP)
    assert place.wired.tasks.log.methods["AddPortGroup"] == SENDINGS
    place.wired.peer.rules([])
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == []


def test_a_switch_with_an_uplink_is_no_bubble(place: Place) -> None:
    from pyVmomi import vim

    system = place.systems()[place.part.bubble_host(place.bubble)]
    kinds: Any = vim.host.VirtualSwitch
    bond = kinds.BondBridge(nicDevice=["vmnic1"])
    system.AddVirtualSwitch(SWITCH, kinds.Specification(numPorts=8, bridge=bond))
    with pytest.raises(SiteRefused, match="has an uplink"):
        place.part.make_bubble(place.bubble, OP)
    assert place.left() == [SWITCH]


def test_an_account_that_may_not_is_told_before(place: Place) -> None:
    place.wired.peer.rules([{"deny": PRIVILEGE.id}])
    for act in (
        lambda: place.part.bubble_host(place.bubble),
        lambda: place.part.make_bubble(place.bubble, OP),
    ):
        with pytest.raises(SiteRefused, match=f"lacks {PRIVILEGE.id} on host esx-1"):
            act()
    assert place.left() == []


def test_a_bubble_that_is_in_use_stays_until_it_is_not(vcenter: StartVCenter, wire: Wire) -> None:
    import pyVmomi

    vim: Any = pyVmomi.vim
    wired = wire(vcenter("-cluster", "0", "-standalone-host", "1", "-vm", "1"))
    place = Place(wired, Bubbling(*wired.of()))
    vm = replace(place.bubble.vms[0], datastore="LocalDS_0")
    bubble = replace(place.bubble, vms=(vm,), datastores=("LocalDS_0",))
    names = place.part.make_bubble(bubble, OP)
    machine = next(iter(wired.machines().values()))[""]
    kinds = vim.vm.device
    card = next(one for one in machine.config.hardware.device if isinstance(one, kinds.VirtualEthernetCard))
    card.backing = kinds.VirtualEthernetCard.NetworkBackingInfo(deviceName=names["lan"])
    change = kinds.VirtualDeviceSpec(operation="edit", device=card)
    machine.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change]))
    with pytest.raises(Declined, match="ResourceInUse"):
        place.part.remove_bubble(KEY, GONE)
    machine.PowerOffVM_Task()
    machine.Destroy_Task()
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == []


@pytest.mark.parametrize("sent", range(6))
def test_what_a_killed_process_left_is_found_by_its_key(place: Place, sent: int) -> None:
    """It dies before each of its calls, in making (0-2) and in removing (3-5)."""
    if (child := os.fork()) == 0:  # pragma: no cover - dies
        _die_after(place, sent)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert bool(place.left()) == (sent > 0)
    place.part.remove_bubble(KEY, GONE)
    assert place.left() == []


class _Deadly(CallLog):
    """A log whose process dies before it sends one call too many."""

    def __init__(self, sent: int) -> None:
        super().__init__()
        self._left = sent

    def sent(self, method: str) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def _die_after(place: Place, sent: int) -> None:  # pragma: no cover - dies
    connection = Connection(Session(login_of(place.wired.peer)))
    part = Bubbling(connection, Tasks(connection, _Deadly(sent)), Ids(connection, {}))
    part.make_bubble(place.bubble, OP)
    part.remove_bubble(KEY, GONE)
