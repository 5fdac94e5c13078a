"""The inventory document: round trip, published schema, and what is refused, by place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import planner.sources.document as document
from planner.errors import BadInput
from planner.model import (
    VM,
    Backing,
    BusSharing,
    Cdrom,
    Dependency,
    Disk,
    Inventory,
    Nic,
    Power,
    Snapshot,
    Tie,
)
from planner.sources.document import Document, dump_document, parse_document, read_document

FULL = Inventory(
    source="test",
    taken_at="2026-01-01T00:00:00+00:00",
    vms=(
        VM(
            id="1",
            name="Zürich \x1b[31m [/]\n",
            power=Power.OFF,
            cbt=False,
            hw_version=0,
            attributes=(("k", "v"),),
            disks=(
                Disk(
                    "2000",
                    "Hard disk 1",
                    0,
                    Backing.RDM_VIRTUAL,
                    thin=False,
                    unit=0,
                    bus_sharing=BusSharing.NONE,
                ),
            ),
            nics=(Nic("n", "", addresses=("::1",)),),
            snapshots=(Snapshot("s", size_bytes=0),),
            cdroms=(Cdrom("cd", False),),
        ),
        VM(id="2", name=""),
    ),
    dependencies=(Dependency("1", "2", Tie.ORDER, "r", confidence=0.5),),
    notes=("note",),
    gaps=("nics",),
)


def body(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dump_document(FULL))
    return found | changes


def refusal(value: object) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse_document(value if isinstance(value, str) else json.dumps(value), "x.json")
    assert caught.value.hint
    return caught.value


def test_round_trip_is_lossless() -> None:
    assert parse_document(dump_document(FULL), "x") == FULL


def test_dump_is_stable_and_obeyed_by_no_terminal() -> None:
    text = dump_document(FULL)
    assert dump_document(parse_document(text, "x")) == text
    assert text.isascii()
    assert "\x1b" not in text


def test_schema_covers_every_field_of_an_inventory() -> None:
    assert set(document._FIELDS) == set(Inventory.__dataclass_fields__)


def test_schema_forbids_unknown_fields_everywhere() -> None:
    schema = Document.model_json_schema(by_alias=True)
    objects = [part for part in schema["$defs"].values() if part.get("type") == "object"] + [schema]
    assert len(objects) > 8
    assert all(part["additionalProperties"] is False for part in objects)


def test_unknown_field_is_named() -> None:
    value = body()
    value["vms"][1]["nmae"] = "typo"
    assert 'vms[1] "nmae"' in refusal(value).message


def test_missing_field_is_named() -> None:
    value = body()
    del value["vms"][1]["name"]
    assert 'lacks a field: vms[1] "name"' in refusal(value).message


@pytest.mark.parametrize(
    ("path", "bad", "place"),
    [
        (("vms", 0, "disks", 0, "size_bytes"), "12", 'vms[0].disks[0] "size_bytes"'),
        (("vms", 0, "disks", 0, "size_bytes"), -1, 'vms[0].disks[0] "size_bytes"'),
        (("vms", 0, "disks", 0, "size_bytes"), 1.5, 'vms[0].disks[0] "size_bytes"'),
        (("vms", 0, "power"), "running", 'vms[0] "power"'),
        (("vms", 0, "cpus"), -1, 'vms[0] "cpus"'),
        (("vms", 0, "id"), "", 'vms[0] "id"'),
        (("vms", 0, "name"), None, 'vms[0] "name"'),
        (("vms", 1), "vm", "vms[1]"),
        (("vms",), {}, '"vms"'),
        (("taken_at",), "yesterday", '"taken_at"'),
        (("dependencies", 0, "confidence"), 2.0, 'dependencies[0] "confidence"'),
        (("dependencies", 0, "target"), "nobody", 'dependencies[0] "target"'),
        (("schema",), "wherry.inventory/2", '"schema"'),
    ],
)
def test_wrong_values_are_named(path: tuple[str | int, ...], bad: object, place: str) -> None:
    value: Any = body()
    at = value
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = bad
    assert place in refusal(value).message


def test_duplicate_ids_are_refused() -> None:
    value = body()
    value["vms"][1]["id"] = "1"
    message = refusal(value).message
    assert "repeats a VM id" in message
    assert "vms[1]" in message
    assert "vms[0]" in message


def test_duplicate_disk_keys_are_refused() -> None:
    value = body()
    value["vms"][0]["disks"] *= 2
    assert 'repeats a disk key: vms[0].disks[1] "key"' in refusal(value).message


@pytest.mark.parametrize("text", ["{", "[]", "null", "[" * 100_000, '{"schema": 1', "\x00"])
def test_what_is_no_document(text: str) -> None:
    refusal(text)


def test_reading_files(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(BadInput, match="cannot be read"):
        read_document(path)
    path.write_text("  \n")
    with pytest.raises(BadInput, match="is empty"):
        read_document(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput):
        read_document(path)
    path.write_text("\ufeff" + dump_document(FULL), "utf-8")
    assert read_document(path) == FULL
