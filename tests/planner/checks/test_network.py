"""Checks of adapters, addresses and networks: each found, fine and unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.checks.registry import all_checks
from planner.model import VM, Host, Inventory, Network, VCenter
from planner.settings import Settings
from tests.planner.checks.verdict import OFF, ON, Item, estate, findings, nic, verdict, vm

MAC, ADDRESS = "00:50:56:00:00:01", "10.0.0.1"
HERE = vm(nics=(nic(mac=MAC, addresses=(ADDRESS,)),), power=ON)
TWIN = vm("twin", nics=HERE.nics)
OTHER = vm("other", nics=(nic(mac="00:50:56:00:00:02", addresses=("10.0.0.2",)),))
BLANK = vm("blank", nics=(nic(),))
THERE = estate(networks=(Network("n", "lan"),))
MAPPED = Settings(networks={"lan": "prod"})
USER = {"vms": (vm("user", nics=(nic("lan"),)),)}


TAKEN = vm("taken", nics=(nic(mac="00:50:56:00:00:03", addresses=("10.20.0.1",)),))
NEXT = vm("next", nics=(nic(addresses=("10.0.0.1",)),))
TOOLLESS = replace(HERE, tools="toolsNotInstalled")
WITH_TOOLS = replace(HERE, tools="toolsOk", guest_os="Debian GNU/Linux 12 (64-bit)")
BSD = replace(HERE, tools="toolsOk", guest_os="FreeBSD 13 or later (64-bit)")


def moved(**more: Any) -> Settings:
    """Settings that move the addresses of guests from one subnet to another."""
    rule = {"source": "10.0.0.0/24", "target": "10.20.0.0/24", **more}
    return Settings.model_validate({"conduct": {"subnets": [rule]}})


def seen(subnet: str) -> Inventory:
    """A target whose network lan is known by a guest of that subnet."""
    return estate(vm("there", nics=(nic(subnets=(subnet,)),)))


def net(**more: Any) -> Network:
    return Network("n", "lan", **more)


def on_host(*networks: str) -> dict[str, Any]:
    return {"hosts": (Host("h", "esx", vmkernel_networks=networks),)}


ON_ESX = vm(host="esx", nics=(nic(),))
CASES: list[tuple[str, str, Item, dict[str, Any]]] = [
    ("network.mac.duplicate", "finding", HERE, {"vms": (TWIN,)}),
    ("network.mac.duplicate", "fine", HERE, {"vms": (OTHER,)}),
    ("network.mac.duplicate", "unknown", BLANK, {}),
    ("network.mac.duplicate", "unknown", vm(), {"gaps": ("nics",)}),
    ("network.mac.target", "finding", HERE, {"target": estate(TWIN)}),
    ("network.mac.target", "fine", HERE, {"target": estate(OTHER)}),
    ("network.mac.target", "unknown", HERE, {}),
    ("network.mac.target", "unknown", HERE, {"target": estate(OTHER, gaps=("nics",))}),
    ("network.mac.manual", "finding", vm(nics=(nic(mac_type="manual"),)), {}),
    ("network.mac.manual", "fine", vm(nics=(nic(mac_type="assigned"),)), {}),
    ("network.mac.manual", "unknown", BLANK, {}),
    ("network.address.duplicate", "finding", HERE, {"vms": (TWIN,)}),
    ("network.address.duplicate", "fine", HERE, {"vms": (OTHER,)}),
    ("network.address.duplicate", "unknown", BLANK, {}),
    ("network.address.target", "finding", HERE, {"target": estate(TWIN)}),
    ("network.address.target", "fine", HERE, {"target": estate(OTHER)}),
    ("network.address.target", "unknown", HERE, {}),
    ("network.address.target", "unknown", BLANK, {"target": estate(TWIN)}),
    ("network.address.missing", "finding", vm(power=ON, tools="toolsOk", nics=(nic(connected=True),)), {}),
    ("network.address.missing", "fine", HERE, {}),
    ("network.address.missing", "fine", vm(power=OFF, nics=(nic(),)), {}),
    ("network.address.missing", "unknown", vm(power=ON, nics=(nic(connected=True),)), {}),
    ("network.address.dhcp", "finding", vm(nics=(nic(dhcp=True),)), {}),
    ("network.address.dhcp", "fine", vm(nics=(nic(dhcp=False),)), {}),
    ("network.address.dhcp", "unknown", BLANK, {}),
    ("network.readdress.duplicate", "finding", HERE, {"settings": moved(), "vms": (NEXT,)}),
    ("network.readdress.duplicate", "finding", HERE, {"settings": moved(), "target": estate(TAKEN)}),
    ("network.readdress.duplicate", "fine", HERE, {"settings": moved(), "target": estate(OTHER)}),
    ("network.readdress.duplicate", "fine", HERE, {"target": estate(TAKEN)}),
    ("network.readdress.duplicate", "unknown", HERE, {"settings": moved()}),
    ("network.readdress.subnet", "finding", HERE, {"settings": moved(), "target": seen("10.9.0.0/16")}),
    ("network.readdress.subnet", "fine", HERE, {"settings": moved(), "target": seen("10.20.0.0/16")}),
    ("network.readdress.subnet", "fine", HERE, {"settings": Settings(), "target": seen("10.9.0.0/16")}),
    ("network.readdress.subnet", "unknown", HERE, {"settings": moved(), "target": seen("fd00::/64")}),
    ("network.readdress.subnet", "unknown", HERE, {"settings": moved()}),
    ("network.readdress.gateway", "finding", HERE, {"settings": moved(gateway="10.9.0.1")}),
    ("network.readdress.gateway", "finding", HERE, {"settings": moved(gateway="10.20.0.1")}),
    ("network.readdress.gateway", "fine", HERE, {"settings": moved(gateway="last")}),
    ("network.readdress.gateway", "unknown", vm(), {"gaps": ("nics",)}),
    ("network.readdress.guest", "finding", TOOLLESS, {"settings": moved()}),
    ("network.readdress.guest", "finding", BSD, {"settings": moved()}),
    ("network.readdress.guest", "fine", TOOLLESS, {}),
    ("network.readdress.guest", "fine", WITH_TOOLS, {"settings": moved()}),
    ("network.readdress.guest", "unknown", HERE, {"settings": moved()}),
    ("network.map.missing", "finding", HERE, {"target": THERE, "settings": MAPPED}),
    ("network.map.missing", "fine", HERE, {"target": THERE, "settings": Settings()}),
    ("network.map.missing", "unknown", HERE, {"settings": Settings()}),
    ("network.map.missing", "unknown", HERE, {"target": estate(gaps=("networks",)), "settings": MAPPED}),
    ("network.map.missing", "unknown", vm(nics=(nic(""),)), {"target": THERE, "settings": MAPPED}),
    ("network.map.unset", "finding", net(), {**USER, "settings": Settings()}),
    ("network.map.unset", "fine", net(), {**USER, "settings": MAPPED}),
    ("network.map.unset", "fine", net(), {"settings": Settings()}),
    ("network.map.unset", "unknown", net(), USER),
    ("network.map.unset", "unknown", None, {"gaps": ("networks",)}),
    ("network.standard", "finding", net(kind="standard"), USER),
    ("network.standard", "fine", net(kind="distributed"), USER),
    ("network.standard", "fine", net(kind="standard"), {}),
    ("network.standard", "unknown", net(), USER),
    ("network.vlan.trunk", "finding", net(vlan="trunk 1-100"), USER),
    ("network.vlan.trunk", "finding", net(vlan="0-4094"), USER),
    ("network.vlan.trunk", "finding", net(vlan="10,20"), USER),
    ("network.vlan.trunk", "finding", net(vlan="4095"), USER),
    ("network.vlan.trunk", "fine", net(vlan="20"), USER),
    ("network.vlan.trunk", "fine", net(vlan="0-4094", uplink=True), USER),
    ("network.vlan.trunk", "unknown", net(), USER),
    ("network.vlan.private", "finding", net(vlan="pvlan 7"), USER),
    ("network.vlan.private", "fine", net(vlan="7"), USER),
    ("network.vlan.private", "unknown", net(), USER),
    ("network.vlan.untagged", "finding", net(vlan="0"), USER),
    ("network.vlan.untagged", "fine", net(vlan="10"), USER),
    ("network.vlan.untagged", "unknown", net(), USER),
    ("network.ephemeral", "finding", net(binding="ephemeral"), USER),
    ("network.ephemeral", "fine", net(binding="static"), USER),
    ("network.ephemeral", "fine", net(kind="standard"), USER),
    ("network.ephemeral", "unknown", net(), USER),
    ("network.security", "finding", net(promiscuous=True), USER),
    ("network.security", "fine", net(promiscuous=False, forged_transmits=False, mac_changes=False), USER),
    ("network.security", "unknown", net(promiscuous=False, forged_transmits=False), USER),
    ("network.vmkernel", "finding", ON_ESX, on_host("lan")),
    ("network.vmkernel", "fine", ON_ESX, on_host("vmk")),
    ("network.vmkernel", "unknown", ON_ESX, {}),
    ("network.vmkernel", "unknown", ON_ESX, {"hosts": (Host("h", "esx"),)}),
    ("network.vmkernel", "unknown", vm(host="esx", nics=(nic(""),)), on_host("vmk")),
    ("network.nsx.segment", "finding", net(kind="opaque"), USER),
    ("network.nsx.segment", "fine", net(kind="standard"), USER),
    ("network.nsx.segment", "unknown", net(), USER),
    ("network.nsx.manager", "finding", VCenter("v", extensions=("com.vmware.nsx.management.nsxt",)), {}),
    ("network.nsx.manager", "fine", VCenter("v", extensions=()), {}),
    ("network.nsx.manager", "unknown", VCenter("v"), {}),
    ("network.nsx.manager", "unknown", None, {"gaps": ("vcenters",)}),
    ("network.adapter.old", "finding", vm(nics=(nic(adapter="E1000e"),)), {}),
    ("network.adapter.old", "fine", vm(nics=(nic(adapter="Vmxnet3"),)), {}),
    ("network.adapter.old", "unknown", BLANK, {}),
    ("network.adapter.disconnected", "finding", vm(nics=(nic(starts_connected=False),)), {}),
    (
        "network.adapter.disconnected",
        "finding",
        vm(power=ON, nics=(nic(starts_connected=True, connected=False),)),
        {},
    ),
    (
        "network.adapter.disconnected",
        "fine",
        vm(power=OFF, nics=(nic(starts_connected=True, connected=False),)),
        {},
    ),
    ("network.adapter.disconnected", "unknown", BLANK, {}),
    ("network.adapter.count", "finding", vm(nics=(nic(),) * 11), {}),
    ("network.adapter.count", "fine", vm(nics=(nic(),) * 10), {}),
    ("network.adapter.count", "unknown", vm(gaps=("nics",)), {}),
    ("network.adapter.networks", "finding", vm(nics=(nic("a"), nic("b"), nic("c"))), {}),
    ("network.adapter.networks", "fine", vm(nics=(nic("a"), nic("b"), nic("a"))), {}),
    ("network.adapter.networks", "unknown", vm(nics=(nic("a"), nic(""))), {}),
]


@pytest.mark.parametrize(("check", "expected", "item", "more"), CASES)
def test_each_check(check: str, expected: str, item: Item, more: dict[str, Any]) -> None:
    assert verdict(check, item, **more) == expected


def test_every_check_has_all_three_cases() -> None:
    wanted = {check.id for check in all_checks() if check.family == "network"}
    assert {(check, said) for check, said, _, _ in CASES} == {
        (check, said) for check in wanted for said in ("finding", "fine", "unknown")
    }


def test_a_network_says_how_many_vms_are_on_it_and_names_are_harmless() -> None:
    wicked = "prod\x1b[2J"
    users = tuple(vm(f"u{at}", vcenter="v", nics=(nic(wicked), nic(wicked))) for at in range(3))
    found, _ = findings("network.standard", Network("n", wicked, kind="standard"), vms=users)
    assert [item.message for item in found] == ["prod␛[2J, network of 3 VMs, is on a standard switch"]
    assert (found[0].subject_kind, found[0].subject) == ("network", "n")


def test_a_name_in_another_vcenter_is_another_network() -> None:
    users = (vm("a", vcenter="one", nics=(nic("lan"),)), vm("b", vcenter="two", nics=(nic("x"),)))
    lan = Network("n", "lan", vcenter="two", kind="standard")
    others = tuple(
        Network(name, name, vcenter=at, kind="distributed") for at, name in (("one", "lan"), ("two", "x"))
    )
    assert verdict("network.standard", lan, vms=users, networks=others) == "fine"


def test_a_network_that_is_not_listed_is_asked_about_all_the_same() -> None:
    found, undecided = findings("network.map.unset", vms=USER["vms"], settings=Settings())
    assert [(item.subject, item.message) for item in found] == [
        ("lan", "lan, network of 1 VM, has no map to the target")
    ]
    assert not undecided
    assert verdict("network.standard", vms=USER["vms"]) == "unknown"


def test_hosts_clusters_and_vcenters_that_are_not_listed_are_unknown() -> None:
    for check in ("platform.clock", "platform.linked"):
        assert verdict(check, vm()) == "unknown"
    named = vm(host="esx", cluster="prod")
    listed = Host("h", "other", clock_skew_s=0.0)
    assert verdict("platform.clock", named, hosts=(listed,)) == "unknown"
    assert verdict("platform.clock", vm(), hosts=(listed,)) == "fine"
    assert verdict("platform.stretched", named) == "unknown"
    assert verdict("platform.stretched", vm()) == "fine"


def test_a_mapped_network_is_named_with_its_map() -> None:
    found, _ = findings("network.map.missing", HERE, target=THERE, settings=MAPPED)
    assert found[0].message == "app-01 is on lan, mapped to prod: the target has no such network"


def test_templates_are_left_aside() -> None:
    template = VM("t", "t", template=True, nics=(nic(adapter="E1000"),))
    assert verdict("network.adapter.old", template) == "fine"
