"""Imports in the store: all or nothing, known by their digest, composed anew with every change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.evidence.leftover import leftovers
from planner.evidence.resolve import Resolver
from planner.model import Inventory
from planner.store import evidence, inventories, traffic
from planner.store.project import Project
from tests.planner.sketch import estate, needs, vm
from tests.planner.sources.flows.files import PLAIN, read, write

ESTATE = estate(vm("web"), vm("app"), vm("db"), ties=(needs("web", "app"),))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "move") as project:
        yield project


def take(project: Project, path: Path, *lines: str) -> evidence.Taken:
    return evidence.take_in(project, (read(write(path, *lines)),), "mia")


def flows(project: Project, path: Path, *pairs: str) -> evidence.Taken:
    return take(project, path, PLAIN, *(f"{pair},443,tcp,5,2026-10-01,2026-10-02" for pair in pairs))


def ties(inventory: Inventory) -> set[tuple[str, str]]:
    return {(item.source, item.target) for item in inventory.dependencies}


def test_an_import_makes_a_snapshot_on_the_bare_one(project: Project, tmp_path: Path) -> None:
    bare = inventories.save(project, ESTATE)
    taken = flows(project, tmp_path / "flows.csv", "web,db", "app,db")
    latest = inventories.latest(project)
    assert taken.snapshot == latest
    assert ties(latest.inventory) == {("id-web", "id-app"), ("id-web", "id-db"), ("id-app", "id-db")}
    assert inventories.summary(project).base == bare.id
    assert inventories.latest_bare(project) == bare
    (head,) = evidence.imports(project)
    assert (head.name, head.kind, head.rows, head.refused, head.who) == ("flows.csv", "plain", 2, 0, "mia")
    assert evidence.find(project, head.sha256) == head
    assert evidence.find(project, "0" * 64) is None


def test_recompose_gives_what_was_stored(project: Project, tmp_path: Path) -> None:
    inventories.save(project, ESTATE)
    assert evidence.recompose(project, ESTATE) is ESTATE
    taken = flows(project, tmp_path / "flows.csv", "web,db")
    assert taken.snapshot is not None
    assert evidence.recompose(project, ESTATE) == taken.snapshot.inventory
    other = estate(vm("web"))
    assert ties(evidence.recompose(project, other)) == set()


def test_before_anything_was_discovered_imports_wait(project: Project, tmp_path: Path) -> None:
    assert flows(project, tmp_path / "flows.csv", "web,db").snapshot is None
    assert inventories.heads(project) == ()
    assert ("id-web", "id-db") in ties(evidence.recompose(project, ESTATE))


def test_withdrawn_evidence_no_longer_counts(project: Project, tmp_path: Path) -> None:
    inventories.save(project, ESTATE)
    flows(project, tmp_path / "one.csv", "web,db")
    second = flows(project, tmp_path / "two.csv", "app,db").imports[0]
    taken = evidence.withdraw(project, second.id)
    assert taken.snapshot is not None
    assert ties(taken.snapshot.inventory) == {("id-web", "id-app"), ("id-web", "id-db")}
    assert [item.name for item in evidence.imports(project)] == ["one.csv"]
    assert evidence.find(project, second.sha256) is None
    with pytest.raises(NotFound, match="import 2 does not exist"):
        evidence.withdraw(project, second.id)
    evidence.withdraw(project, 1)
    assert inventories.latest(project).inventory == ESTATE
    assert inventories.latest_bare(project).inventory == ESTATE


def test_a_settled_name_is_remembered_for_later_imports(project: Project, tmp_path: Path) -> None:
    inventories.save(project, ESTATE)
    flows(project, tmp_path / "one.csv", "web,DataBase")
    assert ties(evidence.recompose(project, ESTATE)) == {("id-web", "id-app")}
    evidence.settle(project, {"database": "id-db"}, "mia")
    assert ("id-web", "id-db") in ties(inventories.latest(project).inventory)
    taken = flows(project, tmp_path / "two.csv", "app,DATABASE")
    assert taken.snapshot is not None
    assert ("id-app", "id-db") in ties(taken.snapshot.inventory)
    evidence.settle(project, {"Database": None}, "mia")
    assert ties(inventories.latest(project).inventory) == {("id-web", "id-app")}
    assert evidence.settled(project) == {}


def test_what_the_store_holds_by_endpoint_and_by_vm(project: Project, tmp_path: Path) -> None:
    inventories.save(project, ESTATE)
    flows(project, tmp_path / "one.csv", "web,db", "web,10.9.9.9", "nobody,db")
    take(project, tmp_path / "apps.csv", "vm,application", "db,Shop", "nobody,Shop")
    left = {item.label: item for item in leftovers(traffic.carried(project), ESTATE, {})}
    assert set(left) == {"10.9.9.9", "nobody"}
    assert (left["nobody"].size_bytes, left["nobody"].conversations, left["nobody"].facts) == (5, 1, 1)
    heard = traffic.heard(project, "id-db", Resolver(ESTATE))
    assert {item.source.label for item in heard.conversations} == {"web", "nobody"}
    assert [(fact.field, fact.value, fact.row) for fact in heard.facts] == [("application", "Shop", 2)]


def test_conversations_stream_in_pages(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows(project, tmp_path / "one.csv", *(f"a{n},b{n}" for n in range(25)))
    whole = list(evidence.evidence_of(project).conversations)
    monkeypatch.setattr(evidence, "_AT_ONCE", 10)
    assert list(evidence.evidence_of(project).conversations) == whole
    assert len({item.source.label for item in whole}) == 25
    assert whole[0].rows == (2,)


def test_nothing_is_half_stored(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventories.save(project, ESTATE)

    def fail(*_: object, **__: object) -> None:
        raise BadInput("no", "yes")

    monkeypatch.setattr(inventories, "add", fail)
    with pytest.raises(BadInput):
        flows(project, tmp_path / "one.csv", "web,db")
    for name in ("import", "endpoint", "conversation", "fact"):
        assert project.rows(f"SELECT * FROM evidence_{name}") == [], name
    assert len(inventories.heads(project)) == 1


def test_a_file_that_two_processes_read_at_once_counts_once(project: Project, tmp_path: Path) -> None:
    inventories.save(project, ESTATE)
    path = tmp_path / "flows.csv"
    lines = (PLAIN, "web,db,443,tcp,5,2026-10-01,2026-10-02")
    mine, theirs = read(write(path, *lines)), read(write(path, *lines))
    evidence.take_in(project, (theirs,), "ann")
    before = inventories.summary(project)
    with pytest.raises(BadInput, match="imported meanwhile"):
        evidence.take_in(project, (mine,), "mia")
    assert len(evidence.imports(project)) == 1
    assert inventories.summary(project) == before


def test_a_note_says_which_imports_hold_how_many_dependencies(project: Project, tmp_path: Path) -> None:
    inventories.save(project, ESTATE)
    for number in range(6):
        row = f"web,db,443,tcp,{number},2026-10-01,2026-10-02"
        taken = take(project, tmp_path / f"f{number}.csv", PLAIN, row)
        assert taken.snapshot is not None
    said = taken.snapshot.inventory.notes[-1]
    assert said.startswith("6 imports of evidence, the last of them ")
    assert said.endswith("f5.csv, hold 1 dependency")
