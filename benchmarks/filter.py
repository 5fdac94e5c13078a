"""Filters over 100,000 synthetic VMs: columns that are loaded, and the same by comprehension over tuples.

Processor time of one process. The peer holds the fields of each VM in a plain tuple, casefolded
beforehand, and is written by hand for each filter: what somebody would do who knows it in advance.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.host import facts

_SEED = 7
_TIMES = 15
_LIMIT = 100 * 2**30

Row = tuple[str, str, int | None, str]  # name, operating system, disk, power
Peer = Callable[[list[Row]], list[int]]
_WEB = re.compile("web", re.IGNORECASE)

FILTERS: dict[str, tuple[str, dict[str, Peer]]] = {
    "a bare word": (
        "web",
        {
            "comprehension": lambda rows: [at for at, row in enumerate(rows) if "web" in row[0]],
            "re": lambda rows: [at for at, row in enumerate(rows) if _WEB.search(row[0])],
        },
    ),
    "one field": (
        "disk>100G",
        {
            "comprehension": lambda rows: [
                at for at, row in enumerate(rows) if row[2] is not None and row[2] > _LIMIT
            ]
        },
    ),
    "three terms": (
        "os~win disk>100G -power:off",
        {
            "comprehension": lambda rows: [
                at
                for at, row in enumerate(rows)
                if "win" in row[1] and row[2] is not None and row[2] > _LIMIT and row[3] != "off"
            ]
        },
    ),
}


def _cost_ms(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return the median processor time of an act in milliseconds, and what it gave."""
    spent = []
    for _ in range(_TIMES):
        begun = time.process_time()
        found = act()
        spent.append((time.process_time() - begun) * 1000)
    return median(spent), found


def run(quick: bool) -> dict[str, Any]:
    """Return milliseconds for each filter and its peer; 10,000 VMs when ``quick``."""
    from planner.fields import FIELDS, TABLE_WORDS, Seen
    from planner.query import parse
    from planner.store import columns, inventories
    from planner.store.project import Project
    from planner.synth.estate import make_estate
    from planner.synth.recipe import Recipe

    count = 10_000 if quick else 100_000
    inventory = make_estate(Recipe(vms=count, seed=_SEED)).inventory
    seen = Seen.of(inventory)
    powers = [FIELDS["power"].read(vm, seen) for vm in inventory.vms]
    plain: list[Row] = [
        (
            vm.name.casefold(),
            vm.guest_os.casefold(),
            None if seen.lacks(vm, "disks") else vm.disk_bytes,
            next(iter(power), "") if isinstance(power, frozenset) else "",
        )
        for vm, power in zip(inventory.vms, powers, strict=True)
    ]
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as folder, Project.create(Path(folder) / "move") as project:
        number = inventories.save(project, inventory).id
        begun = time.process_time()
        columns.build(project, number)
        built_s = time.process_time() - begun
        (size,) = project.rows("SELECT sum(length(body)) FROM inventory_column")[0]
        for what, (text, peers) in FILTERS.items():
            wanted = parse(text, TABLE_WORDS)
            begun = time.process_time()
            loaded = columns.load(project, number, wanted.needs())
            loaded_ms = (time.process_time() - begun) * 1000
            begun = time.process_time()
            first = wanted.rows(loaded, count)
            first_ms = (time.process_time() - begun) * 1000
            spent, found = _cost_ms(lambda wanted=wanted, loaded=loaded: wanted.rows(loaded, count))
            ratios = {}
            for name, peer in peers.items():
                peer_spent, peer_found = _cost_ms(lambda peer=peer: peer(plain))
                if not found == peer_found == first:
                    raise AssertionError(f"{what}: {name} chose {len(peer_found)}, wherry {len(found)}")
                ratios[f"time_ratio_to {name}"] = round(spent / peer_spent, 2)
            about = f"{what} ({text}), {len(found):,} of {count:,} VMs match"
            rows += [
                {"what": about, "value": round(spent, 1), "unit": "ms", **ratios},
                {"what": f"{what}, the first time", "value": round(first_ms, 1), "unit": "ms"},
                {"what": f"{what}, loading its columns", "value": round(loaded_ms, 1), "unit": "ms"},
            ]
    rows += [
        {"what": f"making all columns of {count:,} VMs", "value": round(built_s, 1), "unit": "s"},
        {"what": "all columns in the project", "value": round(size / 2**20, 1), "unit": "MiB"},
    ]
    return {"name": "filter", "unit": "ms", "rows": rows, "host": facts()}
