"""Complexity: every factor alone, its cap, and what nobody could weigh."""

from __future__ import annotations

from typing import Any

import pytest

from planner.checks.registry import Readiness
from planner.model import VM, Backing, Finding, Inventory, Severity, Snapshot, Tie
from planner.scores import FACTORS, Complexity, Level, applications, complexities, level
from planner.units import GIB, TIB
from tests.planner.sketch import disk, estate, needs, rdm, vm

PLAIN: dict[str, Any] = {"guest_os": "CentOS 7 (64-bit)", "churn_bytes_day": 0}
OTHERS = (vm("x", **PLAIN), vm("y", **PLAIN))
TIES = (needs("x", "y"),)


def score(item: VM, findings: tuple[Finding, ...] = (), **more: Any) -> Complexity:
    found = estate(item, *OTHERS, **{"ties": TIES, **more})
    return next(one for one in complexities(found, Readiness(findings, {})) if one.id == item.id)


def finding(check: str, severity: Severity, waiver: str = "", kind: str = "vm") -> Finding:
    return Finding(check, severity, "id-a", "a", "m", "r", kind, waiver)


B, W, I = Severity.BLOCKER, Severity.WARNING, Severity.INFO  # noqa: E741 - severities by their letter
own_disk = disk("1", path="[ds] a.vmdk")
CASES: list[tuple[str, VM, tuple[Finding, ...], dict[str, Any], int]] = [
    ("", vm("a", **PLAIN), (), {}, 0),
    ("blockers", vm("a", **PLAIN), (finding("a.x", B),), {}, 10),
    ("blockers", vm("a", **PLAIN), (finding("a.x", B), finding("a.x", B)), {}, 10),
    ("blockers", vm("a", **PLAIN), (finding("a.x", B), finding("a.y", B)), {}, 20),
    ("warnings", vm("a", **PLAIN), (finding("a.x", W), finding("a.y", W)), {}, 6),
    ("", vm("a", **PLAIN), (finding("a.x", I),), {}, 0),
    ("", vm("a", **PLAIN), (finding("a.x", B, waiver="ok"),), {}, 0),
    ("", vm("a", **PLAIN), (finding("a.x", B, kind="host"),), {}, 0),
    ("disks", vm("a", *(disk(str(at)) for at in range(3)), **PLAIN), (), {}, 1),
    ("disks", vm("a", *(disk(str(at)) for at in range(30)), **PLAIN), (), {}, 11),  # and 300 GiB
    ("size", vm("a", disk(size_bytes=TIB), **PLAIN), (), {}, 4),
    ("size", vm("a", disk(size_bytes=90 * TIB), **PLAIN), (), {}, 40),
    ("churn", vm("a", **{**PLAIN, "churn_bytes_day": 40 * GIB}), (), {}, 2),
    ("churn", vm("a", **{**PLAIN, "churn_bytes_day": 4000 * GIB}), (), {}, 10),
    ("system", vm("a", **{**PLAIN, "guest_os": "BeOS"}), (), {}, 3),
    ("snapshots", vm("a", snapshots=(Snapshot("s"),) * 2, **PLAIN), (), {}, 2),
    ("snapshots", vm("a", snapshots=(Snapshot("s"),) * 20, **PLAIN), (), {}, 5),
    ("ties", vm("a", **PLAIN), (), {"ties": (needs("a", "x"), needs("y", "a"), needs("a", "y"))}, 4),
    ("", vm("a", **PLAIN), (), {"ties": (needs("a", "x", Tie.SOFT),)}, 0),
]


@pytest.mark.parametrize(("factor", "item", "findings", "more", "points"), CASES)
def test_each_factor(
    factor: str, item: VM, findings: tuple[Finding, ...], more: dict[str, Any], points: int
) -> None:
    found = score(item, findings, **more)
    assert found.points == points
    assert [reason.factor for reason in found.reasons if reason.factor == factor] == [factor] * bool(factor)
    assert sum(reason.points for reason in found.reasons) == points
    assert found.unknown == ()


def test_every_factor_is_documented_and_tested() -> None:
    documented = {name for name, _ in FACTORS} - {"application", "sharing"}
    assert documented == {factor for factor, *_ in CASES} - {""}


def test_a_shared_disk_makes_both_harder() -> None:
    pair = vm("a", rdm("naa.1"), **PLAIN), vm("b", rdm("naa.1"), **PLAIN)
    found = complexities(estate(*pair, *OTHERS, ties=TIES), Readiness((), {}))
    assert [(item.name, item.points) for item in found[:2]] == [("a", 5), ("b", 5)]
    assert found[0].reasons[0].why == "1 disk that other VMs use too"
    many = tuple(rdm(f"naa.{at}", str(at), backing=Backing.RDM_VIRTUAL) for at in range(4))
    found = complexities(estate(vm("a", *many, **PLAIN), vm("b", *many, **PLAIN)), Readiness((), {}))
    assert next(item.points for item in found[0].reasons if item.factor == "sharing") == 15


def test_what_nobody_said_is_named_and_adds_nothing() -> None:
    mute = VM("id-a", "a")
    found = score(mute, ties=(), gaps=("disks", "snapshots"))
    assert (found.points, found.reasons) == (0, ())
    assert set(found.unknown) == {name for name, _ in FACTORS} - {"blockers", "warnings", "application"}


@pytest.mark.parametrize(
    ("points", "word"),
    [(9, "low"), (10, "medium"), (24, "medium"), (25, "high"), (49, "high"), (50, "very high")],
)
def test_levels(points: int, word: str) -> None:
    assert level(points) == Level(word)


def test_an_application_is_as_hard_as_its_hardest_vm_and_a_tenth_of_the_rest() -> None:
    big = {"application": "crm", **PLAIN}
    inventory = estate(
        vm("a", disk(size_bytes=5 * TIB), **big),
        vm("b", disk(size_bytes=TIB), **big),
        vm("c", disk(size_bytes=TIB), **big),
        vm("d", **{**big, "application": "erp"}),
        vm("nobody's", **PLAIN),
        ties=(needs("d", "a"), needs("nobody's", "a")),
    )
    scored = complexities(inventory, Readiness((), {}))
    crm, erp = applications(inventory, scored)
    # a: 20 for size, 4 for two ties; b and c: 4 each, a tenth rounded up; erp is one neighbour
    assert [(item.factor, item.points) for item in crm.reasons] == [
        ("hardest VM", 24),
        ("other VMs", 1),
        ("neighbours", 5),
    ]
    assert (crm.name, crm.points, crm.level) == ("crm", 30, Level.HIGH)
    assert (erp.name, erp.points) == ("erp", 7)


def test_order_and_what_never_moves() -> None:
    inventory = Inventory(
        "t",
        "",
        (vm("b", **PLAIN), vm("a", **PLAIN), vm("t", template=True), vm("z", disk(size_bytes=TIB), **PLAIN)),
    )
    assert [item.name for item in complexities(inventory, Readiness((), {}))] == ["z", "a", "b"]
