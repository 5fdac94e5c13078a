"""From settings and estate to the wave problem: pins, freezes, order, pilots, room, the line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.errors import BadInput, Blocked
from planner.graph import shared_services
from planner.groups import move_groups
from planner.model import Datastore, Finding, Host, Inventory, Nic, Severity, Tie
from planner.settings import Settings
from planner.units import GIB, TIB
from planner.waves.building import Built, build_problem
from planner.waves.items import Ask
from planner.waves.lookup import look_up
from planner.waves.supply import room
from tests.planner.sketch import disk, estate, needs, plan, rdm, settings, vm

SATURDAYS = [{"start": f"2026-10-{day:02d}T22:00:00"} for day in (3, 10, 17, 24, 31)]


def built(inventory: Inventory, findings: tuple[Finding, ...] = (), **more: Any) -> Built:
    said: Settings = settings(**more)
    groups = move_groups(inventory, said)
    planned = {vm for group in groups for vm in group.vms}
    return build_problem(
        groups,
        Ask(
            inventory=inventory,
            settings=said,
            lookup=look_up(inventory, said, planned, findings, ()),
            everyone=groups,
            hubs=frozenset(shared_services(inventory, said)),
        ),
    )


def waves(inventory: Inventory, **more: Any) -> list[list[str]]:
    return [sorted(vm.name for vm in wave.vms) for wave in plan(inventory, **more).waves]


def app(name: str, environment: str, *disks: Any, **more: Any) -> Any:
    return vm(name, *disks, application="shop", environment=environment, **more)


def test_environments_of_an_application_move_one_after_the_other_whatever_they_are_called() -> None:
    inventory = estate(app("p", "Production"), app("d", "Development"), app("t", "QA"), app("x", "odd"))
    found = built(inventory)
    assert {(tie.before, tie.after, tie.why) for tie in found.problem.order} == {
        (1, 2, "dev of shop moves before test"),
        (2, 0, "test of shop moves before prod"),
    }
    homes = {vm: at for at, wave in enumerate(waves(inventory)) for vm in wave}
    assert homes["d"] < homes["t"] < homes["p"]
    assert not built(inventory, waves={"environments": []}).problem.order


def test_an_environment_tie_that_runs_against_an_order_tie_gives_way_and_is_told() -> None:
    inventory = estate(app("p", "prod"), app("d", "dev"), ties=(needs("d", "p", Tie.ORDER),))
    found = built(inventory)
    assert [(tie.before, tie.after) for tie in found.problem.order] == [(0, 1)]
    assert any("dev of shop moves before prod" in note for note in found.notes)


def test_an_environment_of_an_application_is_one_item_while_the_caps_allow() -> None:
    inventory = estate(*(app(f"p{at}", "prod") for at in range(4)))
    assert [item.vms for item in built(inventory).problem.items] == [4]
    assert [item.vms for item in built(inventory, caps={"vms": 3}).problem.items] == [1] * 4
    assert [item.vms for item in built(inventory, caps={"tib": 0.03}).problem.items] == [1] * 4
    loose = built(inventory, waves={"whole_applications": False})
    assert [item.vms for item in loose.problem.items] == [1] * 4


def test_groups_of_an_application_with_an_order_tie_between_them_stay_items_of_their_own() -> None:
    inventory = estate(app("web", "prod"), app("db", "prod"), ties=(needs("web", "db", Tie.ORDER),))
    assert waves(inventory) == [["db"], ["web"]]
    through = estate(
        app("a", "prod"),
        app("b", "prod"),
        vm("mid"),
        ties=(needs("mid", "a", Tie.ORDER), needs("b", "mid", Tie.ORDER)),
    )
    assert waves(through) == [["a"], ["mid"], ["b"]]


def test_networks_that_cannot_be_stretched_move_whole() -> None:
    nics = {"nics": (Nic("n1", "old"),)}
    inventory = estate(vm("a", **nics), vm("b"), vm("c", **nics), vm("d", nics=(Nic("n1", "new"),)))
    found = built(inventory, waves={"whole_networks": ["old"]})
    assert sorted(item.vms for item in found.problem.items) == [1, 1, 2]
    assert waves(inventory, caps={"vms": 2}, waves={"whole_networks": ["old"]})
    homes = {vm: at for at, wave in enumerate(waves(inventory, caps={"vms": 2},
             waves={"whole_networks": ["old"]})) for vm in wave}  # fmt: skip
    assert homes["a"] == homes["c"]


def test_a_pin_holds_a_group_by_any_of_its_names() -> None:
    inventory = estate(vm("a", rdm("n")), vm("b", rdm("n")), vm("c"))
    for what, wave in (("b", "W03"), ("id-a", "w3"), ("a", "2026-10-17T22:00")):
        found = plan(inventory, windows=SATURDAYS, pins=[{"what": what, "wave": wave}])
        held = next(wave for wave in found.waves if any(vm.name == "b" for vm in wave.vms))
        assert (held.name, held.window.start.day if held.window else 0) == ("W03", 17)


def test_a_pin_to_a_day_means_the_window_that_begins_on_it_where_that_window_is() -> None:
    """At 22:00 in New York it is the next day in UTC."""
    nights = [{"start": f"2026-10-{day:02d}T22:00:00", "zone": "America/New_York"} for day in (3, 10)]
    found = plan(estate(vm("a"), vm("b")), windows=nights, pins=[{"what": "b", "wave": "2026-10-10"}])
    held = next(wave for wave in found.waves if any(vm.name == "b" for vm in wave.vms))
    assert held.window
    assert held.window.start_utc.isoformat() == "2026-10-11T02:00:00+00:00"
    twice = [*nights, {"start": "2026-10-10T08:00:00", "zone": "America/New_York"}]
    with pytest.raises(BadInput, match="b is pinned to 2026-10-10, on which 2 windows begin") as refused:
        plan(estate(vm("a"), vm("b")), windows=twice, pins=[{"what": "b", "wave": "2026-10-10"}])
    assert refused.value.hint == "write the time too, like 2026-10-10T12:00Z"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"pins": [{"what": "nobody", "wave": "W01"}]}, "nobody is neither a VM nor a move group"),
        ({"pins": [{"what": "a", "wave": "soon"}]}, "neither a wave nor a time"),
        ({"pins": [{"what": "a", "wave": "W99"}]}, "waves at the most"),
        ({"pins": [{"what": "a", "wave": "2026-10-04"}]}, "which the settings do not name"),
        ({"pins": [{"what": "a", "wave": "2026-10-04T22:00"}]}, "which the settings do not name"),
        (
            {
                "pins": [{"what": "a", "wave": "2026-10-10T22:00"}],
                "freezes": [{"start": "2026-10-09T00:00", "end": "2026-10-12T00:00"}],
            },
            "a is pinned to the window of 2026-10-10T22:00, which overlaps a freeze",
        ),
        (
            {
                "pins": [{"what": "a", "wave": "W02"}],
                "freezes": [{"start": "2026-10-09T00:00", "end": "2026-10-12T00:00", "only": ["a"]}],
            },
            "a is pinned to W02, which overlaps a freeze of its own",
        ),
        (
            {"pins": [{"what": "a", "wave": "W01"}, {"what": "b", "wave": "W02"}]},
            "b is pinned to W02 and a to W01, but both are of the move group",
        ),
        (
            {"pins": [{"what": "web", "wave": "W01"}, {"what": "a", "wave": "W02"}]},
            "but web needs a first",
        ),
        (
            {
                "pins": [{"what": "c", "wave": "W02"}, {"what": "web", "wave": "W02"}],
                "apart": [{"a": "c", "b": "web"}],
            },
            "are both pinned to W02, and are to be kept apart",
        ),
        ({"apart": [{"a": "a", "b": "b"}]}, "a and b are to be kept apart, and both move with"),
        ({"waves": {"pilots": ["nobody"]}}, "nobody is neither a VM nor a move group"),
    ],
)
def test_contradictions_are_named(more: dict[str, Any], said: str) -> None:
    inventory = estate(
        vm("a", rdm("n")), vm("b", rdm("n")), vm("c"), vm("web"), ties=(needs("web", "a", Tie.ORDER),)
    )
    with pytest.raises(BadInput) as error:
        plan(inventory, windows=SATURDAYS, **more)
    assert said in error.value.message


def test_a_name_that_several_groups_have_is_refused_and_ids_tell_them_apart() -> None:
    inventory = estate(vm("a", id="1"), vm("a", id="2"))
    with pytest.raises(BadInput, match="a means 2 move groups"):
        plan(inventory, apart=[{"a": "a", "b": "2"}], windows=SATURDAYS)
    assert len(waves(inventory, apart=[{"a": "1", "b": "2"}], windows=SATURDAYS)) == 2


def test_pairs_apart_are_in_two_waves_also_by_a_persons_word_on_ties() -> None:
    inventory = estate(vm("a"), vm("b"))
    assert len(waves(inventory)) == 1
    assert len(waves(inventory, apart=[{"a": "a", "b": "b"}])) == 2
    told = replace(inventory, dependencies=(needs("a", "b", Tie.APART),))
    assert len(waves(told)) == 2
    held = estate(vm("a", rdm("n")), vm("b", rdm("n")), ties=(needs("a", "b", Tie.APART),))
    assert any("drop one of the ties" in note for note in plan(held).notes)


def test_a_freeze_for_some_keeps_only_them_out() -> None:
    freeze = {"start": "2026-10-01T00:00", "end": "2026-10-12T00:00", "only": ["shop"]}
    found = plan(estate(app("a", "prod"), vm("b")), windows=SATURDAYS, freezes=[freeze], caps={"vms": 1})
    at = {vm.name: wave.window.start.day for wave in found.waves for vm in wave.vms if wave.window}
    assert at == {"a": 17, "b": 3}
    assert [wave.name for wave in found.waves] == ["W01", "W03"]


def test_tasks_come_before_a_wave() -> None:
    finding = Finding("guest.eol", Severity.WARNING, "id-a", "a", "is old", "upgrade it")
    inventory = estate(vm("a"), vm("b"))
    from planner.checks.registry import all_checks

    long = next(check for check in all_checks() if check.work and check.work.lead_days >= 5)
    finding = replace(finding, check=long.id)
    windows = [{"start": f"2026-10-{day:02d}T22:00:00"} for day in (3, 4, 24)]
    begin = {"starts": "2026-10-01", "lead_days": 0}
    found = plan(inventory, findings=(finding,), windows=windows, waves=begin, caps={"vms": 1})
    at = {vm.name: wave.window.start.day for wave in found.waves for vm in wave.vms if wave.window}
    assert at == {"a": 24, "b": 3}
    assert len(plan(inventory, windows=windows, waves=begin).waves) == 1


def test_pilots_go_first_and_alone() -> None:
    inventory = estate(vm("a", environment="prod"), vm("b", environment="dev"), vm("c", environment="prod"))
    assert waves(inventory, waves={"pilots": ["c"]}) == [["c"], ["a", "b"]]
    assert waves(inventory, waves={"pilot_vms": 1}) == [["b"], ["a", "c"]]
    served = plan(estate(vm("a"), vm("dc", tier="directory")), waves={"pilots": ["dc"]})
    assert "dc is a shared service: it moves last, and is no pilot" in served.notes
    waiting = replace(inventory, dependencies=(needs("b", "a", Tie.ORDER),))
    assert waves(waiting, waves={"pilot_vms": 1})[0] == ["a"]


def test_caps_of_every_kind_hold() -> None:
    inventory = estate(
        *(
            vm(f"v{at}", disk(path=f"[ds] v{at}/x.vmdk", size_bytes=100 * GIB), owner="mia", host="esx")
            for at in range(4)
        )
    )
    assert len(waves(inventory)) == 1
    for caps, least in (
        ({"cutovers": 2}, 2),
        ({"engineer_hours": 1.5}, 4),
        ({"groups_per_owner": 1}, 4),
        ({"tib_per_datastore": 0.2}, 2),
        ({"disks_per_host": 3}, 2),
    ):
        assert len(waves(inventory, caps=caps)) == least, caps
    assert len(waves(inventory, caps={"groups_per_team": 2}, teams={"mia": "red"})) == 2
    assert len(waves(inventory, caps={"groups_per_team": 2})) == 1


def test_caps_on_groups_count_those_of_one_application_each() -> None:
    """They share an item where the caps allow, and are as many cutovers as there are groups."""
    shop = estate(*(app(f"p{at}", "prod", owner="mia" if at else "ann") for at in range(5)))
    teams = {"mia": "red", "ann": "red"}
    for caps, least in (
        ({"cutovers": 2}, 3),
        ({"groups_per_owner": 2}, 2),
        ({"groups_per_team": 2}, 3),
        ({"cutovers": 5, "groups_per_owner": 4, "groups_per_team": 5}, 1),
    ):
        found = waves(shop, caps=caps, teams=teams)
        assert len(found) == least, caps
        assert max(map(len, found)) <= caps.get("cutovers", 5)
        assert max(sum(name != "p0" for name in wave) for wave in found) <= caps.get("groups_per_owner", 4)
        assert max(map(len, found)) <= caps.get("groups_per_team", 5)


def test_the_line_puts_off_what_cannot_be_there_in_time() -> None:
    inventory = estate(*(vm(f"v{at}", disk(size_bytes=TIB)) for at in range(4)))

    def first_day(**link: Any) -> int | None:
        window = plan(inventory, windows=SATURDAYS, link=link).waves[0].window
        return window.start.day if window else None

    # 30 Mbit/s carry 3.8 TB in the 14 days before the first window, and churn comes on top of 4.4 TB.
    slow = {"rate_mbit": 30, "share": 1.0}
    late = first_day(**slow)
    assert first_day() == 3
    assert late in (10, 17)
    assert first_day(**slow, reserve_mbit=27) is None
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    weekends = first_day(**slow, hours=[{"days": weekdays, "first": 0, "until": 24, "share": 0.5}])
    assert weekends is not None
    assert weekends > late


def test_room_at_the_target_is_what_is_said_or_what_is_left_with_a_host_to_spare() -> None:
    target = estate(
        vm("there", cpus=4, memory_bytes=10 * GIB),
        hosts=tuple(Host(f"h{at}", f"h{at}", "c", cpus=16, memory_bytes=100 * GIB) for at in range(3)),
        datastores=(Datastore("d", "d", capacity_bytes=10 * TIB, free_bytes=3 * TIB),),
    )
    found = room(settings(), target)
    assert (found.vcpus, found.memory_bytes, found.storage_bytes) == (32 * 4.0 - 4, 190 * GIB, 3 * TIB)
    all_hosts = room(settings(target={"spare_hosts": 0, "vcpus_per_core": 1}), target)
    assert (all_hosts.vcpus, all_hosts.memory_bytes) == (44, 290 * GIB)
    assert room(settings(target={"vcpus": 7}), target).vcpus == 7
    silent = replace(target, hosts=(*target.hosts, Host("x", "x", "c")))
    assert room(settings(), silent).memory_bytes is None
    assert room(settings(), None).storage_bytes is None


def test_a_target_that_is_too_small_is_refused_with_what_gives_way() -> None:
    with pytest.raises(Blocked) as error:
        plan(estate(vm("a", memory_bytes=64 * GIB)), target={"memory_gib": 32})
    assert "memory" in error.value.message
    assert plan(estate(vm("a", memory_bytes=64 * GIB)), target={"memory_gib": 64}).waves


def test_what_cannot_be_names_the_fewest_rules_to_relax() -> None:
    pins = [{"what": name, "wave": "W01"} for name in ("a", "b", "c")]
    with pytest.raises(Blocked) as error:
        plan(estate(vm("a"), vm("b"), vm("c")), pins=pins, caps={"cutovers": 2})
    assert error.value.exit_code == 3
    assert error.value.message.startswith("no plan can keep every rule: ")
    assert error.value.message.count("is pinned to") == 1, "one pin less is enough"


def test_traffic_is_bytes_a_day_between_items_and_services_are_left_out() -> None:
    week = {"first_seen": "2026-09-01T00:00:00+00:00", "last_seen": "2026-09-08T00:00:00+00:00"}
    inventory = estate(
        vm("a"),
        vm("b"),
        vm("c"),
        vm("dc", tier="directory"),
        ties=(
            needs("a", "b", Tie.SOFT, traffic_bytes=7_000, **week),
            needs("b", "a", Tie.SOFT, traffic_bytes=500),
            needs("c", "b", Tie.SOFT),
            needs("a", "dc", Tie.SOFT, traffic_bytes=10**12),
            needs("a", "c", Tie.APART),
        ),
    )
    found = built(inventory)
    assert found.problem.traffic == ((0, 1, 1500.0), (1, 2, 1e6))
    assert found.notes == ("1 tie between groups was never measured; each counts as 1 MB a day",)


def test_the_line_is_asked_for_bytes_in_use_and_for_whole_disks_where_they_are_unknown() -> None:
    inventory = estate(
        vm("thin", disk(size_bytes=TIB, used_bytes=GIB)),
        vm("unknown", disk(size_bytes=TIB)),
        vm("raw", rdm("n", size_bytes=TIB)),
    )
    found = {item.name: (item.size_bytes, item.seed_bytes) for item in built(inventory).problem.items}
    assert found == {"thin": (TIB, GIB), "unknown": (TIB, TIB), "raw": (TIB, TIB)}


def test_no_wave_gets_a_window_that_ends_after_the_exit_date() -> None:
    inventory = estate(*(vm(f"v{at}") for at in range(4)))
    asked: dict[str, Any] = {"windows": SATURDAYS, "caps": {"vms": 2}}
    # The night of Saturday the tenth ends on the eleventh.
    kept = plan(inventory, waves={"exit": "2026-10-11"}, **asked)
    assert [wave.name for wave in kept.waves] == ["W01", "W02"]
    with pytest.raises(Blocked, match=r"W02 .*, which is after the exit date 2026-10-10, with 1 more"):
        plan(inventory, waves={"exit": "2026-10-10"}, **asked)
    slots = built(inventory, waves={"exit": "2026-10-17"}, **asked).problem.slots
    assert [slot.late for slot in slots[:3]] == ["", "", "2026-10-17"]
    assert all(slot.late for slot in slots[3:])
    # Where no window is late nobody knows when the waves behind them are.
    assert not any(
        slot.late for slot in built(inventory, waves={"exit": "2027-01-01"}, **asked).problem.slots
    )
