"""An inventory under pseudonyms: every text by the table of fields, everything else as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

from planner.anonymise.fields import FIELDS, Kind
from planner.anonymise.mask import Mask
from planner.model import Inventory

Report = Callable[[int, int], None]
_EVERY = 200  # VMs between two words on progress
REMOVED = "removed"
SOURCE = "anonymised"
NOTE = "names, addresses and identifiers are pseudonyms; notes, annotations and descriptions were left out"


def _time(text: str) -> str:
    """Return a time as it is; what only claims to be one does not pass."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text


def _gone(text: str) -> str:
    return REMOVED if text else ""


class _Nouns:
    """Maps nouns; the plan of a type is made once."""

    def __init__(self, mask: Mask) -> None:
        self._treatments: dict[Kind, Callable[[str], str]] = {
            kind: getattr(mask, kind.value) for kind in Kind if kind not in {Kind.TIME, Kind.GONE}
        } | {Kind.TIME: _time, Kind.GONE: _gone}

    def _value(self, value: Any, owner: type, name: str) -> Any:
        if isinstance(value, Enum) or value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self._treatments[FIELDS[owner][name]](value) if value else value
        if isinstance(value, tuple):
            return tuple(self._value(item, owner, name) for item in value)
        return self.noun(value)

    def noun(self, noun: Any) -> Any:
        """Return a noun under pseudonyms, all that it holds included."""
        owner = type(noun)
        changed: dict[str, Any] = {}
        for field in fields(owner):
            value = getattr(noun, field.name)
            if value is not None and value != "" and value != ():
                image = self._value(value, owner, field.name)
                if image is not value:
                    changed[field.name] = image
        return replace(noun, **changed) if changed else noun


def _luns(inventory: Inventory) -> frozenset[str]:
    named = {lun.name for lun in inventory.luns}
    named |= {disk.lun for vm in inventory.vms for disk in vm.disks if disk.lun}
    named |= {extent for store in inventory.datastores for extent in store.extents or ()}
    return frozenset(named)


def anonymised(inventory: Inventory, mask: Mask, report: Report | None = None) -> Inventory:
    """Return the inventory under the pseudonyms of a mask; ``report`` is told of VMs done."""
    mask.know_luns(_luns(inventory))
    nouns = _Nouns(mask)
    vms = []
    for done, vm in enumerate(inventory.vms, 1):
        vms.append(nouns.noun(vm))
        if report and done % _EVERY == 0:
            report(done, len(inventory.vms))
    rest: Inventory = nouns.noun(replace(inventory, vms=(), notes=()))
    return replace(rest, source=SOURCE, vms=tuple(vms), notes=(NOTE,))
