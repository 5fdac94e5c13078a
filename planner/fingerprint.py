"""The fingerprint of an inventory: equal content gives the same one, whenever it was taken.

It covers the digests of all VMs in order and of everything else but the time. Fields at their
default are left out of those, so that a field added to the model later does not change the
fingerprints of inventories that say nothing about it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from planner.codec import digest, encode
from planner.model import Inventory

# What an inventory holds besides its VMs and its head: stored and hashed as one body each.
PARTS = tuple(field.name for field in fields(Inventory) if field.name not in {"source", "taken_at", "vms"})


def part_shape(name: str) -> Any:
    """Return the type of a part, as ``encode`` and ``decode`` want it."""
    from typing import get_type_hints

    import planner.model.estate

    return get_type_hints(Inventory, vars(planner.model.estate))[name]


def encoded_parts(inventory: Inventory) -> dict[str, bytes]:
    """Return the bodies of the parts that hold anything, by name."""
    return {name: encode(value, part_shape(name)) for name in PARTS if (value := getattr(inventory, name))}


def fingerprint_of(source: str, vms: Iterable[str], parts: dict[str, str]) -> str:
    """Return the fingerprint of digests: of each VM in order, and of each part by name."""
    body = {"source": source, "vms": list(vms), "parts": parts}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def inventory_fingerprint(inventory: Inventory) -> str:
    """Return the SHA-256 over the whole content but ``taken_at``: 64 hexadecimal digits."""
    return fingerprint_of(
        inventory.source,
        (digest(encode(vm)) for vm in inventory.vms),
        {name: digest(body) for name, body in encoded_parts(inventory).items()},
    )
