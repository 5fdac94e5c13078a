"""Columns of the fields of VMs, by snapshot: what filters over many VMs are asked of. Writes
``inventory_column``.

    inventory_vm, content ── build: every VM decoded once ──▶ a body for each field ── load ──▶ Column

It is a cache and may be dropped. What tables list anyway is read from ``inventory_vm`` and needs no
building. Columns of older snapshots of a role make room for those of the newest.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from planner.column import Column, Packed, coded, constant, packed
from planner.errors import NotFound
from planner.fields import (
    FAMILIES,
    FIELDS,
    TABLE_FIELDS,
    TABLE_WORDS,
    VM_WORDS,
    Seen,
    Tally,
    checked,
    power_words,
    said,
)
from planner.made_by import code_digest
from planner.model import VM, Inventory, Power
from planner.store import column_bodies, contents, inventories
from planner.store.project import Project
from planner.vocabulary import Text, Value, column_name

_PORTION = 500  # VMs decoded between two words on the progress
_MADE_BY = ""  # the row that says what code wrote the others
_ATTRIBUTE, _CATEGORY = "attr.", "tag."
# Fields that the listing of VMs says as exactly as the VM itself; a size of disks there may be unknown.
_LISTED: dict[str, tuple[str, Callable[[Any], Value]]] = {
    "name": ("name", said),
    "id": ("id", said),
    "cluster": ("cluster", said),
    "os": ("guest_os", said),
    "app": ("application", said),
    "power": ("power", lambda value: power_words(Power(value))),
    "cpu": ("cpus", lambda value: value or None),
    "ram": ("memory_bytes", lambda value: value or None),
}


def is_built(project: Project, inventory: int) -> bool:
    """Return whether the columns of a snapshot are there, as this wherry makes them."""
    found = _bodies(project, inventory, (_MADE_BY,))
    return found.get(_MADE_BY) == code_digest().encode()


def missing(project: Project, inventory: int, names: Iterable[str]) -> frozenset[str]:
    """Return those of some columns of VMs that cannot be loaded before ``build``."""
    wanted = frozenset(names) - _LISTED.keys() - TABLE_FIELDS.keys()
    return frozenset() if is_built(project, inventory) else wanted


def build(project: Project, inventory: int, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the columns of a snapshot, unless they are there; raises NotFound.

    ``progress`` hears VMs done and VMs in all.
    """
    if is_built(project, inventory):
        return
    head = inventories.head(project, inventory)
    seen = _seen(project, inventory, head.taken_at)
    making = _Making(head.vms)
    for at, vm in enumerate(_vms(project, inventory)):
        if progress and at % _PORTION == 0:
            progress(at, head.vms)
        making.take(at, vm, seen)
    bodies = dict(making.bodies())
    with project.write() as db:
        db.conn.execute(
            "DELETE FROM inventory_column WHERE inventory = ? OR inventory IN"
            " (SELECT id FROM inventory WHERE role = ? AND id < ?)",
            (inventory, head.role.value, inventory),
        )
        db.conn.executemany(
            "INSERT INTO inventory_column (inventory, field, body) VALUES (?, ?, ?)",
            ((inventory, name, body) for name, body in bodies.items()),
        )
    if progress:
        progress(head.vms, head.vms)


def load(project: Project, inventory: int, names: Iterable[str]) -> dict[str, Column]:
    """Return columns of VMs by name, in the order of the inventory.

    Names of what a table knows besides are left out; raises NotFound for one that is not built yet.
    """
    wanted = frozenset(names) - TABLE_FIELDS.keys()
    if missing(project, inventory, wanted):
        raise NotFound(f"the columns of inventory {inventory} are not made yet", "let them be built first")
    found: dict[str, Column] = {}
    stored = wanted - _LISTED.keys()
    bodies = _bodies(project, inventory, stored)
    for name in wanted:
        if name in _LISTED:
            found[name] = _listed(project, inventory, *_LISTED[name])
        elif name in bodies:
            found[name] = column_bodies.read(bodies[name], isinstance(VM_WORDS.find(name), Text))
        else:
            found[name] = _absent(project, inventory, name)
    return found


def names(project: Project, inventory: int) -> tuple[str, ...]:
    """Return every column a snapshot has: the fields, and the attributes and categories it knows of."""
    rows = project.rows(
        "SELECT field FROM inventory_column WHERE inventory = ? AND field > '' ORDER BY field", inventory
    )
    families = (row["field"] for row in rows if row["field"].startswith((_ATTRIBUTE, _CATEGORY)))
    return (*FIELDS, *families)


def placed(places: Iterable[tuple[str, str]]) -> dict[str, Column]:
    """Return the columns of wave and group from what each VM, in order, is in; empty = in none."""
    known = [(wave, group) for wave, group in places]
    return {
        "wave": Column.of((wave,) if wave else () for wave, _ in known),
        "group": Column.of((group,) if group else () for _, group in known),
    }


def judged(tallies: Iterable[Tally | None]) -> dict[str, Column]:
    """Return the column of checks from the tally of each VM, in order; None = not judged."""
    rows = list(tallies)
    known = {tally: checked(tally) for tally in set(rows)}  # few: a hundred thousand VMs share them
    return {"checks": Column.of(map(known.__getitem__, rows))}


def of_inventory(inventory: Inventory, seen: Seen, wanted: Iterable[str]) -> dict[str, Column]:
    """Return columns made from VMs in memory; those a table knows besides come out of ``seen``."""
    return {
        name: Column.of(field.read(vm, seen) for vm in inventory.vms)
        for name in wanted
        if (field := TABLE_WORDS.find(name)) is not None
    }


class _Making:
    """The columns of a snapshot while its VMs go by: for each field the values met and their numbers."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._numbers: dict[str, dict[Packed, int]] = {name: {} for name in FIELDS}
        self._of_row: dict[str, array[int]] = {name: array("I") for name in FIELDS}
        # An attribute or category turns up late: until then, all had no value, or none that is known.
        self._silent: array[int] = array("B")

    def take(self, at: int, vm: VM, seen: Seen) -> None:
        """Take in the next VM."""
        for name, field in FIELDS.items():
            numbers = self._numbers[name]
            self._of_row[name].append(numbers.setdefault(packed(field.read(vm, seen)), len(numbers)))
        self._silent.append(vm.tags is None)
        named = {_ATTRIBUTE + key for key, _ in vm.attributes}
        named.update(_CATEGORY + category for category, _ in vm.tags or ())
        for name in {column_name(one) for one in named}:
            family, _, chosen = name.partition(".")
            self._put(name, at, FAMILIES[family].named(chosen).read(vm, seen))

    def _put(self, name: str, at: int, value: Value) -> None:
        """Note a value of an open family; rows between have the one of VMs that lack it."""
        numbers = self._numbers.setdefault(name, {None: 0, (): 1})
        of_row = self._of_row.setdefault(name, array("I"))
        self._fill(name, of_row, at)
        of_row.append(numbers.setdefault(packed(value), len(numbers)))

    def _fill(self, name: str, of_row: array[int], end: int) -> None:
        if name.startswith(_ATTRIBUTE):
            of_row.extend([0] * (end - len(of_row)))
        else:
            of_row.extend(0 if silent else 1 for silent in self._silent[len(of_row) : end])

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and body of every column, and what made them."""
        yield _MADE_BY, code_digest().encode()
        for name, numbers in self._numbers.items():
            of_row = self._of_row[name]
            if name not in FIELDS:
                self._fill(name, of_row, self._rows)
            yield name, column_bodies.write(*coded(list(numbers), of_row))


def _listed(project: Project, inventory: int, column: str, shape: Callable[[Any], Value]) -> Column:
    rows = project.stream(
        f"SELECT {column} FROM inventory_vm WHERE inventory = ? ORDER BY position",  # noqa: S608 - our names
        inventory,
    )
    return Column.of(shape(value) for (value,) in rows)


def _absent(project: Project, inventory: int, name: str) -> Column:
    """Return the column of an attribute or category that no VM of the snapshot has."""
    if name.startswith(_CATEGORY):
        tags = load(project, inventory, ("tag",))["tag"]
        return Column.of((None,) if value == (None,) else () for value in tags)
    if not name.startswith(_ATTRIBUTE):
        raise NotFound(f"column {name!r} does not exist", f"columns are {', '.join(VM_WORDS.names)}")
    return constant((None,), inventories.head(project, inventory).vms)


def _bodies(project: Project, inventory: int, wanted: Iterable[str]) -> Mapping[str, bytes]:
    some = tuple(wanted)
    rows = project.rows(
        f"SELECT field, body FROM inventory_column WHERE inventory = ?"  # noqa: S608 - question marks only
        f" AND field IN ({', '.join('?' * len(some))})",
        inventory,
        *some,
    )
    return {row["field"]: row["body"] for row in rows}


def _seen(project: Project, inventory: int, taken_at: str) -> Seen:
    """Return what a snapshot says about itself, without its VMs."""
    from planner.codec import decode
    from planner.fingerprint import part_shape

    (row,) = project.rows("SELECT estate FROM inventory WHERE id = ?", inventory)
    body = contents.parts(project, {"gaps": json.loads(row["estate"]).get("gaps")}).get("gaps")
    gaps = decode(body, part_shape("gaps")) if body else ()
    return Seen.of(Inventory("", taken_at, (), gaps=gaps))


def _vms(project: Project, inventory: int) -> Iterator[VM]:
    """Yield the VMs of a snapshot in order, never holding all of them."""
    from planner.codec import decode

    at = 0
    while rows := project.rows(
        "SELECT body FROM inventory_vm JOIN content USING (digest)"
        " WHERE inventory = ? AND position >= ? AND position < ? ORDER BY position",
        inventory,
        at,
        at + _PORTION,
    ):
        for row in rows:
            yield decode(row["body"], VM)
        at += _PORTION
