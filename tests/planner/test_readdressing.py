"""Addresses that guests get: by adapter or along with their subnet, what they have today, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.conduct import Conduct
from planner.conduct_planned import PlannedConduct
from planner.conduct_planning import plan_conduct
from planner.conduct_readdressing import Readdressing, readdressing_notes, why_by_hand
from planner.errors import BadInput
from planner.fields import Seen
from planner.imports.addresses import read_addresses, replaced
from planner.imports.tables import RowsRefused
from planner.model import VM, Nic, Power
from planner.settings import Settings
from planner.store.settings import validate
from tests.migrate.estate import small_wave

ETH0 = Nic("eth0", "lan", addresses=("10.1.5.7", "fe80::1"), subnets=("10.1.5.0/24",))
ETH1 = Nic("eth1", "dmz", addresses=("2001:db8:1::7/64",))
DB = VM("i", "db", application="shop", nics=(ETH0, ETH1), tools="toolsOk")
RULE = {"source": "10.1.0.0/16", "target": "10.20.0.0/16"}
SIX = {"source": "2001:db8:1::/64", "target": "2001:db8:20::/64"}


def of(vm: VM = DB, **conduct: Any) -> dict[str, Any]:
    found = Readdressing(Conduct.model_validate(conduct)).of(vm, Seen())
    return {one.nic: one for one in found}


def test_an_address_keeps_its_host_part_and_the_prefix_of_its_own_subnet() -> None:
    rules = [{**RULE, "gateway": "last", "dns": ["10.20.0.53"], "search": ["a.example"]}, SIX]
    found = of(subnets=rules)
    assert found["eth0"].live.words == "10.20.5.7/24; gateway 10.20.5.254; DNS 10.20.0.53; search a.example"
    assert found["eth0"].home.words == "10.1.5.7/24"
    assert found["eth1"].live.addresses == ("2001:db8:20::7/64",)
    assert of(subnets=[{**RULE, "gateway": "first"}])["eth0"].live.gateways == ("10.20.5.1",)
    unknown = replace(DB, nics=(replace(ETH0, subnets=()),))
    assert of(unknown, subnets=[RULE])["eth0"].live.addresses == ("10.20.5.7/16",)
    assert of(unknown, subnets=[RULE])["eth0"].home is None


def test_a_filter_decides_and_an_adapter_that_is_named_comes_first() -> None:
    assert of(subnets=[{**RULE, "vms": "app:other"}]) == {}
    assert of(subnets=[{**RULE, "vms": "app:other"}, {**RULE, "vms": "app:shop"}])["eth0"].live
    named = {"vm": "db", "nic": "eth0", "addresses": ["10.30.0.1/24"], "gateways": ["10.30.0.254"]}
    assert of(subnets=[RULE], nics=[named])["eth0"].live.words == "10.30.0.1/24; gateway 10.30.0.254"
    first = {"vm": "db", "addresses": ["10.30.0.2/24"]}
    assert of(nics=[first]).keys() == {"eth0"}


def test_test_and_home_are_sets_of_their_own() -> None:
    found = of(
        subnets=[{**RULE, "way": "test"}], nics=[{"vm": "db", "way": "home", "addresses": ["10.9.0.1/8"]}]
    )
    assert (found["eth0"].live, found["eth0"].test.addresses) == (None, ("10.20.5.7/24",))
    assert found["eth0"].home.addresses == ("10.9.0.1/8",)
    assert of(nics=[{"vm": "db", "way": "home", "addresses": ["10.9.0.1/8"]}]) == {}


def test_the_plan_notes_adapters_that_nobody_has_and_guests_that_need_a_person() -> None:
    nics = [
        {"vm": "web", "nic": "eth7", "addresses": ["10.0.0.1/8"]},
        {"vm": "gone\x1b", "addresses": ["10.0.0.2/8"]},
    ]
    given = PlannedConduct.model_validate(
        {"nics": [{"vm": "id-web", "nic": "eth0", "live": {"addresses": ["10.0.0.1/8"]}, "by_hand": "why"}]}
    )
    wave = small_wave().model_copy(update={"conduct": given})
    assert list(readdressing_notes(Conduct.model_validate({"nics": nics}), [wave])) == [
        "conduct.nics gives addresses to gone\u241b, which is in no wave",
        "web has no adapter eth7: see conduct.nics",
        "web gets its new addresses from a person: why",
    ]


@pytest.mark.parametrize(
    ("vm", "why"),
    [
        (DB, ""), (replace(DB, tools=""), ""), (replace(DB, tools="toolsNotRunning"), ""),
        (replace(DB, tools="toolsNotRunning", power=Power.ON), "the tools in its guest do not run"),
        (replace(DB, tools="toolsNotInstalled"), "no tools are in its guest"),
        (replace(DB, guest_os="Oracle Solaris 11"), "no site can set addresses in Oracle Solaris 11"),
    ],
)  # fmt: skip
def test_who_needs_a_person(vm: VM, why: str) -> None:
    assert why_by_hand(vm) == why
    assert of(vm, subnets=[RULE])["eth0"].by_hand == why


def test_probes_ask_at_the_new_address_and_at_that_of_today_on_the_way_home() -> None:
    conduct = Conduct.model_validate({"subnets": [RULE], "probes": [{"name": "p", "kind": "tcp", "port": 1}]})
    planned = plan_conduct(conduct, [DB], [DB.id], {}, Seen())
    assert (planned.addresses, planned.home_addresses) == ({"i": "10.20.5.7"}, {"i": "10.1.5.7"})
    assert planned.homeward().addresses == {"i": "10.1.5.7"}
    said = conduct.model_copy(update={"addresses": {"db": "192.0.2.1"}})
    assert plan_conduct(said, [DB], [DB.id], {}, Seen()).addresses == {"i": "192.0.2.1"}


@pytest.mark.parametrize(
    ("conduct", "said"),
    [
        ({"nics": [{"vm": "db", "addresses": ["10.0.0.1"]}]}, "has no prefix"),
        ({"nics": [{"vm": "db", "addresses": ["10.0.0.300/24"]}]}, "is no address with a prefix"),
        ({"nics": [{"vm": "db", "addresses": ["224.0.0.1/24"]}]}, "no address that a guest can have"),
        ({"nics": [{"vm": "db", "addresses": ["10.0.0.1/8"], "search": ["a b"]}]}, "no domain"),
        ({"nics": [{"vm": "db"}]}, "gets no address"),
        ({"nics": [{"vm": "db", "addresses": ["10.0.0.1/8"]}] * 2}, "two sets of addresses"),
        ({"subnets": [{**RULE, "target": "10.20.0.0/24"}]}, "not subnets of one size"),
        ({"subnets": [{**RULE, "source": "10.1.0.1/16"}]}, "is no subnet"),
        ({"subnets": [{**RULE, "gateway": "middle"}]}, "is no IP address"),
        ({"subnets": [{**RULE, "vms": "cpus>x"}]}, "wrong filter at subnet 10.1.0.0/16 to 10.20.0.0/16"),
    ],
)
def test_what_cannot_be_is_refused_by_name(conduct: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        validate({"conduct": conduct}, "the file")


def test_settings_without_addresses_keep_their_fingerprint() -> None:
    assert "nics" not in Settings().conduct.model_dump(mode="json", exclude_defaults=True)
    old = Settings.model_validate({"conduct": {"addresses": {"db": "10.0.0.1"}}})
    assert old.conduct.model_dump(mode="json", exclude_defaults=True) == {"addresses": {"db": "10.0.0.1"}}


def test_a_table_is_read_and_takes_the_place_of_what_was_said(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "VM;NIC;way;addresses;gateways;dns\ndb;eth0;;10.2.0.1/24 2001:db8::1/64;10.2.0.254;10.2.0.53\n"
        "db;;test;10.3.0.1/24;;\n"
    )
    said = read_addresses(file, [DB])
    assert [(one.nic, one.way, one.addresses) for one in said] == [
        ("eth0", "live", ("10.2.0.1/24", "2001:db8::1/64")),
        ("", "test", ("10.3.0.1/24",)),
    ]
    assert replaced(said, said[:1]) == said
    assert replaced((), said) == said


def test_every_wrong_row_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "vm,nic,way,addresses\nnobody,,,10.0.0.1/8\ndb,eth9,,10.0.0.1/8\ndb,,soon,10.0.0.1/8\ndb,,,10.0.0.1\n"
        "db,,,10.0.0.1/8\ndb,,,10.0.0.2/8\n"
    )
    with pytest.raises(RowsRefused) as refused:
        read_addresses(file, [DB])
    assert [row.split(":")[0] for row in refused.value.rows] == ["row 2", "row 3", "row 4", "row 5", "row 7"]
    file.write_text("vm,nic\ndb,eth0\n")
    with pytest.raises(BadInput, match="no column addresses"):
        read_addresses(file, [DB])
