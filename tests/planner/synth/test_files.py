"""The files of an estate: read back by wherry's own readers, whole or not there."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.export.estate import FORMATS
from planner.samples import sample_path
from planner.sources.document import read_document
from planner.synth.estate import make_estate
from planner.synth.files import FLOW_COLUMNS, write_estate
from planner.synth.recipe import Recipe
from tests.planner.synth.estates import estate


def _silent(what: str, done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("synth") / "estate"
    write_estate(estate(150), Recipe(150), target, FORMATS, _silent)
    return target


def test_all_files_are_there(folder: Path) -> None:
    assert {item.name for item in folder.iterdir()} == {
        "inventory.json",
        "flows.csv",
        "applications.csv",
        "ground-truth.json",
        "rvtools-4.7.xlsx",
        "rvtools-3.10.xlsx",
        "csv",
    }
    assert [item.name for item in folder.parent.iterdir()] == ["estate"], "something was left beside it"


def test_the_document_is_the_estate_one_object_a_line(folder: Path) -> None:
    assert read_document(folder / "inventory.json") == estate(150).inventory
    lines = (folder / "inventory.json").read_text("ascii").splitlines()
    assert sum(line.startswith('{"id":"vm-') and '"power"' in line for line in lines) == 150


def test_flows_are_the_observed_ones(folder: Path) -> None:
    with (folder / "flows.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert tuple(head) == FLOW_COLUMNS
    seen = [flow for flow in estate(150).flows if not flow.hidden]
    assert [int(row[3]) for row in rows] == [flow.bytes for flow in seen]
    ends = {end for row in rows for end in row[:2]}
    names = {vm.name for vm in estate(150).inventory.vms}
    addresses = {address for vm in estate(150).inventory.vms for nic in vm.nics for address in nic.addresses}
    assert ends & names
    assert ends & addresses
    hosts = {vm.dns_name for vm in estate(150).inventory.vms}
    assert ends <= names | addresses | hosts


def test_flow_and_application_files_are_of_kinds_that_are_read(folder: Path) -> None:
    from planner.evidence.records import Kind
    from planner.sources.flows.table import open_table
    from planner.sources.flows.text import look_through

    for name, kind in (("flows.csv", Kind.PLAIN), ("applications.csv", Kind.APPLICATIONS)):
        with open_table(look_through(folder / name), None, None) as table:
            assert table.header.layout.kind is kind, name


def test_ground_truth_names_vms_of_the_estate(folder: Path) -> None:
    truth = json.loads((folder / "ground-truth.json").read_text("ascii"))
    ids = {vm.id for vm in estate(150).inventory.vms}
    assert {vm for app in truth["applications"] for vm in app["vms"]} <= ids
    assert {vm for group in truth["groups"] for vm in group} <= ids
    assert truth["recipe"] == {"vms": 150, "seed": 7, "trouble": 1.0}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        write_estate(estate(150), Recipe(150), tmp_path, ("json",), _silent)
    assert [item.name for item in tmp_path.iterdir()] == ["kept"]


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    made = estate(150)
    broken = replace(
        made.inventory, vms=(replace(made.inventory.vms[0], name="\ud800"), *made.inventory.vms[1:])
    )
    with pytest.raises(BadInput, match="UTF-8"):
        write_estate(replace(made, inventory=broken), Recipe(150), tmp_path / "new", ("json",), _silent)
    assert list(tmp_path.iterdir()) == []


def test_the_sample_is_what_the_command_makes(tmp_path: Path) -> None:
    """The sample in the repository was made by the recipe as it is now."""
    recipe = Recipe(720, 7)
    write_estate(make_estate(recipe), recipe, tmp_path / "estate", ("json",), _silent)
    sample = sample_path("estate")
    for name in ("inventory.json", "flows.csv", "applications.csv", "ground-truth.json"):
        assert (tmp_path / "estate" / name).read_bytes() == (sample / name).read_bytes(), name
