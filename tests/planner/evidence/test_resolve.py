"""From what a file calls a machine to one VM, or honestly to none."""

from __future__ import annotations

import pytest

from planner.evidence.records import Endpoint
from planner.evidence.resolve import Resolver, Verdict
from planner.model import VM, Inventory, Nic
from tests.planner.evidence.said import end
from tests.planner.sketch import estate, vm


def nic(*addresses: str, **more: object) -> Nic:
    return Nic("Network adapter 1", "lan", addresses=addresses, **more)  # type: ignore[arg-type]


def resolved(inventory: Inventory, endpoint: Endpoint, **settled: str) -> str:
    """Return the VM's id, or the verdict."""
    found = Resolver(inventory, settled).resolve(endpoint)
    return found.vm or found.verdict.value


ESTATE = estate(
    vm("DB-01", dns_name="db-01.corp.example", nics=(nic("10.0.0.1", "fe80::1", "2001:db8::0:1"),)),
    vm("web-1", moref="vm-77", instance_uuid="5012-aa", bios_uuid="4211-BB", nics=(nic("10.0.0.2/24"),)),
    vm("mail.corp.example", nics=(nic("10.0.0.3", subnets=("10.0.0.0/24",)),)),
    vm("app-1.2", dns_name="localhost.localdomain"),
    vm("twin-a", nics=(nic("10.0.0.9"),)),
    vm("twin-b", nics=(nic("10.0.0.9"),)),
    VM(id="id-x1", name="copy", vcenter="vc1"),
    VM(id="id-x2", name="copy", vcenter="vc2"),
    VM(id="id-p1", name="moved", placeholder=True),
    VM(id="id-p2", name="moved"),
)


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        (end("db-01"), "id-DB-01"),
        (end("DB-01.CORP.EXAMPLE."), "id-DB-01"),
        (end("web-1.corp.example"), "id-web-1"),
        (end("web-1.any.other.zone"), "id-web-1"),
        (end("mail"), "id-mail.corp.example"),
        (end("VM-77"), "id-web-1"),
        (end("4211-bb"), "id-web-1"),
        (end("5012-AA"), "id-web-1"),
        (end("id-web-1"), "id-web-1"),
        (end("10.0.0.1"), "id-DB-01"),
        (end("2001:db8::1"), "id-DB-01"),
        (end("10.0.0.2"), "id-web-1"),
        (end("nobody", "10.0.0.2"), "id-web-1"),
        (end("moved"), "id-p2"),
        (end("copy"), "ambiguous"),
        (end("10.0.0.9"), "ambiguous"),
        (end("db-01.other.example"), "unknown"),
        (end("app-1.3"), "unknown"),
        (end("app-1"), "unknown"),
        (end("nobody"), "unknown"),
        (end("10.0.0.200"), "unknown"),
        (end("10.0.1.200"), "external"),
        (end("8.8.8.8"), "external"),
    ],
    ids=str,
)
def test_what_leads_where(endpoint: Endpoint, found: str) -> None:
    assert resolved(ESTATE, endpoint) == found


def test_the_other_half_decides_between_two() -> None:
    inventory = estate(
        VM(id="a", name="copy", nics=(nic("10.0.0.1"),)), VM(id="b", name="copy", nics=(nic("10.0.0.2"),))
    )
    assert resolved(inventory, end("copy", "10.0.0.2")) == "b"
    assert resolved(inventory, end("copy", "10.0.0.3")) == "ambiguous"


def test_candidates_are_those_between_which_nobody_chose() -> None:
    found = Resolver(ESTATE).resolve(end("10.0.0.9"))
    assert found.verdict is Verdict.AMBIGUOUS
    assert found.candidates == ("id-twin-a", "id-twin-b")


def test_a_person_goes_before_everything() -> None:
    assert resolved(ESTATE, end("db-01"), **{"db-01": "id-web-1"}) == "id-web-1"
    assert resolved(ESTATE, end("nobody", "10.0.0.1"), **{"10.0.0.1": ""}) == "external"
    assert resolved(ESTATE, end("copy"), copy="id-x2") == "id-x2"


def test_a_settled_vm_that_is_gone_settles_nothing() -> None:
    assert resolved(ESTATE, end("db-01"), **{"db-01": "id-gone"}) == "id-DB-01"
    assert resolved(ESTATE, end("nobody"), nobody="id-gone") == "unknown"
