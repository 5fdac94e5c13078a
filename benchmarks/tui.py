"""The terminal application: start to the first row, keys, filters while typing, memory; beside a DataTable.

Estates are synthetic; each process runs on a terminal of its own. A wave edit is measured where the
application has the plan of such an estate laid out.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.host import facts
from benchmarks.tui_change import CHANGES, PLACES, VMS_EACH, WAVES, make, measure, spread
from benchmarks.tui_live import LANES, UPDATES
from benchmarks.tui_start import Started, finished, settled, started

_SEED = 7
_ALONE = ["-m", "benchmarks.tui_peer"]
Row = dict[str, Any]


def _project(root: Path, count: int) -> str:
    """Make a project of a synthetic estate; return the name in its third row."""
    from planner.store import inventories
    from planner.store.project import Project
    from planner.synth.estate import make_estate
    from planner.synth.recipe import Recipe

    with Project.create(root, "bench") as project:
        inventory = make_estate(Recipe(vms=count, seed=_SEED)).inventory
        inventories.save(project, inventory)
    return inventory.vms[2].name


def _app(root: Path) -> list[str]:
    return ["-m", "tui.cli.entry", "ui", "--project", str(root), "--place", "inventory"]


def _starts(root: Path, row: str, times: int) -> list[Row]:
    """Return the time to the first row of wherry, the peer and Textual alone, in turn."""
    with sqlite3.connect(root / "project.db") as store:
        (count,) = store.execute("SELECT count(*) FROM inventory_vm").fetchone()
    spent: dict[str, list[Started]] = {"wherry": [], "DataTable": [], "Textual alone": []}
    for at in range(times):
        spent["wherry"].append(started(_app(root), row))
        spent["Textual alone"].append(started(_ALONE, "the first row"))
        if at < 3:  # it takes long, and by much
            spent["DataTable"].append(started([*_ALONE, str(root / "project.db")], row))
    peer = median(each.cpu_s for each in spent["DataTable"])
    found = []
    for what, all_ in spent.items():
        cpu_s = median(each.cpu_s for each in all_)
        about = f"start to the first of {count:,} rows, {what}" if what != "Textual alone" else what
        ratio = {} if what == "DataTable" else {"time_ratio_to DataTable": round(cpu_s / peer, 2)}
        wall_s = median(each.wall_s for each in all_)
        found += [
            {"what": f"{about}, processor time", "value": round(cpu_s, 2), "unit": "s", **ratio},
            {"what": f"{about}, wall clock", "value": round(wall_s, 2), "unit": "s"},
        ]
    return found


def _inside(folder: Path, what: str, given: str) -> dict[str, list[float]]:
    out = folder / f"{what}.json"
    out.unlink(missing_ok=True)
    finished(["-m", "benchmarks.tui_keys", what, str(out), given])
    if not out.exists():
        raise RuntimeError(f"python -m benchmarks.tui_keys {what} OUT {given}: it wrote nothing")
    found: dict[str, list[float]] = json.loads(out.read_text())
    return found


def _cost(what: str, spent: list[float], peer: list[float] | None = None) -> list[Row]:
    ratio = {"time_ratio_to DataTable": round(median(spent) / median(peer), 2)} if peer else {}
    if len(spent) == 1:
        return [{"what": what, "value": round(spent[0], 1), "unit": "ms", **ratio}]
    return [
        {"what": f"{what}, median of {len(spent)}", "value": round(median(spent), 1), "unit": "ms", **ratio},
        {"what": f"{what}, most", "value": round(max(spent), 1), "unit": "ms"},
    ]


def _table(folder: Path, count: int, peer_count: int) -> list[Row]:
    ours, theirs = _inside(folder, "table", str(count)), _inside(folder, "peer", str(peer_count))
    table, peer = f"the table with {count:,} rows", f"a DataTable with {peer_count:,} rows"
    return [
        *_cost(f"{table}, first paint", ours["first"], theirs["first"]),
        *_cost(f"{table}, a key to its paint", ours["keys"], theirs["keys"]),
        *_cost(f"{peer}, first paint", theirs["first"]),
        *_cost(f"{peer}, a key to its paint", theirs["keys"]),
        *_cost(f"{peer}, filled anew with a quarter of them", theirs["filter"]),
    ]


def _inventory(folder: Path, root: Path, count: int) -> list[Row]:
    spent = _inside(folder, "inventory", str(root))
    keys = _cost(f"Inventory of {count:,} VMs, a key to its paint, detail and all", spent.pop("keys"))
    typed = [_cost(f"filter of {count:,} VMs while typing, {what}", each) for what, each in spent.items()]
    return [*keys, *(row for rows in typed for row in rows)]


def _waves(folder: Path, count: int) -> list[Row]:
    """Return what groups moved by a key cost, on a plan of an estate with its dependencies."""
    from planner.settings import Caps, Settings
    from planner.store import settings
    from planner.store.project import Project

    root = folder / f"planned-{count}"
    _project(root, count)
    with Project.open(root) as project:
        settings.save(project, Settings(caps=Caps(vms=100, tib=16.0, groups_per_owner=4)), "bench")
    entry = [sys.executable, "-m", "tui.cli.entry", "plan", "--effort", "quick", "--project", str(root)]
    subprocess.run(entry, check=True, capture_output=True)
    spent = _inside(folder, "waves", str(root))
    title = f"Waves of {count:,} VMs, a group moved by a key, to its score on the screen"
    if len(spent["edits"]) < 2:
        raise RuntimeError(f"no group of {count:,} VMs found room in another wave")
    second, last = round(spent["edits"][1], 1), round(spent["edits"][-1], 1)
    return [
        {"what": f"{title}, the 2nd edit", "value": second, "unit": "ms"},
        {"what": f"{title}, the {len(spent['edits'])}th in a row", "value": last, "unit": "ms"},
        *_cost(f"{title}, wall clock", spent["edits"]),
        *_cost(f"{title}, processor time of both processes", spent["edits, processor time"]),
        *(_cost(f"{title}, refused with fixes, wall clock", spent["refused"]) if spent["refused"] else []),
    ]


def _live(folder: Path) -> list[Row]:
    """Return what live lanes cost, refreshed four times a second, and the memory after many updates."""
    out = folder / "live.json"
    finished(["-m", "benchmarks.tui_live", str(out), str(folder / "live")])
    found = json.loads(out.read_text())
    early, late = found["memory_mib"]
    about = f"{LANES} live lanes"
    return [
        {
            "what": f"{about}, four refreshes a second, of a core",
            "value": round(found["share"][0], 1),
            "unit": "%",
        },
        {"what": f"{about}, refreshes a second seen", "value": round(found["rate"][0], 1), "unit": "1/s"},
        *_cost(f"{about}, an update, processor time", found["update_ms"]),
        {"what": f"{about}, memory after {UPDATES // 10:,} updates", "value": round(early), "unit": "MiB"},
        {"what": f"{about}, memory after {UPDATES:,} updates", "value": round(late), "unit": "MiB"},
    ]


def _changes(folder: Path, changes: int) -> list[Row]:
    """Return what passes from a change in a run until it is drawn, with a thousand VMs in runs at gates."""
    root = folder / "changes"
    make(root)
    rows: list[Row] = []
    for place in PLACES:
        p50, p95, most = spread(measure(root, place, changes))
        about = f"{WAVES * VMS_EACH:,} VMs at gates, a change in a run until {place.title()} drew it"
        for what, value in (("median", p50), ("95th percentile", p95), ("most", most)):
            rows.append({"what": f"{about}, {what} of {changes}", "value": round(value), "unit": "ms"})
    return rows


def run(quick: bool) -> dict[str, Any]:
    """Return seconds, milliseconds and MiB; a tenth of the size when ``quick``."""
    small, large, many, peers = (1_000, 10_000, 100_000, 1_000) if quick else (
        10_000, 100_000, 1_000_000, 10_000
    )  # fmt: skip
    rows: list[Row] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for count in (small, large):
            root = folder / f"of-{count}"
            row = _project(root, count)
            memory = settled(_app(root), row)
            rows += _starts(root, row, 7 if count == small else 3)
            rows += _inventory(folder, root, count)
            rows += [
                {"what": f"memory of the application, Inventory of {count:,} VMs open",
                 "value": round(memory.own_mib), "unit": "MiB"},
                {"what": f"most of its children, which read and check {count:,} VMs",
                 "value": round(memory.children_mib), "unit": "MiB"},
            ]  # fmt: skip
        rows += _waves(folder, small)
        rows += _live(folder)
        rows += _changes(folder, CHANGES // 10 if quick else CHANGES)
        rows += _table(folder, many, peers)
    return {"name": "tui", "unit": "ms", "rows": rows, "host": facts()}
