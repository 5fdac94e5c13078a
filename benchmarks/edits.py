"""Edits by hand at 10,000 VMs: each validated and re-scored on a plan that is laid out; then the new plan.

The estate is synthetic, with the dependencies its recipe gives it. There is no peer: nothing asks the same.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.host import facts
from planner.errors import BadInput
from planner.ground import ground_of
from planner.groups import move_groups
from planner.model import Inventory
from planner.plan import Plan
from planner.planning import ask_for, make_plan
from planner.settings import Caps, Settings
from planner.store import edits as edits_store
from planner.store import plans
from planner.store.project import Project
from planner.synth.estate import make_estate
from planner.synth.recipe import Recipe
from planner.waves.arrange import Draw
from planner.waves.desk import Desk
from planner.waves.draft import Draft
from planner.waves.pins import wave_name
from planner.waves.rows import changed_slots, rows
from planner.waves.verdict import Verdict

_AT = "2026-01-01T00:00:00Z"


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor seconds of an act, and what it returns."""
    begun = time.process_time()
    found = act()
    return time.process_time() - begun, found


def _spent(acts: list[Callable[[], Verdict]]) -> tuple[list[float], Verdict | None]:
    """Return the processor milliseconds of each act, and one verdict that refuses nothing."""
    spent, good = [], None
    for act in acts:
        begun = time.process_time()
        try:
            verdict = act()
        except BadInput:
            continue  # there already
        spent.append(1000 * (time.process_time() - begun))
        if not verdict.refused:
            good = verdict
    return spent, good


def _in_a_row(desk: Desk, inventory: Inventory, settings: Settings, tries: int) -> list[float]:
    """Return CPU milliseconds of accepted moves, each on the plan as those before left it, rows included."""
    draft = Draft(desk, move_groups(inventory, settings), (), 1)
    draw, groups = random.Random(2), list(desk.ask.everyone)
    slots = sorted(set(desk.tracks[0].assignment))
    spent: list[float] = []
    while len(spent) < tries:
        group = draw.choice(groups)
        slot = draw.choice(slots)
        begun = time.process_time()
        try:
            verdict = draft.desk.shift([(group, slot)])
        except BadInput:
            continue
        if verdict.refused:
            continue
        before = draft.desk
        draft.take(verdict)
        rows(draft.desk, changed_slots(before, draft.desk))
        spent.append(1000 * (time.process_time() - begun))
    return spent


def _in_place(desk: Desk, inventory: Inventory, settings: Settings) -> list[dict[str, Any]]:
    """Return rows for a lock, a split, a merge, a refused move and steps back: processor milliseconds."""
    draft = Draft(desk, move_groups(inventory, settings), (), 1)
    draw = random.Random(3)
    groups = [group for group in desk.ask.everyone if not group.shared_services]
    shared = [found for found in desk.tracks[0].built.members if len(found) > 1]

    def split() -> Verdict:
        group = draw.choice(draw.choice(shared))
        whole = desk.ask.lookup.vms[group.vms[0]].application
        return draft.desk.split(whole, group.vms)

    tries: dict[str, Callable[[], Verdict]] = {
        "a wave locked": lambda: draft.desk.lock(wave_name(desk.slot(draw.choice(groups)))),
        "a group split off its application": split,
        "two groups merged, laid out anew where others are touched": lambda: draft.desk.merge(
            draw.choice(groups).vms[0], draw.choice(groups).vms[0]
        ),
    }
    table: list[dict[str, Any]] = []
    for what, judge in tries.items():
        spent: list[float] = []
        for _ in range(2_000):
            begun = time.process_time()
            try:
                verdict = judge()
                if verdict.refused:
                    continue
                draft.take(verdict)
            except BadInput:
                continue
            spent.append(1000 * (time.process_time() - begun))
            if len(spent) == 5:
                break
        if spent:
            title = f"{what}, taken over, median of {len(spent)}"
            table.append({"what": title, "value": round(statistics.median(spent), 1), "unit": "ms CPU"})
    steps = len(draft.steps)
    for what, act in (("undone", draft.undo), ("done again", draft.redo)):
        begun = time.process_time()
        for _ in range(steps):
            act()
        value = round(1000 * (time.process_time() - begun) / max(steps, 1), 3)
        table.append({"what": f"an edit {what}, mean of {steps}", "value": value, "unit": "ms CPU"})
    return table


def _refused(desk: Desk) -> dict[str, Any]:
    """Return the row of moves that are refused: processor milliseconds."""
    draw, groups = random.Random(4), list(desk.ask.everyone)
    slots = sorted(set(desk.tracks[0].assignment))
    spent: list[float] = []
    for _ in range(200):
        begun = time.process_time()
        try:
            verdict = desk.shift([(draw.choice(groups), draw.choice(slots))])
        except BadInput:
            continue
        if verdict.refused:
            spent.append(1000 * (time.process_time() - begun))
    value = round(statistics.median(spent), 1) if spent else 0.0
    return {"what": f"a move refused, median of {len(spent)}", "value": value, "unit": "ms CPU"}


def _stored(before: Plan, after: Plan, verdict: Verdict) -> float:
    """Return the processor seconds of storing an edit with the plan it led to."""
    with TemporaryDirectory() as folder, Project.create(Path(folder) / "bench") as project:
        stored = plans.save(project, before, "bench")
        numbered = edits_store.numbered(project, (verdict.edit,), "bench")
        spent_s, _ = _timed(lambda: edits_store.add(project, numbered, stored, after))
    return spent_s


def run(quick: bool) -> dict[str, Any]:
    """Return CPU milliseconds of each kind of edit (median and most), seconds of what stands around them."""
    count, tries = (1_000, 20) if quick else (10_000, 200)
    inventory = make_estate(Recipe(vms=count, seed=1)).inventory
    settings = Settings(caps=Caps(vms=100, tib=16.0, groups_per_owner=4))
    asked: dict[str, Any] = {"inventory": inventory, "settings": settings}
    plan = make_plan(
        project="bench",
        inventory_fingerprint="0" * 64,
        created_at=_AT,
        draw=Draw(effort="quick"),
        **asked,
    )
    standing = {vm.id: int(wave.name[1:]) - 1 for wave in plan.waves for vm in wave.vms}
    gathering, ground = _timed(lambda: ground_of(inventory, settings))
    asked["ground"] = ground
    opening, desk = _timed(lambda: Desk(ask_for(last=plan, standing=standing, **asked)))
    draw = random.Random(1)
    items = list(desk.tracks[0].built.members)
    waves = sorted({wave.name for wave in plan.waves})

    def moves(groups: list[Any]) -> list[Callable[[], Verdict]]:
        drawn = [(draw.choice(groups).vms[0], draw.choice(waves)) for _ in range(tries)]
        return [lambda vm=vm, wave=wave: desk.move(vm, wave) for vm, wave in drawn]  # type: ignore[misc]

    whole = [found[0] for found in items if len(found) == 1]
    parts = [found[0] for found in items if len(found) > 1]
    pairs = [(draw.choice(whole).vms[0], draw.choice(whole).vms[0]) for _ in range(tries)]
    kinds: dict[str, list[Callable[[], Verdict]]] = {
        "a group moved": moves(whole),
        "a group moved out of its application": moves(parts),
        "two groups merged": [lambda a=a, b=b: desk.merge(a, b) for a, b in pairs],  # type: ignore[misc]
    }
    table: list[dict[str, Any]] = []
    good: Verdict | None = None
    for what, acts in kinds.items():
        spent, verdict = _spent(acts)
        good = good or verdict
        for figure, value in (("median", statistics.median(spent)), ("most", max(spent))):
            table.append(
                {"what": f"{what}, {figure} of {len(spent)}", "value": round(value, 1), "unit": "ms CPU"}
            )
    for what, spent_s in (
        ("its groups, disks and findings gathered", gathering),
        ("laid out on them", opening),
    ):
        table.append(
            {"what": f"a plan of {count:,} VMs: {what}", "value": round(spent_s, 2), "unit": "s CPU"}
        )
    last = max(whole, key=lambda group: standing[group.vms[0]])
    asking, found = _timed(lambda: desk.why(last.vms[0]))
    table.append({"what": f"why not in one of {len(found.tried)} earlier waves", "value": round(asking, 2),
                 "unit": "s CPU"})  # fmt: skip
    chain = _in_a_row(desk, inventory, settings, 20)
    for figure, value in (
        ("first", chain[0]),
        ("2nd", chain[1]),
        ("20th", chain[19]),
        ("median", statistics.median(chain)),
    ):
        title = f"a move taken over, {figure} of {len(chain)} in a row, with the rows of its waves"
        table.append({"what": title, "value": round(value, 1), "unit": "ms CPU"})
    table += [_refused(desk), *_in_place(desk, inventory, settings)]
    if good is not None:
        verdict = good
        assert plan.fingerprint  # as of a plan that was read: its fingerprint was compared then
        making, made = _timed(
            lambda: make_plan(
                project="bench",
                inventory_fingerprint="0" * 64,
                created_at=_AT,
                last=plan,
                edits=(verdict.edit,),
                standing=verdict.standing,
                **asked,
            )
        )
        storing = _stored(plan, made, verdict)
        for what, spent_s in (
            ("the whole plan document after an edit", making),
            ("the same stored with its edit, on the plan before", storing),
            ("saving an edit, both together", making + storing),
        ):
            table.append({"what": what, "value": round(spent_s, 2), "unit": "s CPU"})
    return {"name": "edits", "unit": "ms", "rows": table, "host": facts()}
