"""From a verb to the engine: an order is placed and followed; Ctrl-C stops only the following.

Where no process may be left behind, WHERRY_IN_PROCESS=1 has the verb do the work itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.output import say

if TYPE_CHECKING:
    from migrate.run.execute import Carried, Onlooker, Purpose
    from migrate.run.orders import Order
    from migrate.run.remedy_orders import Wished
    from planner.store.project import Project

ALONE = "WHERRY_IN_PROCESS"
_AGREED = ("only", "with_outage")  # options of remedies in which another order is another wish


def carry(
    project: Project,
    wave: str,
    purpose: Purpose,
    onlooker: Onlooker,
    seed_from: Path | None,
    ticket: str = "",
) -> Carried:
    """Have the engine carry a wave on and tell what it does; return how it stopped, or raise why not."""
    from migrate.run.execute import carry_out
    from migrate.run.means import Means

    if os.environ.get(ALONE):
        return carry_out(project, wave, purpose, onlooker, seed_from=seed_from, means=Means(ticket=ticket))
    _refuse_early(project, wave, purpose, seed_from)
    options = {
        "uid": os.getuid(),
        "ticket": ticket,
        "seed_from": str(seed_from.resolve()) if seed_from else "",
    }
    return _followed(project, wave, purpose.value, options, onlooker)[-1]


def carry_remedies(project: Project, wave: str, wish: Wished, onlooker: Onlooker) -> tuple[Carried, ...]:
    """Have the engine make or take back the remedies of a wave; return the runs, empty for nothing to do."""
    if os.environ.get(ALONE):
        return wish.carry(project, wave, onlooker)
    if not wish.is_needed(project, wave):
        return ()
    return _followed(project, wave, wish.purpose, wish.options, onlooker)


def _followed(
    project: Project, wave: str, purpose: str, options: dict[str, Any], onlooker: Onlooker
) -> tuple[Carried, ...]:
    """Place an order with the engine, started if need be, and follow it to its end."""
    from migrate.engine.presence import Minder, ensure
    from migrate.run import store as runs
    from migrate.run.following import Follower

    if _ours(project):
        ensure(project.root, project.run_dir)
    since = runs.last_entry(project)
    order = _order(project, wave, purpose, options)
    if _ours(project):
        mind = Minder(project.root, project.run_dir, say)
    else:
        say(f"order {order.id} waits for the engine, which is another login's to run in this project")
        mind = None
    try:
        return Follower(project, order, since, onlooker, mind or _nothing).follow()
    except KeyboardInterrupt:
        say(f"\nnobody follows {wave} here any more; the engine goes on with it")
        say(f"watch it: wherry status --watch; stop it: wherry pause {wave}")
        raise click.exceptions.Exit(130) from None


def _ours(project: Project) -> bool:
    """Return whether the engine is this login's to start: in a shared project one login runs it."""
    return project.run_dir.stat().st_uid == os.getuid()


def _nothing() -> None:
    """Mind nothing."""


def wake(project: Project) -> None:
    """Have an engine look at what was just said or stored; that none can be started is only told."""
    from migrate.engine.presence import ensure
    from planner.errors import Unreachable

    if os.environ.get(ALONE) or not _ours(project):
        return
    try:
        ensure(project.root, project.run_dir)
    except Unreachable as error:
        say(f"{error.message}; {error.hint}")


def _refuse_early(project: Project, wave: str, purpose: Purpose, seed_from: Path | None) -> None:
    """Raise what the engine would refuse, before anything is started."""
    from migrate.run.execute import check_approved, intend

    intended = intend(project, wave, purpose, seed_from)
    if intended.run is None and intended.home is None:
        check_approved(project, intended)


def _end_cycle(project: Project, cycle: Order) -> None:
    """Have a cycle stop at its next edge and return then: what a person wants goes on from there."""
    import time

    from migrate.engine.presence import Minder
    from migrate.run import controls, orders

    say(f"{cycle.wave} is being brought up to date; that stops at its next edge, and this goes on from there")
    mind = Minder(project.root, project.run_dir, say) if _ours(project) else _nothing
    while orders.find(project, cycle.id).result is None:
        if controls.asked_by(project, cycle.wave) is None:  # a late answer undoes it
            controls.ask_to_pause(project, cycle.wave)
        mind()
        time.sleep(0.1)


def _order(project: Project, wave: str, purpose: str, options: dict[str, Any]) -> Order:
    """Place an order, or return the one that is open and says the same; raises ProjectBusy for another."""
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
            _end_cycle(project, open_one)
            continue
        raise ProjectBusy(
            f"the engine is at work on {wave}: {open_one.purpose}, ordered by {visible(open_one.who)}",
            f"watch it with 'wherry status --watch', or stop it with 'wherry pause {wave}'",
        )
    return orders.place(project, wave, purpose, options)
