"""Settings, maps and remaps as the study answers them: what it stores is what the verbs would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner import settings_fields
from planner.errors import BadInput, NotFound
from planner.store.project import Project
from tests.tui.cli.command import Wherry
from tui.acts.settling import set_values
from tui.study.client import Study


def block(study: Study, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in study.ask("settings.view")["blocks"] if one["id"] == name)
    return found


def settings(cli: Wherry) -> Any:
    return cli.done("settings", "show", "--json").document


def test_entries_say_what_they_mean_what_they_are_and_who_set_them(planned: Study) -> None:
    rows = {row["name"]: row for row in block(planned, "caps")["rows"]}
    facts = dict(rows["caps.vms"]["facts"])
    assert facts["means"].startswith("VMs per wave")
    assert (facts["now"], facts["default"]) == ("2", "50")
    assert facts["set by"].startswith("version 1, ")
    assert dict(rows["caps.tib"]["facts"])["set by"] == "nobody: it is the default"
    planned.ask("settings.write", name="caps.tib", said={"tib": "12.5"})
    assert dict(block(planned, "caps")["rows"][1]["facts"])["set by"].startswith("version 2, ")


def test_every_setting_has_a_place_among_the_blocks(planned: Study, cli: Wherry) -> None:
    named = {name for one in planned.ask("settings.view")["blocks"] for name in one["names"]}
    for key, part in settings(cli).items():
        entries = [f"{key}.{name}" for name in part] if isinstance(part, dict) and part else [key]
        placed = [entry in named or any(name.startswith(f"{entry}.") for name in named) for entry in entries]
        assert key == "sites" or key in named or all(placed), key


def test_an_item_keeps_what_its_form_has_no_field_for(planned: Study, cli: Wherry) -> None:
    hook = {"name": "drain", "place": "after-stop", "argv": "/bin/x\n{vm}", "optional": "no"}
    said = {one.name: hook.get(one.name, "") for one in settings_fields.fields("conduct.hooks")}
    assert "environment" not in said
    planned.ask("settings.item", name="conduct.hooks", was=None, said=said)
    (was,) = settings(cli)["conduct"]["hooks"]
    assert was["argv"] == ["/bin/x", "{vm}"]
    kept = {**was, "environment": {"TOKEN_FILE": "/etc/x"}}
    with Project.open(cli.root) as project:
        set_values(project, {"conduct.hooks": [kept]})
    planned.ask("settings.item", name="conduct.hooks", was=kept, said={**said, "optional": "yes"})
    assert settings(cli)["conduct"]["hooks"] == [{**kept, "optional": True}]


def test_addresses_are_names_that_stand_for_something(planned: Study, cli: Wherry) -> None:
    said = {"name": "solo", "value": "10.0.0.1"}
    planned.ask("settings.name", name="conduct.addresses", was=None, said=said)
    assert settings(cli)["conduct"]["addresses"] == {"solo": "10.0.0.1"}
    (row,) = block(planned, "addresses")["rows"]
    assert row["said"] == said
    assert cli.done("settings", "set", "conduct.test_networks.prod", "quarantine").code == 0
    assert settings(cli)["conduct"]["test_networks"] == {"prod": "quarantine"}


def test_what_a_person_wrote_is_read_and_judged_by_the_settings(planned: Study, cli: Wherry) -> None:
    planned.ask("settings.write", name="waves.pilots", said={"pilots": "solo\n\n x-4 \n"})
    planned.ask("settings.write", name="caps.cutovers", said={"cutovers": "3"})
    planned.ask("settings.write", name="waves.whole_applications", said={"whole_applications": "no"})
    found = settings(cli)
    assert found["waves"]["pilots"] == ["solo", "x-4"]
    assert (found["caps"]["cutovers"], found["waves"]["whole_applications"]) == (3, False)
    planned.ask("settings.write", name="caps.cutovers", said={"cutovers": ""})
    assert settings(cli)["caps"]["cutovers"] is None
    before = cli.stored()
    for name, text, words in (
        ("caps.vms", "many", r"caps\.vms: 'many' is no whole number"),
        ("caps.vms", "0", r"caps\.vms.*it must be at least 1"),
        ("link.share", "1.5", r"link\.share"),
        ("link.zone", "Europe/Atlantis", r"link\.zone.*does not exist"),
        ("waves.exit", "soon", r"waves\.exit"),
    ):
        with pytest.raises(BadInput, match=words):
            planned.ask("settings.write", name=name, said={name.rpartition(".")[2]: text})
    assert cli.stored() == before


def test_items_of_lists_are_added_changed_and_taken_away(planned: Study, cli: Wherry) -> None:
    said = {
        "start": "2027-03-01T00:00",
        "end": "2027-03-05T00:00",
        "why": "quarter",
        "zone": "UTC",
        "only": "",
    }
    planned.ask("settings.item", name="freezes", was=None, said=said)
    (row,) = block(planned, "freezes")["rows"]
    planned.ask("settings.item", name="freezes", was=row["item"], said={**said, "why": "year"})
    assert settings(cli)["freezes"][0]["why"] == "year"
    with pytest.raises(BadInput, match="not in freezes any more"):
        planned.ask("settings.item", name="freezes", was=row["item"], said=said)
    with pytest.raises(BadInput, match="a freeze ends before it starts"):
        planned.ask("settings.item", name="freezes", was=None, said={**said, "end": "2027-02-01T00:00"})
    (row,) = block(planned, "freezes")["rows"]
    planned.ask("settings.item", name="freezes", was=row["item"], said=None)
    assert settings(cli)["freezes"] == []


def test_a_window_may_come_back_and_says_what_keeps_waves_out(planned: Study, cli: Wherry) -> None:
    said = {"start": "2027-02-06T22:00", "hours": "4", "zone": "Europe/Berlin"}
    planned.ask("settings.window", said=said, times=3)
    (again,) = settings(cli)["recurring"]
    assert (again["every"], again["first"], again["until"]) == ("saturday", "2027-02-06", "2027-02-20")
    planned.ask("settings.window", said={**said, "start": "2027-01-09T23:00", "zone": "UTC"})
    planned.ask("settings.item", name="holidays", was=None, said={"day": "2027-02-13", "name": "fair"})
    rows = block(planned, "windows")["rows"]
    assert [row["wrong"] for row in rows if row["wrong"]] == [
        "overlaps the window of 2027-01-09 22:00 UTC", "1 of 3 windows closed"
    ]  # fmt: skip
    assert dict(rows[-1]["facts"])["2027-02-13"] == "falls on a holiday (fair)"
    with pytest.raises(BadInput, match="cannot come back"):
        planned.ask("settings.window", said={**said, "start": "2027-02-06T22:00+01:00"}, times=2)


def test_an_earlier_version_is_set_again_and_none_is_lost(planned: Study, cli: Wherry) -> None:
    first = settings(cli)
    assert planned.ask("settings.write", name="caps.vms", said={"vms": "7"}) == 2
    assert planned.ask("settings.restore", number=1) == 3
    assert settings(cli) == first
    rows = planned.ask("settings.versions")
    assert [row["number"] for row in rows] == [3, 2, 1, 0]
    assert rows[0]["changed"] == rows[1]["changed"] == ["caps"]
    planned.ask("settings.restore", number=0)
    assert settings(cli)["caps"]["vms"] == 50
    with pytest.raises(NotFound, match="version 9"):
        planned.ask("settings.restore", number=9)
    acts = [row["act"] for row in cli.done("log", "--json").document["lines"]]
    assert acts[-2:] == ["settings restore", "settings restore"]


def test_names_with_dots_are_names(planned: Study, cli: Wherry) -> None:
    planned.ask("settings.name", name="owners", was=None, said={"name": "shop.v2", "value": "ann"})
    planned.ask("settings.name", name="owners", was="shop.v2", said={"name": "shop.v3", "value": "bob"})
    assert settings(cli)["owners"] == {"shop.v3": "bob"}
    planned.ask("settings.name", name="owners", was="shop.v3", said=None)
    assert settings(cli)["owners"] == {}


def test_caps_say_what_the_plan_uses(planned: Study, cli: Wherry) -> None:
    planned.ask("settings.name", name="owners", was=None, said={"name": "extra", "value": "ann"})
    used = planned.ask("settings.used")
    assert used["caps.vms"].startswith("2 in W0")
    assert used["caps.groups_per_owner"].startswith(("1 of ann in W0", "2 of ann in W0"))
    assert "caps.groups_per_team" not in used, "nobody said who is in a team"


def test_networks_are_mapped_one_by_one_and_by_pattern(planned: Study, cli: Wherry) -> None:
    found = planned.ask("maps")
    assert found["target"] is None
    names = [row["name"] for row in found["networks"]]
    assert names
    assert "not mapped" in found["networks"][0]["wrong"]
    assert found["networks"][0]["vms"] > 0
    tried = planned.ask("maps.match", pattern=f"{names[0][:2]}*", target="new-*")
    assert tried["maps"][names[0]] == f"new-{names[0][2:]}"
    assert settings(cli)["networks"] == {}
    planned.ask("maps.set", values=tried["maps"])
    assert settings(cli)["networks"] == tried["maps"]
    planned.ask("maps.set", values={names[0]: None})
    assert names[0] not in settings(cli)["networks"]
    with pytest.raises(BadInput, match="no network of the source matches"):
        planned.ask("maps.match", pattern="nothing-*", target="x")
    with pytest.raises(BadInput, match="more stars"):
        planned.ask("maps.match", pattern="a*", target="*-*")
    before = settings(cli)["networks"]
    with pytest.raises(BadInput, match=f"{names[-1]} would lead to a blank name"):
        planned.ask("maps.set", values={names[0]: "fine", names[-1]: " "})
    assert settings(cli)["networks"] == before, "all or nothing"
    with pytest.raises(BadInput, match="the target of the map is empty"):
        planned.ask("maps.match", pattern="*", target=" ")


def test_holidays_come_from_a_calendar(planned: Study, cli: Wherry, tmp_path: Path) -> None:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//", "BEGIN:VEVENT", "UID:1", "SUMMARY:May Day",
             "DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20270501", "END:VEVENT", "END:VCALENDAR",
             "")  # fmt: skip
    file = tmp_path / "days.ics"
    file.write_text("\r\n".join(lines), "utf-8")
    assert planned.ask("settings.holidays", path=str(file)) == {"added": 1, "timed": 0, "all": 1}
    assert settings(cli)["holidays"] == [{"day": "2027-05-01", "name": "May Day"}]
    with pytest.raises(BadInput, match="cannot be read"):
        planned.ask("settings.holidays", path=str(tmp_path / "none.ics"))
