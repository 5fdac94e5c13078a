"""wherry flows: from files to ties and facts, and what a person settles in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.planner.sources.flows.files import AZURE, PLAIN, write
from tests.tui.cli.command import Wherry, refused, wherry
from tests.tui.cli.test_hostile import _CONTROL


def deps(path: Path) -> Path:
    return write(
        path,
        AZURE,
        "7/28/2026 12:00-18:00,app-1,10.0.0.1,x,java,,10.0.0.2,,x,1433",
        "7/28/2026 12:00-18:00,app-1,10.0.0.1,x,java,solo,10.0.0.3,,x,8080",
        "7/29/2026 12:00-18:00,app-1,10.0.0.1,x,java,db1,10.0.0.4,,x,1433",
        "7/29/2026 12:00-18:00,,,x,java,db1,10.0.0.4,,x,1433",
        encoding="utf-8-sig",
    )


def apps(path: Path, owner: str = "Mia") -> Path:
    return write(path, "VM;Application;Owner", f"solo;Shop;{owner}", "ghost;Shop;")


def test_from_files_to_ties_and_back(planned: Wherry, tmp_path: Path) -> None:
    said = planned.done(
        "flows", "import", str(deps(tmp_path / "deps.csv")), str(apps(tmp_path / "a.csv")), "--json"
    )
    first, second = said.document["imports"]
    assert (first["kind"], first["rows"], first["refused"], first["conversations"]) == (
        "azure-migrate",
        4,
        1,
        3,
    )
    assert first["refused_rows"] == ["deps.csv row 5 has no source"]
    assert (second["kind"], second["facts"]) == ("applications", 3)
    assert said.document["dependencies"] == 2
    (solo,) = planned.done("inventory", "solo", "--json").document
    assert (solo["application"], solo["owner"]) == ("Shop", "Mia")
    assert solo["sayings"] == [["application", "a.csv row 2"], ["owner", "a.csv row 2"]]
    heads = planned.done("flows", "list", "--json").document
    assert [(head["name"], head["rows"]) for head in heads] == [("deps.csv", 4), ("a.csv", 2)]
    after = planned.done("flows", "withdraw", "1", "--json").document
    assert after["dependencies"] == 1
    refused(planned("flows", "withdraw", "1"), 2, "import 1 does not exist", "wherry flows list")


def test_a_list_taken_strictly_names_only_vms_we_have(planned: Wherry, tmp_path: Path) -> None:
    said = planned("flows", "import", str(apps(tmp_path / "a.csv")), "--strict")
    refused(said, 2, "a.csv row 3: ghost is no VM of the inventory; nothing was stored", "flows map")
    assert planned.done("flows", "list", "--json").document == []
    known = write(tmp_path / "b.csv", "VM;Application", "solo;Shop")
    assert planned.done("flows", "import", str(known), "--strict", "--json").document["imports"]


def test_the_same_file_twice_is_known(planned: Wherry, tmp_path: Path) -> None:
    path = deps(tmp_path / "deps.csv")
    planned.done("flows", "import", str(path), str(path))
    before = planned.stored()
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())
    ran = planned.done("flows", "import", str(copy))
    assert "copy.csv is known already (import 1, as deps.csv)" in ran.err
    assert planned.stored() == before
    assert planned.done("flows", "import", str(copy), "--json").document["known_already"] == ["copy.csv"]
    planned.done("flows", "withdraw", "1")
    assert planned.done("flows", "import", str(copy), "--json").document["imports"][0]["id"] == 2


def test_a_name_is_settled_for_good(planned: Wherry, tmp_path: Path) -> None:
    planned.done("flows", "import", str(deps(tmp_path / "deps.csv")), str(apps(tmp_path / "a.csv")))
    listed = planned.done("flows", "unresolved", "--json").document
    assert [(item["label"], item["verdict"], item["nearest"]) for item in listed] == [
        ("db1", "unknown", "db-1"),
        ("ghost", "unknown", ""),
    ]
    assert "no such VM; nearest: db-1" in planned.done("flows", "unresolved").out
    outside = planned.done("flows", "unresolved", "--external", "--json").document
    assert [item["label"] for item in outside] == ["10.0.0.2"]
    assert planned.done("flows", "map", "DB1", "db-1", "--json").document["dependencies"] == 3
    planned.done("flows", "map", "ghost", "--external")
    planned.done("flows", "map", "10.0.0.2", "vm-1")
    assert planned.done("flows", "unresolved", "--json").document == []
    shown = planned.done("flows", "show", "DB-1", "--json").document
    assert {(item["role"], item["peer_vm"], item["peer"]) for item in shown["conversations"]} == {
        ("server", "vm-2", "app-1")
    }
    assert len(shown["conversations"]) == 2
    assert shown["conversations"][0]["evidence"].startswith("azure-migrate deps.csv row ")
    planned.done("flows", "map", "ghost", "--forget")
    assert [item["label"] for item in planned.done("flows", "unresolved", "--json").document] == ["ghost"]
    assert planned.done("log").out.count("flows map") == 4


def test_many_names_are_settled_from_a_file(planned: Wherry, tmp_path: Path) -> None:
    planned.done("flows", "import", str(deps(tmp_path / "deps.csv")), str(apps(tmp_path / "a.csv")))
    settled = write(tmp_path / "settled.csv", "VM;Name;why", "db-1;db1;typo", ";ghost;gone", "vm-1;10.0.0.2;")
    said = planned.done("flows", "map", "--from", str(settled), "--json").document
    assert said["settled"] == {"db1": "vm-1", "ghost": "", "10.0.0.2": "vm-1"}
    assert planned.done("flows", "unresolved", "--json").document == []
    before = planned.stored()
    for lines, why in (
        (("name,vm", "a,db-1", "b,db-9"), "settled.csv row 3: VM 'db-9' is not in the inventory"),
        (("name,vm", ",db-1"), "settled.csv row 2 has no name"),
        (("name,vm", "a,db-1", "A,app-1"), "settled.csv row 3 settles a name otherwise"),
        (("name,server", "a,b"), "settled.csv has no columns name and vm"),
        (("name,vm",), "settled.csv settles no name"),
    ):
        refused(planned("flows", "map", "--from", str(write(settled, *lines))), 2, why)
    refused(planned("flows", "map", "db1", "--from", str(settled)), 2, "--from FILE alone")
    assert planned.stored() == before


def test_two_lists_that_disagree(planned: Wherry, tmp_path: Path) -> None:
    planned.done("flows", "import", str(apps(tmp_path / "a.csv")))
    planned.done("flows", "import", str(apps(tmp_path / "b.csv", "Ben")))
    (found,) = planned.done("flows", "contradictions", "--json").document
    assert (found["field"], found["value"], found["overruled"]) == ("owner", "Ben", "Mia")
    assert "b.csv row 2" in planned.done("flows", "contradictions").out
    (solo,) = planned.done("inventory", "solo", "--json").document
    assert solo["owner"] == "Ben"


def test_all_files_or_none(planned: Wherry, tmp_path: Path) -> None:
    before = planned.stored()
    bad = write(tmp_path / "bad.csv", "hello,world", "1,2")
    ran = planned("flows", "import", str(deps(tmp_path / "deps.csv")), str(bad))
    refused(ran, 2, "bad.csv has no header that wherry knows", "source,destination")
    assert planned.stored() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "nothing.csv"), "nothing.csv does not exist"),
        (("import", "/"), "cannot be read"),
        (("map", "db1"), "one of VM, --external and --forget"),
        (("map", "db1", "db-1", "--external"), "one of VM, --external and --forget"),
        (("map", "bd1", "db-1"), "did you mean db1?"),
        (("map", "db1", "db-9"), "did you mean db-1?"),
        (("show", "db-9"), "did you mean db-1?"),
        (("withdraw", "99"), "import 99 does not exist"),
        (("withdraw", "x"), "ID"),
        (("import", "deps.csv", "--kind", "sflow"), "sflow"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input(
    planned: Wherry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    planned.done("flows", "import", str(deps(tmp_path / "deps.csv")))
    before = planned.stored()
    refused(planned("flows", *arguments), 2, said)
    assert planned.stored() == before


def test_before_discovery_names_wait(tmp_path: Path) -> None:
    cli = Wherry(tmp_path / "new")
    assert wherry("init", str(cli.root)).code == 0
    ran = cli.done("flows", "import", str(deps(tmp_path / "deps.csv")))
    assert "nothing was discovered yet" in ran.err
    refused(cli("flows", "unresolved"), 2, "wherry discover")


def test_hostile_names_act_on_nothing(planned: Wherry, tmp_path: Path) -> None:
    name = "\x1b[31mdb\u202e'); DROP TABLE vm;--"
    path = write(tmp_path / "x\x1b[2J.csv", PLAIN, f'"{name}",db-1,1,tcp,5,,', f'"{name}",,1,tcp,5,,')
    for words in (
        ("import", str(path)),
        ("list",),
        ("unresolved",),
        ("map", name, "app-1"),
        ("show", "db-1"),
        ("show", "app-1"),
        ("withdraw", "1"),
    ):
        ran = planned.done("flows", *words)
        assert not _CONTROL.search(ran.text), words
    assert json.loads(planned.done("flows", "list", "--json").out) == []


def test_a_settled_name_is_confirmed_by_the_name_of_its_vm(planned: Wherry, tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("source,destination,port\nstranger,db-1,443\n", "utf-8")
    planned.done("flows", "import", str(path))
    assert "stranger means app-1 (vm-2)" in planned.done("flows", "map", "stranger", "app-1").err
