"""Taking an estate in: bare and complete snapshots together, other vCenters kept, staged or read alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.discovery import take_in, take_in_staged
from planner.model import VM, Inventory, Nic
from planner.sources import staging
from planner.sources.flows.reading import read_evidence
from planner.sources.flows.text import look_through
from planner.sources.staging import Staged
from planner.store import evidence, inventories
from planner.store.inventories import Role
from planner.store.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "move") as project:
        yield project


def vm(number: int, vcenter: str = "vc-a", **more: object) -> VM:
    nic = Nic("n", "lan", addresses=(f"10.0.0.{number}",))
    return VM(f"vm-{number}", f"web-{number}", vcenter=vcenter, nics=(nic,), **more)  # type: ignore[arg-type]


def estate(*vms: VM) -> Inventory:
    return Inventory("test", "2026-11-01T00:00:00+00:00", vms)


def know_a_list(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "applications.csv"
    path.write_text("vm,application,owner\nweb-1,Shop,Ada\n", "utf-8")
    evidence.take_in(project, (read_evidence(look_through(path)),), "tester")


def test_without_evidence_there_is_one_snapshot(project: Project) -> None:
    stored = take_in(project, estate(vm(1)))
    assert [head.id for head in inventories.heads(project)] == [stored.id]
    assert inventories.summary(project).base is None


def test_evidence_is_laid_over_every_new_snapshot(project: Project, tmp_path: Path) -> None:
    know_a_list(project, tmp_path)
    stored = take_in(project, estate(vm(1), vm(2)))
    assert stored.inventory.vms[0].application == "Shop"
    head = inventories.summary(project)
    assert (head.id, head.base) == (stored.id, stored.id - 1)
    assert inventories.latest_bare(project).inventory == estate(vm(1), vm(2))


def test_both_or_none_is_stored(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know_a_list(project, tmp_path)
    before = take_in(project, estate(vm(1)))
    add, count = inventories.add, iter(range(5))

    def fail_the_second(*arguments: object, **more: object) -> object:
        if next(count) == 1:
            raise OSError("the disk went away")
        return add(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(inventories, "add", fail_the_second)
    with pytest.raises(OSError, match="went away"):
        take_in(project, estate(vm(1), vm(2)))
    assert inventories.summary(project).id == before.id


def test_a_target_is_stored_as_it_was_read(project: Project, tmp_path: Path) -> None:
    know_a_list(project, tmp_path)
    take_in(project, estate(vm(1)), Role.TARGET)
    found = inventories.find_target(project)
    assert found is not None
    assert found.inventory == estate(vm(1))
    assert inventories.find_summary(project) is None


def test_other_vcenters_are_kept_when_asked_for(project: Project) -> None:
    take_in(project, estate(vm(1)))
    both = take_in(project, estate(vm(2, "vc-b")), keep_others=True).inventory
    assert [item.name for item in both.vms] == ["web-1", "web-2"]
    renewed = take_in(project, estate(replace(vm(1), name="new")), keep_others=True).inventory
    assert {item.name for item in renewed.vms} == {"new", "web-2"}
    assert {item.id for item in renewed.vms} == {item.id for item in both.vms}
    alone = take_in(project, estate(vm(2, "vc-b"))).inventory
    assert [item.name for item in alone.vms] == ["web-2"]


@pytest.mark.parametrize("informed", [False, True], ids=["bare", "with evidence"])
def test_staged_and_read_are_the_same(project: Project, tmp_path: Path, informed: bool) -> None:
    if informed:
        know_a_list(project, tmp_path)
    read = take_in(project, estate(vm(1), vm(2)))
    with staging.writing(tmp_path / "staging.db") as connection:
        staging.put_inventory(connection, estate(vm(1), vm(2)))
    with staging.reading(tmp_path / "staging.db") as connection:
        staged = take_in_staged(project, Staged.of(connection))
    assert staged.inventory == read.inventory
    assert staged.fingerprint == read.fingerprint
    assert staged.inventory.vms[0].application == ("Shop" if informed else "")
