"""Move groups: closed over hard ties, with reasons, and nothing split off."""

from __future__ import annotations

import pytest

from planner.errors import NotFound
from planner.groups import left_out, move_groups, why
from planner.model import Tie
from tests.planner.sketch import disk, estate, needs, rdm, settings, vm


def test_closure_runs_over_luns_and_hard_ties_with_a_spanning_tree_of_reasons() -> None:
    inventory = estate(
        vm("sql-a", rdm("naa.1")),
        vm("lonely"),
        vm("sql-b", rdm("naa.1")),
        vm("sql-c"),
        ties=(needs("sql-c", "sql-a"), needs("sql-c", "sql-b"), needs("lonely", "sql-a", Tie.SOFT)),
    )
    pair, lonely = move_groups(inventory, settings())
    assert pair.vms == ("id-sql-a", "id-sql-b", "id-sql-c")
    assert pair.name == "sql"
    assert len(pair.reasons) == len(pair.vms) - 1
    assert "LUN naa.1" in pair.reasons[0].why
    assert (lonely.vms, lonely.name, lonely.reasons) == (("id-lonely",), "lonely", ())


def test_why_walks_from_the_first_vm_to_the_asked_one() -> None:
    inventory = estate(
        *(vm(name) for name in "abcd"), ties=(needs("c", "d"), needs("b", "a"), needs("b", "c"))
    )
    groups = move_groups(inventory, settings())
    assert [(r.a, r.b) for r in why(groups, "id-d")] == [("id-b", "id-a"), ("id-b", "id-c"), ("id-c", "id-d")]
    assert why(groups, "id-a") == ()
    with pytest.raises(NotFound):
        why(groups, "id-x")


def test_ties_to_a_service_do_not_close_but_disks_and_services_among_themselves_do() -> None:
    inventory = estate(
        vm("dc1", tier="directory"),
        vm("dc2", tier="directory"),
        vm("app"),
        vm("web"),
        vm("fs", disk(path="[d] x.vmdk"), tier="directory"),
        vm("fs-user", disk(path="[d] x.vmdk")),
        ties=(needs("app", "dc1"), needs("web", "dc1"), needs("dc2", "dc1")),
    )
    groups = move_groups(inventory, settings())
    assert [(len(g.vms), g.shared_services) for g in groups] == [
        (2, True),
        (1, False),
        (1, False),
        (2, True),
    ]


def test_names_come_from_the_application_then_the_prefix_and_are_unique() -> None:
    inventory = estate(
        vm("x1", application="CRM"),
        vm("y1", application="CRM"),
        vm("p1", application="crm"),
        vm("q1", application="crm"),
        vm("a"),
        vm("b"),
        ties=(needs("x1", "y1"), needs("p1", "q1"), needs("a", "b")),
    )
    assert [group.name for group in move_groups(inventory, settings())] == ["CRM", "crm (2)", "a"]


def test_hostile_names_become_visible_in_group_names() -> None:
    (group,) = move_groups(estate(vm("\x1b[31mred\u202e")), settings())
    assert group.name.isprintable()
    assert "\x1b" not in group.name


def test_who_is_tied_to_a_vm_that_stays_stays_too() -> None:
    inventory = estate(
        vm("keep", disk(path="[d] x.vmdk")),
        vm("tied", disk(path="[d] x.vmdk")),
        vm("free"),
        vm("gold", template=True),
        vm("srm", placeholder=True),
    )
    out = left_out(inventory, settings(exclude=["keep"]))
    assert list(out) == ["id-keep", "id-tied", "id-gold", "id-srm"]
    assert out["id-tied"] == "must move together with keep, which is excluded by the settings"
    assert [group.vms for group in move_groups(inventory, settings(exclude=["keep"]))] == [("id-free",)]


def test_agents_of_a_cluster_stay_and_hold_nobody_back() -> None:
    inventory = estate(
        vm("vCLS-1f", disk(path="[d] x.vmdk")), vm("vcls-like"), vm("app", disk(path="[d] x.vmdk"))
    )
    assert list(left_out(inventory, settings())) == ["id-vCLS-1f"]
    assert [group.vms for group in move_groups(inventory, settings())] == [("id-vcls-like",), ("id-app",)]


def test_a_template_between_two_users_of_a_disk_does_not_part_them() -> None:
    inventory = estate(
        vm("a", disk(path="[d] x.vmdk")),
        vm("gold", disk(path="[d] x.vmdk"), template=True),
        vm("b", disk(path="[d] x.vmdk")),
    )
    assert [group.vms for group in move_groups(inventory, settings())] == [("id-a", "id-b")]
