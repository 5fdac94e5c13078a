"""Edits by hand at 10,000 VMs: each validated and re-scored on a plan that is laid out; then the new plan.

The estate is synthetic, with the dependencies its recipe gives it. There is no peer: nothing asks the same.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.host import facts
from planner.errors import BadInput
from planner.groups import move_groups
from planner.model import Inventory
from planner.planning import ask_for, make_plan
from planner.settings import Caps, Settings
from planner.synth.estate import make_estate
from planner.synth.recipe import Recipe
from planner.waves.arrange import Draw
from planner.waves.desk import Desk
from planner.waves.draft import Draft
from planner.waves.rows import changed_slots, rows
from planner.waves.verdict import Verdict

_AT = "2026-01-01T00:00:00Z"


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = act()
    return time.perf_counter() - begun, found


def _spent(acts: list[Callable[[], Verdict]]) -> tuple[list[float], Verdict | None]:
    """Return the milliseconds of each act, and one verdict that refuses nothing."""
    spent, good = [], None
    for act in acts:
        begun = time.perf_counter()
        try:
            verdict = act()
        except BadInput:
            continue  # there already
        spent.append(1000 * (time.perf_counter() - begun))
        if not verdict.refused:
            good = verdict
    return spent, good


def _in_a_row(desk: Desk, inventory: Inventory, settings: Settings, tries: int) -> list[float]:
    """Return the milliseconds of accepted moves, each on the plan as those before left it, rows included."""
    draft = Draft(desk, move_groups(inventory, settings), (), 1)
    draw, groups = random.Random(2), list(desk.ask.everyone)
    slots = sorted(set(desk.tracks[0].assignment))
    spent: list[float] = []
    while len(spent) < tries:
        group = draw.choice(groups)
        slot = draw.choice(slots)
        begun = time.perf_counter()
        try:
            verdict = draft.desk.shift([(group, slot)])
        except BadInput:
            continue
        if verdict.refused:
            continue
        before = draft.desk
        draft.take(verdict)
        rows(draft.desk, changed_slots(before, draft.desk))
        spent.append(1000 * (time.perf_counter() - begun))
    return spent


def run(quick: bool) -> dict[str, Any]:
    """Return milliseconds of each kind of edit (median and most), seconds of what stands around them."""
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
                {"what": f"{what}, {figure} of {len(spent)}", "value": round(value, 1), "unit": "ms"}
            )
    table.append({"what": f"laying out a plan of {count:,} VMs", "value": round(opening, 2), "unit": "s"})
    last = max(whole, key=lambda group: standing[group.vms[0]])
    asking, found = _timed(lambda: desk.why(last.vms[0]))
    table.append({"what": f"why not in one of {len(found.tried)} earlier waves", "value": round(asking, 2),
                 "unit": "s"})  # fmt: skip
    chain = _in_a_row(desk, inventory, settings, 20)
    for figure, value in (("2nd", chain[1]), ("20th", chain[19]), ("median", statistics.median(chain))):
        title = f"a move taken over, {figure} of {len(chain)} in a row, with the rows of its waves"
        table.append({"what": title, "value": round(value, 1), "unit": "ms"})
    if good is not None:
        verdict = good
        making, _ = _timed(
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
        table.append(
            {"what": "the whole plan document after an edit", "value": round(making, 2), "unit": "s"}
        )
    return {"name": "edits", "unit": "ms", "rows": table, "host": facts()}
