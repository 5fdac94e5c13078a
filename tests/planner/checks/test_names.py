"""Checks of names, identities and secrets: each found, fine and unknown."""

from __future__ import annotations

from typing import Any

import pytest

from planner.checks.registry import all_checks
from planner.model import VM, Snapshot
from tests.planner.checks.verdict import Item, estate, findings, nic, verdict, vm

SPEAKING = (vm("speaker", dns_name="speaker.example.test", annotation="hello"),)
REPORTS: dict[str, Any] = {"tools": "toolsOk", "nics": (nic(addresses=("10.0.0.1",)),)}
CASES: list[tuple[str, str, Item, dict[str, Any]]] = [
    ("names.duplicate", "finding", vm("a"), {"vms": (vm("A", id="2"),)}),
    ("names.duplicate", "fine", vm("a"), {"vms": (vm("b"),)}),
    ("names.target", "finding", vm("a"), {"target": estate(vm("A"))}),
    ("names.target", "fine", vm("a"), {"target": estate(vm("b"))}),
    ("names.target", "unknown", vm("a"), {}),
    ("names.invalid", "finding", vm("n" * 81), {}),
    ("names.invalid", "finding", vm("a\\b"), {}),
    ("names.invalid", "finding", vm("a\u202eb"), {}),
    ("names.invalid", "finding", vm("a "), {}),
    ("names.invalid", "fine", vm("n" * 80), {}),
    ("names.label", "finding", vm("crm_db"), {}),
    ("names.label", "finding", vm("-crm"), {}),
    ("names.label", "finding", vm("n" * 64), {}),
    ("names.label", "fine", vm("crm-db-01.example.test"), {}),
    ("names.host", "finding", vm(dns_name="LOCALHOST.localdomain"), {}),
    ("names.host", "fine", vm(dns_name="localhostess"), {}),
    ("names.host", "unknown", vm(), {}),
    ("names.host.missing", "finding", vm(**REPORTS), {"vms": SPEAKING}),
    ("names.host.missing", "fine", SPEAKING[0], {}),
    ("names.host.missing", "unknown", vm(**REPORTS), {}),  # nobody's name is known: it was not read
    ("names.host.missing", "unknown", vm(), {"vms": SPEAKING}),
    ("names.host.duplicate", "finding", vm("a", dns_name="Web"), {"vms": (vm("b", dns_name="web"),)}),
    ("names.host.duplicate", "fine", vm("a", dns_name="web"), {"vms": (vm("b", dns_name="db"),)}),
    (
        "names.host.duplicate",
        "fine",
        vm("a", dns_name="localhost.a"),
        {"vms": (vm("b", dns_name="localhost.a"),)},
    ),
    ("names.host.duplicate", "unknown", vm(), {}),
    ("names.uuid.bios", "finding", vm("a", bios_uuid="4200"), {"vms": (vm("b", bios_uuid="4200"),)}),
    ("names.uuid.bios", "fine", vm("a", bios_uuid="4200"), {"vms": (vm("b", bios_uuid="4201"),)}),
    ("names.uuid.bios", "unknown", vm(), {"vms": (vm("b"),)}),
    ("names.uuid.instance", "finding", vm("a", instance_uuid="5"), {"vms": (vm("b", instance_uuid="5"),)}),
    ("names.uuid.instance", "finding", vm(instance_uuid="5"), {"target": estate(vm("b", instance_uuid="5"))}),
    ("names.uuid.instance", "fine", vm(instance_uuid="5"), {"target": estate(vm("b", instance_uuid="6"))}),
    ("names.uuid.instance", "unknown", vm(instance_uuid="5"), {}),
    ("names.uuid.instance", "unknown", vm(), {"target": estate()}),
    ("names.password", "finding", vm(annotation="root password: Hunter22!"), {}),
    ("names.password", "finding", vm(attributes=(("Admin pwd", "Hunter22"),)), {}),
    ("names.password", "finding", vm(snapshots=(Snapshot("pw=hunter22"),)), {}),
    ("names.password", "finding", vm(snapshots=(Snapshot("s", description="Kennwort ist geheim1"),)), {}),
    ("names.password", "finding", vm(annotation="-----BEGIN RSA PRIVATE KEY-----"), {}),
    ("names.password", "fine", vm(annotation="password: see vault"), {}),
    ("names.password", "fine", vm(annotation="password: ********"), {}),
    ("names.password", "fine", vm(annotation="ask for the password of the compass"), {}),
    ("names.password", "fine", vm(annotation="bypass: proxy 3"), {}),
    ("names.password", "fine", vm(), {"vms": SPEAKING}),
    ("names.password", "unknown", vm(), {}),
    ("names.password", "unknown", vm(annotation="hello"), {"gaps": ("snapshots",)}),
]
# A VM always has a name, so these are always decided.
NEVER_UNKNOWN = {"names.duplicate", "names.invalid", "names.label"}


@pytest.mark.parametrize(("check", "expected", "item", "more"), CASES)
def test_each_check(check: str, expected: str, item: Item, more: dict[str, Any]) -> None:
    assert verdict(check, item, **more) == expected


def test_every_check_has_all_its_cases() -> None:
    wanted = {check.id for check in all_checks() if check.family == "names"}
    assert {(check, said) for check, said, _, _ in CASES} == {
        (check, said)
        for check in wanted
        for said in ("finding", "fine", "unknown")
        if said != "unknown" or check not in NEVER_UNKNOWN
    }


@pytest.mark.parametrize(
    "written",
    [
        "root password: Hunter22!",
        "Passwort=Hunter22!",
        "user admin, pw Hunter22!, p/w: Hunter22!",
        "API key is Hunter22!",
        "passphrase:Hunter22!",
    ],
)
def test_a_password_is_never_repeated(written: str) -> None:
    wicked = VM(
        "1",
        "a",
        annotation=written,
        attributes=(("login", written),),
        snapshots=(Snapshot(written, description=written),),
    )
    found, _ = findings("names.password", wicked)
    assert {item.message for item in found} == {
        "a seems to have a password in its annotation",
        "a seems to have a password in a custom attribute",
        "a seems to have a password in a snapshot",
    }
    assert "Hunter22" not in repr(found)


def test_a_long_text_is_searched_in_no_time_that_grows_faster_than_it() -> None:
    """A text built to make a search go back and forth; it would take hours if it did."""
    assert verdict("names.password", vm(annotation="password " * 50_000 + "password   " * 50_000)) == "fine"


def test_messages_show_hostile_names_harmless() -> None:
    wicked = vm("a\x1b[31m", dns_name="localhost\x1b[31m")
    for check in ("names.invalid", "names.label"):
        found, _ = findings(check, wicked)
        assert found[0].message.isprintable()
