"""Our own inventory document: JSON, one schema, nothing unknown accepted.

What ``dump_document`` writes ``read_document`` reads back equal. The nouns are those of
``planner.model``; pydantic checks them strictly (no string becomes a number, no key is ignored).
Every refusal names the object: ``vms[3] "name"``. Its JSON Schema is published
as ``planner/schemas/inventory.schema.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import BadInput
from planner.model import (
    VM,
    Cluster,
    Datastore,
    Decision,
    Dependency,
    Folder,
    Host,
    Inventory,
    Licence,
    Lun,
    Network,
    ResourcePool,
    VCenter,
)
from planner.names import visible
from planner.sources import staging
from planner.sources.isolation import Report, run_isolated, staging_file
from planner.sources.staging import Staged

SCHEMA: Literal["wherry.inventory/1"] = "wherry.inventory/1"
MAX_BYTES = 1024**3  # about 500,000 VMs; a larger file is a mistake or an attack

_HINT = "correct it there; the format is described by planner/schemas/inventory.schema.json"


class Document(BaseModel):
    """An estate as one document."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    schema_: Literal["wherry.inventory/1"] = Field(alias="schema")
    source: str
    taken_at: str = Field(description="ISO 8601 in UTC")
    vms: tuple[VM, ...]
    hosts: tuple[Host, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    datastores: tuple[Datastore, ...] = ()
    networks: tuple[Network, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    vcenters: tuple[VCenter, ...] = ()
    luns: tuple[Lun, ...] = ()
    resource_pools: tuple[ResourcePool, ...] = ()
    folders: tuple[Folder, ...] = ()
    licences: tuple[Licence, ...] = ()
    decisions: tuple[Decision, ...] = ()
    refused: tuple[Dependency, ...] = ()

    def inventory(self) -> Inventory:
        """Return the document as an inventory."""
        return Inventory(**{name: getattr(self, name) for name in _FIELDS})


_FIELDS = tuple(name for name in Document.model_fields if name != "schema_")


def _place(location: tuple[int | str, ...]) -> str:
    """Return ``vms[3].disks[0] "size_bytes"`` for pydantic's ("vms", 3, "disks", 0, "size_bytes")."""
    path = ""
    for part in location[:-1]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    last = location[-1] if location else "document"
    if isinstance(last, int):
        return f"{path}[{last}]"
    quoted = f'"{visible(last, 60)}"'
    return f"{path} {quoted}" if path else quoted


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid" and "recursion limit" in first["msg"]:
        return "is nested deeper than any inventory"
    if first["type"] == "json_invalid":
        return f"is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}"
    where = _place(first["loc"])
    if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"has a field that does not exist: {where}"
    if first["type"] == "missing":
        return f"lacks a field: {where}"
    more = error.error_count() - 1
    rest = f", and {more} more places" if more > 1 else ", and one more place" if more else ""
    return f"is wrong at {where}: {first['msg'][:1].lower()}{first['msg'][1:]}{rest}"


def _contradictions(document: Document) -> Iterator[str]:
    """Yield what a schema cannot say: identities, references and ranges."""
    try:
        datetime.fromisoformat(document.taken_at)
    except ValueError:
        yield f'is wrong at "taken_at": {visible(document.taken_at, 40)!r} is not an ISO 8601 time'
    seen: dict[str, int] = {}
    for at, vm in enumerate(document.vms):
        if not vm.id:
            yield f'is wrong at vms[{at}] "id": it is empty'
        if vm.id in seen:
            yield f'repeats a VM id: vms[{at}] "id" {visible(vm.id, 60)!r} is that of vms[{seen[vm.id]}]'
        seen[vm.id] = at
        for field in ("cpus", "memory_bytes"):
            if getattr(vm, field) < 0:
                yield f'is wrong at vms[{at}] "{field}": it is negative'
        keys: set[str] = set()
        for number, disk in enumerate(vm.disks):
            if disk.key in keys:
                yield f'repeats a disk key: vms[{at}].disks[{number}] "key" {visible(disk.key, 60)!r}'
            keys.add(disk.key)
            if disk.size_bytes < 0:
                yield f'is wrong at vms[{at}].disks[{number}] "size_bytes": it is negative'
    for at, edge in enumerate(document.dependencies):
        for end, vm_id in (("source", edge.source), ("target", edge.target)):
            if vm_id not in seen:
                yield f'names a VM it does not hold: dependencies[{at}] "{end}" {visible(vm_id, 60)!r}'
        if not 0 <= edge.confidence <= 1:
            yield f'is wrong at dependencies[{at}] "confidence": it is not between 0 and 1'


def parse_document(text: str | bytes, name: str) -> Inventory:
    """Return the inventory a document holds; ``name`` is what errors call it; raises BadInput."""
    shown = visible(name)
    try:
        document = Document.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(f"{shown} {_sentence(error)}", _HINT) from error
    wrong = next(_contradictions(document), None)
    if wrong:
        raise BadInput(f"{shown} {wrong}", _HINT)
    return document.inventory()


def read_document(path: Path) -> Inventory:
    """Read an inventory document (UTF-8, with or without a byte order mark); raises BadInput."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadInput(f"{path} is larger than 1 GiB", "split the estate into several documents")
        body = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{visible(str(path))} cannot be read: {error.strerror}", "check the path and its rights"
        ) from error
    if not body.strip():
        raise BadInput(f"{visible(str(path))} is empty", "export the inventory again")
    return parse_document(body.removeprefix(b"\xef\xbb\xbf"), str(path))


@contextmanager
def staged_document(path: Path, *, report: Report | None = None) -> Iterator[Staged]:
    """Give a document of somebody else as it was parsed in a child; raises BadInput."""
    with staging_file() as file:
        run_isolated("document", path, file, report=report)
        with staging.reading(file) as connection:
            yield Staged.of(connection)


def stage(path: Path, file: Path, report: Report) -> None:
    """Read a document into a staging file: what the child does."""
    inventory = read_document(path)
    with staging.writing(file) as connection:
        staging.put_inventory(connection, inventory)
    size = path.stat().st_size
    report(size, size)


def dump_document(inventory: Inventory) -> str:
    """Return the document of an inventory: indented, ASCII only, defaults left out.

    ASCII, because names may hold what a terminal or a reader's eye obeys when the file is shown.
    """
    values = {name: getattr(inventory, name) for name in _FIELDS}
    document = Document.model_construct(schema_=SCHEMA, **values)
    body: dict[str, Any] = {"schema": SCHEMA}
    body |= document.model_dump(mode="json", exclude_defaults=True, exclude={"schema_"})
    return json.dumps(body, indent=2, ensure_ascii=True) + "\n"
