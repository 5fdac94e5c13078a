"""Guests start with other addresses: asked for once, read back, refused where they would come out changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.sites.addresses import TellsAddresses
from migrate.sites.networking import GuestNic
from migrate.sites.ports import Customises
from migrate.sites.vsphere.customising import Customising
from migrate.sites.vsphere.guest_networking import reported
from migrate.sites.vsphere.listing import Listing
from planner.errors import NotFound, SiteRefused
from planner.model import VM, Guest, Power
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import APP, document
from tests.vcenter.collected import finished
from tests.vcenter.fixtures import StartVCenter

Start = Callable[[VM], Wired]
OP = "1/g0/v0/readdress/do1"
CUSTOMIZE = "CustomizeVM_Task"
FIRST = GuestNic(
    "Network adapter 1", ("10.9.0.15/24", "fd00::15/64"), ("10.9.0.1",), ("10.9.0.2",), ("x.test",)
)
SECOND = GuestNic("Network adapter 2", ("10.9.1.15/16",))
NICS = (FIRST, SECOND)


@pytest.fixture
def start(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Start:
    """Start a vCenter that holds this VM."""
    return lambda vm: wire(vcenter("-estate", str(document(tmp_path, vm))))


def part(wired: Wired) -> Customising:
    return Customising(*wired.of("vm-8"))


def test_a_guest_will_start_with_other_addresses(start: Start) -> None:
    wired = start(APP)
    site: Customises = part(wired)
    assert site.networking("vm-8") is None
    site.customise("vm-8", NICS, OP)
    site.customise("vm-8", NICS, OP)
    assert site.networking("vm-8") == NICS
    assert wired.tasks.log.methods == {"ReconfigVM_Task": 1, CUSTOMIZE: 1}
    machine = wired.machines()["app/one"][""]
    finished(machine.PowerOnVM_Task())
    seen = wired.machines("guest.net", "guest.hostName")["app/one"]
    assert [net.ipAddress[0] for net in seen["guest.net"]] == ["10.9.0.15", "10.9.1.15"]
    assert seen["guest.hostName"] == "app-1"


def test_who_holds_which_address_is_told_in_one_pass(start: Start) -> None:
    wired = start(APP)
    part(wired).customise("vm-8", NICS, OP)
    listing = Listing(*wired.of("vm-8"))
    (off,) = [one for one in listing.address_holders() if one.name == "app/one"]
    assert (off.vm, len(off.macs), off.ips) == ("vm-8", 2, ())
    assert all(mac == mac.casefold() and mac.count(":") == 5 for mac in off.macs)
    finished(wired.machines()["app/one"][""].PowerOnVM_Task())
    (on,) = [one for one in listing.address_holders() if one.name == "app/one"]
    assert on.ips is not None
    assert set(on.ips) >= {"10.9.0.15", "10.9.1.15"}
    assert isinstance(listing, TellsAddresses)


@pytest.mark.parametrize(("effect", "sent"), [("drop", 2), ("dropAfter", 1), ("expire", 1)])
@pytest.mark.parametrize("method", [CUSTOMIZE, "ReconfigVM_Task"])
def test_a_lost_answer_is_asked_for(start: Start, method: str, effect: str, sent: int) -> None:
    wired = start(APP)
    wired.peer.rules([{"method": method, "count": 1, effect: True}])
    part(wired).customise("vm-8", NICS, OP)
    assert part(wired).networking("vm-8") == NICS
    assert wired.tasks.log.methods[method] == sent


def test_what_was_only_noted_is_not_taken_for_done(start: Start) -> None:
    """The negative control: the vCenter was not asked, so nothing is pending."""
    wired = start(APP)
    wired.peer.rules([{"method": CUSTOMIZE, "fault": "CustomizationFault"}])
    with pytest.raises(SiteRefused, match="CustomizationFault"):
        part(wired).customise("vm-8", NICS, OP)
    assert part(wired).networking("vm-8") is None


@pytest.mark.parametrize(
    ("vm", "nics", "why"),
    [
        (replace(APP, power=Power.ON), NICS, "is powered on"),
        (replace(APP, guest=Guest(guest_id="windows2019srv_64Guest")), NICS, "is Windows"),
        (replace(APP, dns_name=""), NICS, "calls itself is not known"),
        (APP, (FIRST,), "adapter Network adapter 2 of VM .* would lose addresses"),
        (APP, (*NICS, GuestNic("eth9", ("10.0.0.1/8",))), "no adapter eth9"),
        (APP, (replace(FIRST, addresses=("fd00::15/64",)), SECOND), "has 0 IPv4 addresses"),
        (APP, (replace(FIRST, addresses=("10.0.0.1/8", "10.0.0.2/8")), SECOND), "has 2 IPv4 addresses"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_sent(
    start: Start, vm: VM, nics: tuple[GuestNic, ...], why: str
) -> None:
    wired = start(vm)
    with pytest.raises(SiteRefused, match=why):
        part(wired).customise("vm-8", nics, OP)
    assert wired.tasks.log.methods == {}


def test_an_adapter_that_nobody_speaks_of_keeps_its_addresses(start: Start) -> None:
    known = tuple(
        replace(nic, addresses=(f"10.1.{n}.5",), subnets=(f"10.1.{n}.0/24",))
        for n, nic in enumerate(APP.nics)
    )
    wired = start(replace(APP, nics=known))
    site = part(wired)
    before = site.networking("vm-8") or ()
    assert [nic.addresses for nic in before] == [("10.1.0.5/24",), ("10.1.1.5/24",)]
    site.customise("vm-8", (FIRST,), OP)
    assert site.networking("vm-8") == (FIRST, before[1])


def test_a_vm_that_is_gone_is_not_found(start: Start) -> None:
    wired = start(APP)
    site = Customising(*wired.of("vm-9"))
    assert site.networking("vm-9") is None
    with pytest.raises(NotFound):
        site.customise("vm-9", NICS, OP)


def test_what_tools_report_is_read_by_adapter() -> None:
    def route(network: str, gateway: str, device: str) -> dict[str, object]:
        return {"network": network, "gateway": {"ipAddress": gateway, "device": device}}

    def address(ip: str, prefix: str) -> dict[str, str]:
        return {"ipAddress": ip, "prefixLength": prefix}

    nets = [
        {
            "deviceConfigId": "4000",
            "ipConfig": {"ipAddress": [address("10.1.0.5", "24"), address("fe80::1", "64")]},
        },
        {
            "deviceConfigId": "4001",
            "ipConfig": {"ipAddress": address("10.2.0.5", "16")},
            "dnsConfig": {"ipAddress": "10.2.0.9", "searchDomain": ["b.test", "c.test"]},
        },
        {"deviceConfigId": "-1", "ipConfig": {"ipAddress": address("172.17.0.1", "16")}},  # a bridge
        {"deviceConfigId": "4002", "ipConfig": {"ipAddress": address("10.3.0.5", "odd")}},
    ]
    stack = {
        "dnsConfig": {"ipAddress": ["10.1.0.9"], "searchDomain": "a.test"},
        "ipRouteConfig": {
            "ipRoute": [
                route("0.0.0.0", "10.1.0.1", "0"),
                route("10.5.0.0", "10.2.0.7", "1"),
                route("::", "fe80::9", "1"),
            ]
        },
    }
    labels = {"4000": "one", "4001": "two", "4002": "three"}
    assert reported(nets, [stack], labels) == (
        GuestNic("one", ("10.1.0.5/24",), ("10.1.0.1",), ("10.1.0.9",), ("a.test",)),
        GuestNic("two", ("10.2.0.5/16",), ("fe80::9",), ("10.2.0.9",), ("b.test", "c.test")),
    )
    assert reported([], [], labels) == ()
