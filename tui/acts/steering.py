"""Steering runs: pause, go on, bring up to date. An order is placed with the engine; nobody is waited for.

The verbs of the command line and the screens do it by these functions alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.run.execute import Purpose
    from migrate.run.history import History
    from migrate.run.orders import Order
    from migrate.run.store import Run
    from planner.store.project import Project

ALONE = "WHERRY_IN_PROCESS"
_AGREED = ("only", "with_outage")  # options of remedies in which another order is another wish
Say = Callable[[str], None]


def pause(project: Project, wave: str) -> tuple[str, bool]:
    """Ask whoever drives a wave to stop at the next edge; return its name, and whether it waited for its go.

    A wave that waits is not brought up to date any more. Raises Blocked when there is nothing to pause.
    """
    from migrate.run import controls, cycles
    from migrate.run import store as runs
    from migrate.run.waves import find_wave
    from planner.errors import Blocked

    found = find_wave(project, wave)
    name = found.wave.name
    waits = found.history is not None and cycles.waits_for_go(found.history)
    if not waits and not runs.is_held(project, name):
        raise Blocked(f"no process drives {name}, so there is nothing to pause", "see 'wherry status'")
    controls.ask_to_pause(project, name)
    return name, waits


def opened(project: Project, wave: str) -> tuple[Run, History]:
    """Return the run of a wave that is under way, of its remedies when it has none itself; raises Blocked."""
    from migrate.gates.seeing import under_way
    from migrate.run.waves import find_wave, remedies_under_way

    return remedies_under_way(project, find_wave(project, wave).wave.name) or under_way(project, wave)


def way_on(project: Project, wave: str) -> tuple[str, Purpose]:
    """Return a wave's name and the verb that goes on with its run; raises Blocked also for remedies."""
    from migrate.run.resuming import goes_on
    from migrate.run.store import RunKind
    from planner.errors import Blocked

    run, history = opened(project, wave)
    if run.kind is RunKind.REMEDY:
        raise Blocked(
            f"what is under way of {run.wave} are its remedies, and outages are agreed to in their verb",
            f"go on with '{how_on(project, run)}'",
        )
    return run.wave, goes_on(project, run, history)


def how_on(project: Project, run: Run) -> str:
    """Return the command that goes on with a run; that of remedies is where outages are agreed to."""
    from migrate.run.store import RunKind
    from migrate.run.waves import half_remedied

    own = half_remedied(project, run.wave) if run.kind is RunKind.REMEDY else ""
    return own or f"wherry run resume {run.wave} --live"


def order_purpose(
    project: Project,
    wave: str,
    purpose: Purpose,
    say: Say,
    seed_from: Path | None = None,
    ticket: str = "",
) -> Order:
    """Have the engine carry a wave on; raises what it would refuse, before anything is started."""
    from migrate.run.execute import check_approved, intend

    intended = intend(project, wave, purpose, seed_from)
    if intended.run is None and intended.home is None:
        check_approved(project, intended)
    options = {
        "uid": os.getuid(),
        "ticket": ticket,
        "seed_from": str(seed_from.resolve()) if seed_from else "",
    }
    return order(project, wave, purpose.value, options, say)


def order(project: Project, wave: str, purpose: str, options: Mapping[str, Any], say: Say) -> Order:
    """Place an order with the engine, started if need be; return the open one that says the same.

    Raises ProjectBusy when another one is open, Unreachable when the engine does not start.
    """
    from migrate.engine.presence import ensure

    if is_ours(project):
        ensure(project.root, project.run_dir)
    placed = _placed(project, wave, purpose, dict(options), say)
    if not is_ours(project):
        say(f"order {placed.id} waits for the engine, which is another login's to run in this project")
    return placed


def is_ours(project: Project) -> bool:
    """Return whether the engine is this login's to start: in a shared project one login runs it."""
    return project.run_dir.stat().st_uid == os.getuid()


def _placed(project: Project, wave: str, purpose: str, options: dict[str, Any], say: Say) -> Order:
    from migrate.run import orders
    from planner.errors import ProjectBusy
    from planner.names import visible

    for open_one in orders.waiting(project):
        if open_one.wave != wave:
            continue
        if open_one.purpose == purpose and all(
            open_one.options.get(key) == options.get(key) for key in _AGREED
        ):
            say(f"{wave} is under way already, ordered by {visible(open_one.who)}")
            return open_one
        if open_one.options.get("cycle"):
            _end_cycle(project, open_one, say)
            continue
        raise ProjectBusy(
            f"the engine is at work on {wave}: {open_one.purpose}, ordered by {visible(open_one.who)}",
            f"watch it with 'wherry status --watch', or stop it with 'wherry pause {wave}'",
        )
    return orders.place(project, wave, purpose, options)


def _end_cycle(project: Project, cycle: Order, say: Say) -> None:
    """Have a cycle stop at its next edge and return then: what a person wants goes on from there."""
    from migrate.engine.presence import Minder
    from migrate.run import controls, orders

    say(f"{cycle.wave} is being brought up to date; that stops at its next edge, and this goes on from there")
    mind: Callable[[], None] = (
        Minder(project.root, project.run_dir, say) if is_ours(project) else lambda: None
    )
    while orders.find(project, cycle.id).result is None:
        if controls.asked_by(project, cycle.wave) is None:  # a late answer undoes it
            controls.ask_to_pause(project, cycle.wave)
        mind()
        time.sleep(0.1)
