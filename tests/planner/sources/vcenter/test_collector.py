"""Passes of the collector: pages, what breaks them, what an account may not see, how many calls they take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from planner.errors import BadInput, Unreachable
from planner.sources.vcenter.answers import Fault
from planner.sources.vcenter.collector import ATTEMPTS, Collector, RawObject, Unseen
from planner.sources.vcenter.paths import DEVICE_GAPS, HOSTS, MACHINES, Kind
from planner.sources.vcenter.reading import read_vcenter
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref
from tests.planner.sources.vcenter.logins import NO_WAIT, login_of, timeless
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

NAMES = Kind("virtual machines", ("VirtualMachine",), {"VirtualMachine": ("name", "runtime.powerState")})
VMS = 20


@pytest.fixture(scope="module")
def shared(module_vcenter: StartVCenter) -> VCenterPeer:
    return module_vcenter("-standalone-host", "0", "-vm", str(VMS))


@pytest.fixture
def peer(shared: VCenterPeer) -> Iterator[VCenterPeer]:
    shared.rules([])
    shared.calls(reset=True)
    yield shared
    shared.rules([])


@pytest.fixture
def session(peer: VCenterPeer) -> Iterator[Session]:
    with Session(login_of(peer)) as opened:
        yield opened


def kept(item: RawObject) -> RawObject:
    return item


def names(collector: Collector) -> list[str]:
    return [item.values["name"] for item in collector.read(NAMES, kept)]  # type: ignore[misc]


@pytest.mark.parametrize("page", [1, 7, 20, 500])
def test_all_objects_in_pages(session: Session, peer: VCenterPeer, page: int) -> None:
    told: list[tuple[str, int]] = []
    collector = Collector(session, page=page, report=lambda kind, count: told.append((kind, count)))
    assert len(set(names(collector))) == VMS
    calls = peer.calls()
    pages = -(-VMS // page)
    assert calls["RetrievePropertiesEx"] == 1
    assert calls.get("ContinueRetrievePropertiesEx", 0) == pages - 1
    assert calls["CreateContainerView"] == calls["DestroyView"] == 1
    assert told[-1] == ("virtual machines", VMS)
    assert len(told) == pages


def test_a_reading_takes_a_few_calls_and_one_a_page(vcenter: StartVCenter) -> None:
    """The calls of N machines in pages of P: those of an estate without machines, and N/P - 1 more."""
    counts = {}
    for vms in (0, 50, 100):
        peer = vcenter("-standalone-host", "0", "-vm", str(vms))
        assert len(read_vcenter(login_of(peer), page=25).vms) == vms
        counts[vms] = sum(peer.calls().values())
    assert counts[0] < 40
    assert (counts[50], counts[100]) == (counts[0] + 1, counts[0] + 3)


@pytest.mark.parametrize(
    "method", ["RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "CreateContainerView"]
)
@pytest.mark.parametrize("effect", ["drop", "dropAfter", "half", "expire"])
def test_a_pass_that_breaks_begins_again(
    session: Session, peer: VCenterPeer, method: str, effect: str
) -> None:
    whole = names(Collector(session, page=6))
    peer.rules([{"method": method, "skip": 0, "count": 1, effect: True}])
    collector = Collector(session, page=6, **NO_WAIT)
    assert names(collector) == whole
    assert peer.fired() == [1]


def test_a_session_that_is_denied_and_still_holds(session: Session, peer: VCenterPeer) -> None:
    """A vCenter refuses a second login in a session that is alive: it has to be left first."""
    peer.rules([{"method": "RetrievePropertiesEx", "count": 1, "fault": "NotAuthenticated"}])
    assert len(names(Collector(session, **NO_WAIT))) == VMS
    assert peer.calls()["Login"] == 2


def test_nothing_of_a_broken_pass_is_kept(session: Session, peer: VCenterPeer) -> None:
    """The last page breaks three times, the fourth pass is whole: machines come once, notes count once."""
    peer.rules(
        [{"method": "ContinueRetrievePropertiesEx", "skip": at, "count": 1, "half": True} for at in (1, 2, 3)]
        + [{"kind": "VirtualMachine", "missing": ["runtime.powerState"], "privilege": "System.Read"}]
    )
    collector = Collector(session, page=7, **NO_WAIT)
    assert len(names(collector)) == VMS
    assert set(collector.unseen.denied.values()) == {VMS}


@pytest.mark.parametrize("effect", ["drop", "half"])
def test_a_vcenter_that_goes_away(peer: VCenterPeer, effect: str) -> None:
    waits: list[float] = []
    peer.rules([{"method": "ContinueRetrievePropertiesEx", effect: True}])
    with Session(login_of(peer)) as session:
        collector = Collector(session, page=5, sleep=waits.append)
        with pytest.raises(Unreachable, match=f"broke off {ATTEMPTS} times .* virtual machines") as caught:
            names(collector)
    assert len(waits) == ATTEMPTS - 1
    assert waits == sorted(waits)
    assert "nothing of this reading was kept" in caught.value.hint
    assert caught.value.exit_code == 6


def test_an_answer_that_does_not_come(peer: VCenterPeer) -> None:
    peer.rules([{"method": "RetrievePropertiesEx", "count": 1, "delayMs": 3000}])
    with Session(login_of(peer, timeout_s=0.5)) as session:
        assert len(names(Collector(session, **NO_WAIT))) == VMS
    assert peer.fired() == [1]


def test_a_session_that_never_lasts(session: Session, peer: VCenterPeer) -> None:
    peer.rules([{"method": "RetrievePropertiesEx", "expire": True}])
    with pytest.raises(Unreachable):
        names(Collector(session, **NO_WAIT))
    assert peer.calls()["Login"] < 8


def test_a_kind_that_may_not_be_read(session: Session, peer: VCenterPeer) -> None:
    peer.rules([{"method": "RetrievePropertiesEx", "fault": "NoPermission"}])
    with pytest.raises(BadInput, match="lets admin read no virtual machines") as caught:
        names(Collector(session, **NO_WAIT))
    assert "docs/vcenter.md" in caught.value.hint


def test_what_is_not_shown_is_unknown_and_counted(peer: VCenterPeer) -> None:
    veiled = ["DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1"]
    peer.rules(
        [
            {
                "object": name,
                "missing": ["config.hardware.device", "snapshot"],
                "privilege": "VirtualMachine.X",
            }
            for name in veiled
        ]
    )
    inventory = read_vcenter(login_of(peer))
    for vm in inventory.vms:
        if vm.name in veiled:
            assert set(vm.gaps) == {*DEVICE_GAPS, "snapshots"}
            assert (vm.disks, vm.nics) == ((), ())
        else:
            assert vm.gaps == ()
            assert vm.disks
    (note,) = [note for note in inventory.notes if "VirtualMachine.X" in note]
    assert note.startswith("2 virtual machines do not show")
    assert "config.hardware.device" in note


def test_machines_of_which_only_the_name_is_shown(peer: VCenterPeer) -> None:
    peer.rules([{"kind": "VirtualMachine", "missing": ["config", "guest", "runtime", "summary"]}])
    vm = read_vcenter(login_of(peer)).vms[0]
    assert vm.name
    assert set(vm.gaps) == {*DEVICE_GAPS, "snapshots", "placeholders"}
    assert vm.power == "unknown"
    assert (vm.compute.encrypted, vm.management.managed_by, vm.compute.sgx, vm.cbt) == (None,) * 4


def test_hosts_that_are_hidden(peer: VCenterPeer) -> None:
    peer.rules([{"kind": "HostSystem", "hide": True}])
    inventory = read_vcenter(login_of(peer))
    assert inventory.hosts == ()
    assert {vm.host for vm in inventory.vms} == {""}


def test_a_kind_beside_the_machines_that_is_refused(peer: VCenterPeer) -> None:
    # folders, clusters, pools are read before hosts, each with one view
    peer.rules([{"method": "CreateContainerView", "skip": 3, "count": 1, "fault": "NoPermission"}])
    inventory = read_vcenter(login_of(peer))
    assert len(inventory.vms) == VMS
    assert inventory.gaps == ("hosts",)
    assert any("unknown" in note for note in inventory.notes)


def test_a_cluster_that_shows_no_configuration(peer: VCenterPeer) -> None:
    peer.rules([{"kind": "ClusterComputeResource", "missing": ["configurationEx"]}])
    inventory = read_vcenter(login_of(peer))
    (cluster,) = inventory.clusters
    assert (cluster.rules, cluster.groups, cluster.ha, cluster.drs) == (None,) * 4
    assert {vm.management.drs_override for vm in inventory.vms} == {None}


def test_licences_that_may_not_be_seen(peer: VCenterPeer) -> None:
    peer.rules([{"kind": "LicenseManager", "missing": ["licenses"], "privilege": "Global.Licenses"}])
    inventory = read_vcenter(login_of(peer))
    assert "licences" in inventory.gaps
    assert any("Global.Licenses" in note for note in inventory.notes)


def test_two_readings_are_equal(peer: VCenterPeer) -> None:
    first, second = (timeless(read_vcenter(login_of(peer), page=page)) for page in (3, 100))
    assert first == second


class Older:
    """A stand-in session whose API lacks two paths, and says so one by one as an old vCenter does."""

    key = ""

    def __init__(self, lacks: list[str]) -> None:
        self.lacks = lacks
        self.asked: list[bytes] = []
        self.collector = Ref("PropertyCollector", "p")

    def stream(self, request: bytes, *names: str) -> Iterator[Any]:
        from lxml import etree

        self.asked.append(request)
        for path in self.lacks:
            if f"<pathSet>{path}</pathSet>".encode() in request:
                raise Fault("InvalidProperty", "", {"name": path.rpartition(".")[2]})
        yield etree.fromstring(
            '<objects xmlns="urn:vim25"><obj type="VirtualMachine">vm-1</obj>'
            "<propSet><name>name</name><val>app</val></propSet></objects>"
        )


def test_paths_an_older_api_does_not_know_are_left_out_and_told() -> None:
    lacks = ["config.sgxInfo", "config.sevEnabled"]
    session = Older(lacks)
    collector = Collector(session)  # type: ignore[arg-type]
    (item,) = collector.read_these(MACHINES, [Ref("VirtualMachine", "vm-1")], kept)
    assert len(session.asked) == 3
    assert item.missing == dict.fromkeys(lacks, "InvalidProperty")
    collector.read_these(MACHINES, [Ref("VirtualMachine", "vm-1")], kept)
    assert len(session.asked) == 4  # known by now
    assert collector.unseen.notes() == (
        "the API of this vCenter does not know config.sevEnabled, config.sgxInfo of virtual machines: "
        "they are unknown",
    )


def test_a_path_nobody_asked_for_is_no_way_out() -> None:
    collector = Collector(Older([]))  # type: ignore[arg-type]
    assert not collector.leave_out(HOSTS, Fault("InvalidProperty", "", {"name": "config.sgxInfo"}))
    assert not collector.leave_out(HOSTS, Fault("InvalidProperty"))
    assert not collector.leave_out(HOSTS, Fault("NoPermission", "", {"name": "parent"}))
    assert collector.leave_out(HOSTS, Fault("InvalidProperty", "", {"name": "config.lockdownMode"}))


def test_notes_name_a_privilege_once_and_are_safe_to_print() -> None:
    unseen = Unseen()
    for at in range(7):
        unseen.add("hosts", {f"path.{at}\x1b": "System.Read", "other": "Global.X"})
    first, second = unseen.notes()
    assert first.startswith("7 hosts do not show other: the account lacks Global.X")
    assert "and 3 more properties" in second
    assert "\x1b" not in second
