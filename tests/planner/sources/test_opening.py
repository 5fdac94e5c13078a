"""What a person may name as a source, and the samples behind the names."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.model import Backing, Tie
from planner.names import visible
from planner.samples import sample_names, sample_path
from planner.settings import Settings
from planner.sources.document import dump_document
from planner.sources.opening import read_source
from planner.volumes import volumes
from tests.planner.sources.workbooks import plain

MIB = 1024**2


def test_a_vcenter_is_not_there_yet() -> None:
    with pytest.raises(BadInput) as caught:
        read_source("vcenter://me@vc.example.test")
    assert "RVTools" in caught.value.hint


@pytest.mark.parametrize("spec", ["nowhere.xlsx", "", "\x00", "x" * 5000, "../lab", "lab/", "[/]\x1b[31m"])
def test_what_does_not_exist(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        read_source(spec)
    assert "\x1b" not in caught.value.message


def test_a_pipe_or_a_device_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for spec in (str(tmp_path / "pipe.csv"), "/dev/null"):
        with pytest.raises(BadInput, match="is no file or folder") as caught:
            read_source(spec)
        assert "copy what it gives" in caught.value.hint


@pytest.mark.parametrize("spec", ["http://10.0.0.1/export.xlsx", "HTTPS://vc.example.test/sdk"])
def test_an_address_of_the_web_is_no_file(spec: str) -> None:
    with pytest.raises(BadInput, match="is no file or folder") as caught:
        read_source(spec)
    assert "download it first" in caught.value.hint
    assert "vcenter://" in caught.value.hint


def test_files_and_directories(tmp_path: Path) -> None:
    book = plain(tmp_path / "export.XLSX")
    assert len(read_source(str(book)).vms) == 2
    assert len(read_source(str(tmp_path)).vms) == 2
    (tmp_path / "~$export.xlsx").write_bytes(b"lock")
    assert len(read_source(str(tmp_path)).vms) == 2
    plain(tmp_path / "second.xlsx")
    with pytest.raises(BadInput, match="more than one inventory"):
        read_source(str(tmp_path))
    (tmp_path / "inventory.json").write_text(dump_document(read_source("hostile-names")), "utf-8")
    assert len(read_source(str(tmp_path)).vms) == 13, "a document goes before what was written beside it"


def test_a_document_of_somebody_else_is_parsed_in_a_child(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000, "utf-8")
    with pytest.raises(BadInput, match=r"deep\.json is nested deeper than any inventory"):
        read_source(str(path))
    told: list[tuple[int, int]] = []
    path.write_text(dump_document(read_source("lab")), "utf-8")
    assert read_source(str(path), lambda done, total: told.append((done, total))) == read_source("lab")
    assert told[-1] == (path.stat().st_size,) * 2


def test_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"neither an inventory\.json nor an RVTools export"):
        read_source(str(tmp_path))
    (tmp_path / "x.txt").write_text("a")
    with pytest.raises(BadInput, match="no kind wherry reads"):
        read_source(str(tmp_path / "x.txt"))


def test_a_directory_without_inventory_does_not_hide_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab").mkdir()
    assert len(read_source("lab").vms) == 12


def test_samples_by_name() -> None:
    assert set(sample_names()) >= {"lab", "hostile-names"}
    assert (sample_path("lab") / "inventory.json").is_file()
    with pytest.raises(NotFound):
        sample_path("../lab")


@pytest.mark.parametrize("name", ["lab", "hostile-names"])
def test_samples_are_written_as_wherry_writes(name: str) -> None:
    text = (sample_path(name) / "inventory.json").read_text("utf-8")
    assert dump_document(read_source(name)) == text


def test_the_lab_is_the_estate_of_the_demonstration() -> None:
    inventory = read_source("lab")
    by_name = {vm.name: vm for vm in inventory.vms}
    found = volumes(inventory)
    total = sum(volume.size_bytes for volume in found)
    assert len(by_name) == 12
    assert 1.1 * 1024 * MIB < total < 1.3 * 1024 * MIB
    assert all(64 * MIB <= vm.disks[0].size_bytes <= 96 * MIB for vm in inventory.vms)
    raw = {volume.attachments[0].vm.name: volume for volume in found if volume.backing.is_rdm}
    assert {name: volume.backing for name, volume in raw.items()} == {
        "crm-db-01": Backing.RDM_PHYSICAL,
        "files-01": Backing.RDM_VIRTUAL,
    }
    shared = [volume for volume in found if volume.shared]
    assert [{item.vm.name for item in volume.attachments} for volume in shared] == [
        {"erp-db-01", "erp-db-02"}
    ]
    name_of = {vm.id: vm.name for vm in inventory.vms}
    needs = {(name_of[edge.source], name_of[edge.target]) for edge in inventory.dependencies}
    for vm in inventory.vms:
        if not vm.name.startswith("ad-"):
            assert (vm.name, "ad-dc-01") in needs
    for edge in inventory.dependencies:
        if edge.tie is Tie.HARD:
            ends = name_of[edge.source], name_of[edge.target]
            assert ends[0].split("-")[0] == ends[1].split("-")[0]
    assert len({nic.mac for vm in inventory.vms for nic in vm.nics}) == sum(
        len(vm.nics) for vm in inventory.vms
    )


def test_the_lab_settings_fit_the_lab() -> None:
    inventory = read_source("lab")
    settings = Settings.model_validate(
        tomllib.loads((sample_path("lab") / "settings.toml").read_text("utf-8"))
    )
    disks = {f"{vm.name}/{disk.label}": disk for vm in inventory.vms for disk in vm.disks}
    luns = {lun.name: lun.size_bytes for lun in settings.luns}
    assert not settings.sites
    assert {remap.disk for remap in settings.remaps} <= disks.keys()
    assert all(luns[remap.lun] >= disks[remap.disk].size_bytes for remap in settings.remaps)
    assert set(settings.networks) == {nic.network for vm in inventory.vms for nic in vm.nics}
    assert set(settings.shared_services) <= {vm.name for vm in inventory.vms}
    frozen = [(freeze.start_utc, freeze.end_utc) for freeze in settings.freezes]
    assert not any(start <= window.start_utc < end for window in settings.windows for start, end in frozen)


def test_hostile_names_are_all_there() -> None:
    inventory = read_source("hostile-names")
    names = [vm.name for vm in inventory.vms]
    for part in ("[/]", "\x1b]52", "=HYPERLINK(", "+cmd|", "../", "\u202e", "DROP TABLE", "\n", "[@click="):
        assert any(part in name for name in names), part
    assert any(len(name) == 80 for name in names)
    assert len(set(names)) == len(names) - 1
    assert sum(volume.shared for volume in volumes(inventory)) == 1
    assert all(visible(name).isprintable() for name in names)
