"""Waves of synthetic estates by the solver and by simpler means: waves against the bound, traffic cut, time.

Items are the groups of the ground truth, without its hubs; stages of an application follow each other.
Each plan is made in a process of its own: its peak counts the estate as well.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from planner.synth.estate import Estate
from planner.waves.problem import Caps, Item, Order, Problem, Slot

_MIB = 1024  # ru_maxrss is in KiB
_TIB = 2**40
_WATCHED_DAYS = 30
_PER_OWNER = 4
# VMs and TiB a window takes
_SIZES: dict[int, tuple[int, int]] = {1_000: (50, 8), 10_000: (100, 16), 100_000: (250, 40)}
_SEEDS = (1, 2, 3, 4, 5)


def problem_of(estate: Estate, vms_cap: int, tib_cap: int) -> Problem:
    """Return the wave problem of a synthetic estate, hubs left out."""
    import networkx

    truth = estate.truth
    machines = {vm.id: vm for vm in estate.inventory.vms}
    hubs = set(truth.hubs)
    owners = {vm: app["owner"] for app in truth.applications for vm in app["vms"]}
    home: dict[str, int] = {}
    items = []
    for group in truth.groups:
        members = [vm for vm in group if vm not in hubs]
        if members:
            home |= dict.fromkeys(members, len(items))
            counted = Counter(owners.get(vm, "") for vm in members)
            items.append(
                Item(
                    name=machines[members[0]].name,
                    vms=len(members),
                    size_bytes=sum(machines[vm].used_bytes or 0 for vm in members),
                    owner=min(counted, key=lambda name: (-counted[name], name)),
                )
            )
    traffic: dict[tuple[int, int], float] = defaultdict(float)
    for flow in estate.flows:
        ends = home.get(flow.source.id), home.get(flow.target.id)
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            traffic[min(ends[0], ends[1]), max(ends[0], ends[1])] += flow.bytes / _WATCHED_DAYS
    first_vm = {app["name"]: app["vms"][0] for app in truth.applications}
    stages = {(home[first_vm[first]], home[first_vm[later]]) for first, later in truth.order}
    # Stages that hard ties melt into circles cannot follow each other.
    for circle in networkx.strongly_connected_components(networkx.DiGraph(sorted(stages))):
        stages -= {(a, b) for a, b in stages if a in circle and b in circle}
    caps = Caps(vms=vms_cap, size_bytes=tib_cap * _TIB, items_per_owner=_PER_OWNER)
    windows = 2 * max(
        sum(item.vms for item in items) // vms_cap,
        sum(item.size_bytes for item in items) // (tib_cap * _TIB),
    )
    return Problem(
        items=tuple(items),
        slots=tuple(Slot(None, 8.0, caps, f"window {number + 1}") for number in range(windows + 20)),
        traffic=tuple((a, b, weight) for (a, b), weight in sorted(traffic.items())),
        order=tuple(Order(a, b, 1) for a, b in sorted(stages)),
    )


def _measure(count: int, seed: int) -> dict[str, Any]:
    """Return the figures of each way to make a plan of one estate."""
    from planner.synth.estate import make_estate
    from planner.synth.recipe import Recipe
    from planner.waves.bounds import waves_bound
    from planner.waves.condense import condense
    from planner.waves.fit import first_fit
    from planner.waves.louvain import ahead_first, louvain_order
    from planner.waves.moved import what_if_moved
    from planner.waves.score import by_name, traffic_of
    from planner.waves.solve import solve
    from planner.waves.verify import verify

    problem = problem_of(make_estate(Recipe(vms=count, seed=seed)), *_SIZES[count])
    found: dict[str, Any] = {"items": len(problem.items), "ties": len(problem.traffic)}
    model = condense(problem)
    found["bound"] = waves_bound(model).waves
    caps = problem.slots[0].caps
    weight = [
        max(item.vms / (caps.vms or 1), item.size_bytes / (caps.size_bytes or 1)) for item in problem.items
    ]
    largest = sorted(
        range(len(model.members)), key=lambda block: -sum(weight[at] for at in model.members[block])
    )

    def plain(order: list[int]) -> tuple[int, ...]:
        return model.spread(first_fit(model, ahead_first(model, order))[0].at)

    ways = {
        "name order": lambda: by_name(model),
        "largest first": lambda: plain(largest),
        "Louvain order": lambda: plain(louvain_order(model, 1)),
        "wherry": lambda: solve(problem).assignment,
    }
    for name, way in ways.items():
        begun = time.perf_counter()
        plan = way()
        seconds = time.perf_counter() - begun
        broken = verify(problem, plan)
        if broken:
            raise RuntimeError(f"{name} breaks a rule: {broken[0].text}")
        cut, _, peak = traffic_of(problem, plan, model.days)
        found[name] = {"waves": len(set(plan)), "cut": cut, "peak": peak, "s": seconds}
    edits = []
    for at in range(0, len(problem.items), max(len(problem.items) // 20, 1)):
        begun = time.perf_counter()
        what_if_moved(problem, plan, at, (plan[at] + 1) % len(problem.slots))
        edits.append((time.perf_counter() - begun) * 1_000)
    found["edit_ms"] = max(edits)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
    return found


def _apart(count: int, seed: int) -> dict[str, Any]:
    call = f"_measure({count}, {seed})"
    code = f"import json, sys; from benchmarks.waves import _measure; json.dump({call}, sys.stdout)"
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _rows(count: int, runs: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each seed's figures for the solver, and medians for it and its peers."""
    rows: list[dict[str, Any]] = []
    size = f"{count:,} VMs"
    for seed, run in runs.items():
        own = run["wherry"]
        over = 100 * (own["waves"] / run["bound"] - 1)
        what = f"{size}, seed {seed}, {run['items']:,} groups, {own['waves']} waves against {run['bound']}"
        rows += [
            {"what": f"{what}: above the bound", "value": round(over, 1), "unit": "%"},
            {"what": f"{size}, seed {seed}, traffic cut", "value": round(100 * own["cut"], 1), "unit": "%"},
            {"what": f"{size}, seed {seed}, peak", "value": round(100 * own["peak"], 1), "unit": "%"},
            {"what": f"{size}, seed {seed}, time", "value": round(own["s"], 1), "unit": "s"},
        ]
    for way in ("wherry", "Louvain order", "largest first", "name order"):
        label = way if way == "wherry" else f"first fit by {way}"
        for key, what, scale, digits, unit in (
            ("waves", "waves", 1, 0, "count"),
            ("cut", "traffic cut", 100, 1, "%"),
            ("peak", "peak", 100, 1, "%"),
            ("s", "time", 1, 2, "s"),
        ):
            value = round(statistics.median(run[way][key] for run in runs.values()) * scale, digits)
            rows.append({"what": f"{size}, {label}, median {what}", "value": value, "unit": unit})
    worst = max(run["edit_ms"] for run in runs.values())
    most = max(run["peak_mib"] for run in runs.values())
    return [
        *rows,
        {"what": f"{size}, slowest of 20 edits by hand", "value": round(worst, 1), "unit": "ms"},
        {"what": f"{size}, largest peak of the process", "value": round(most), "unit": "MiB"},
    ]


def run(quick: bool) -> dict[str, Any]:
    """Return figures for seeds 1 to 5 at each size; seeds 1 and 2 of 1,000 VMs when ``quick``."""
    rows: list[dict[str, Any]] = []
    for count in (1_000,) if quick else _SIZES:
        rows += _rows(count, {seed: _apart(count, seed) for seed in (_SEEDS[:2] if quick else _SEEDS)})
    return {"name": "waves", "unit": "s", "rows": rows, "host": facts()}
