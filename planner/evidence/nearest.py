"""The nearest VM name for names that match none: a proposal for a person, never a decision."""

from __future__ import annotations

from collections.abc import Iterable

from planner.evidence.addresses import address_of
from planner.evidence.resolve import host_name
from planner.model import Inventory

_ALIKE = 72  # of 100; below this two host names share little more than the site's prefix


def _compared(name: str) -> str:
    return host_name(name) or name.casefold()


def nearest_names(names: Iterable[str], inventory: Inventory) -> dict[str, str]:
    """Return for each name that is like a VM's name the nearest one, as the inventory spells it.

    Host names are compared without domain and case, by the share of letters two names have in common
    in order (normalised indel similarity).
    """
    from rapidfuzz import fuzz, process

    spelled = {_compared(vm.name): vm.name for vm in reversed(inventory.vms)}
    choices = list(spelled)
    found: dict[str, str] = {}
    for name in names:
        if not name or address_of(name):
            continue
        match = process.extractOne(_compared(name), choices, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        if match is not None:
            found[name] = spelled[match[0]]
    return found
