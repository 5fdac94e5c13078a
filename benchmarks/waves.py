"""Waves of synthetic estates by the solver and by simpler means: waves against the bound, traffic cut, time.

Items are the groups of the ground truth, without its hubs; stages of an application follow each other.
Each plan is made in a process of its own: its peak counts the estate as well. What a seed showed is kept
in ``docs/benchmarks.waves.jsonl`` as soon as it is measured; the last of each size and seed counts.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from planner.synth.estate import Estate
from planner.waves.problem import Assignment, Caps, Item, Order, Problem, Slot

_MIB = 1024  # ru_maxrss is in KiB
_TIB = 2**40
_WATCHED_DAYS = 30
_PER_OWNER = 4
# VMs and TiB a window takes
_SIZES: dict[int, tuple[int, int]] = {1_000: (50, 8), 10_000: (100, 16), 100_000: (250, 40)}
_SEEDS = (1, 2, 3, 4, 5)
_ROOT = Path(__file__).resolve().parents[1]
_KEPT = _ROOT / "docs" / "benchmarks.waves.jsonl"
_WAYS = ("wherry", "Louvain order", "largest first", "name order")
_FIGURES = (
    # key, words, scale, digits, unit
    ("waves", "waves", 1, 0, "count"),
    ("over", "waves above the bound", 100, 1, "%"),
    ("cut", "traffic cut", 100, 1, "%"),
    ("peak", "peak", 100, 1, "%"),
    ("s", "time", 1, 2, "s"),
    ("cpu_s", "processor time", 1, 2, "s"),
    ("peak_mib", "peak memory", 1, 0, "MiB"),
)


def problem_of(estate: Estate, vms_cap: int, tib_cap: int) -> Problem:
    """Return the wave problem of a synthetic estate, hubs left out."""
    import networkx

    truth = estate.truth
    machines = {vm.id: vm for vm in estate.inventory.vms}
    hubs = set(truth.hubs)
    owners = {vm: app["owner"] for app in truth.applications for vm in app["vms"]}
    home: dict[str, int] = {}
    items: list[Item] = []
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


def _alone(way: Callable[[], Assignment]) -> tuple[Assignment, dict[str, float]]:
    """Return what ``way`` returns in a child of this process, and its seconds and peak memory."""
    context = multiprocessing.get_context("fork")  # the child has the problem already
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_act, args=(way, theirs))
    child.start()
    theirs.close()
    plan, spent = ours.recv()
    child.join()
    return tuple(plan), spent


def _act(way: Callable[[], Assignment], answer: Any) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    plan = way()
    spent = {
        "s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - processor,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB,
    }
    answer.send((plan, spent))


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

    def plain(order: list[int]) -> Assignment:
        return model.spread(first_fit(model, ahead_first(model, order))[0].at)

    ways: dict[str, Callable[[], Assignment]] = {
        "name order": lambda: by_name(model),
        "largest first": lambda: plain(largest),
        "Louvain order": lambda: plain(louvain_order(model, 1)),
        "wherry": lambda: solve(problem).assignment,
    }
    for name, way in ways.items():
        plan, spent = _alone(way)
        broken = verify(problem, plan)
        if broken:
            raise RuntimeError(f"{name} breaks a rule: {broken[0].text}")
        cut, _, peak = traffic_of(problem, plan, model.days)
        waves = len(set(plan))
        found[name] = {"waves": waves, "over": waves / found["bound"] - 1, "cut": cut, "peak": peak, **spent}
    edits = []
    for at in range(0, len(problem.items), max(len(problem.items) // 20, 1)):
        begun = time.perf_counter()
        what_if_moved(problem, plan, at, (plan[at] + 1) % len(problem.slots))
        edits.append((time.perf_counter() - begun) * 1_000)
    found["edit_ms"] = max(edits)
    return found


def _apart(count: int, seed: int) -> dict[str, Any]:
    call = f"_measure({count}, {seed})"
    code = f"import json, sys; from benchmarks.waves import _measure; json.dump({call}, sys.stdout)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {"vms": count, "seed": seed, **found, "host": facts()}


def _keep(run: dict[str, Any], path: Path) -> None:
    """Append what a seed showed, durably, before the next is measured."""
    torn = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if torn else "") + json.dumps(run) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _known(path: Path) -> dict[tuple[int, int], dict[str, Any]]:
    """Return (VMs, seed) → what was measured last; a line that a kill left torn is none."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            run = json.loads(line)
            found[run["vms"], run["seed"]] = run
        except ValueError:
            print(f"a torn line of {path.name} is left out", file=sys.stderr)
    return found


def _rows(count: int, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return medians for the solver and its peers, every seed beside them."""
    rows: list[dict[str, Any]] = []
    size = f"{count:,} VMs"
    numbers = ", ".join(str(run["seed"]) for run in runs)
    seeds = f"seeds {numbers}" if len(runs) > 1 else f"seed {numbers}"

    def row(what: str, values: list[float], digits: int, unit: str) -> None:
        shown = [round(value, digits) if digits else round(value) for value in values]
        middle = statistics.median(values)
        rows.append(
            {
                "what": f"{size}, {what} ({seeds}: {'; '.join(f'{value:,}' for value in shown)})",
                "value": round(middle, digits) if digits else round(middle),
                "unit": unit,
            }
        )

    row("groups", [run["items"] for run in runs], 0, "count")
    row("bound", [run["bound"] for run in runs], 0, "waves")
    for way in _WAYS:
        label = way if way == "wherry" else f"first fit by {way}"
        for key, what, scale, digits, unit in _FIGURES:
            row(f"{label}, {what}", [run[way][key] * scale for run in runs], digits, unit)
    row("slowest of 20 edits by hand", [run["edit_ms"] for run in runs], 1, "ms")
    return rows


def _chosen(said: str, known: Collection[int], what: str) -> list[int]:
    """Return the numbers of a list like ``1,2``, all when nothing is said; raises ValueError."""
    numbers = (
        [int(part) if part.strip().isdecimal() else -1 for part in said.split(",")] if said else [*known]
    )
    if not set(numbers) <= set(known):
        raise ValueError(f"{what} {said} is none of {', '.join(map(str, known))}")
    return numbers


def run(quick: bool, sizes: str = "", seeds: str = "", resume: str = "") -> dict[str, Any]:
    """Return figures of all that was measured; when ``quick`` of seeds 1 and 2 of 1,000 VMs, kept nowhere.

    ``sizes`` and ``seeds`` narrow what is measured now; with ``resume`` what is kept is not measured again.
    """
    counts = _chosen(sizes or ("1000" if quick else ""), _SIZES, "size")
    draws = _chosen(seeds or ("1,2" if quick else ""), _SEEDS, "seed")
    kept = {} if quick else _known(_KEPT)
    for count in counts:
        for seed in draws:
            if resume and (count, seed) in kept:
                continue
            found = _apart(count, seed)
            kept[count, seed] = found
            if not quick:
                _keep(found, _KEPT)
            own = found["wherry"]
            print(
                f"{count:,} VMs, seed {seed}: {own['waves']} waves against {found['bound']}, "
                f"cut {own['cut']:.1%}, peak {own['peak']:.1%}, {own['s']:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    rows: list[dict[str, Any]] = []
    for count in sorted({count for count, _ in kept}):
        rows += _rows(count, [kept[key] for key in sorted(kept) if key[0] == count])
    hosts = [found["host"] for found in kept.values()]
    return {
        "name": "waves",
        "unit": "s",
        "rows": rows,
        "host": max(hosts, key=lambda host: str(host["date"])),
    }
