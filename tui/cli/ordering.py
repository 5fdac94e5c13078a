"""From a verb to the engine: an order is placed and followed; Ctrl-C stops only the following.

Where no process may be left behind, WHERRY_IN_PROCESS=1 has the verb do the work itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.acts.steering import ALONE, is_ours, order, order_purpose
from tui.cli.output import say

if TYPE_CHECKING:
    from migrate.run.execute import Carried, Onlooker, Purpose
    from migrate.run.orders import Order
    from migrate.run.remedy_orders import Wished
    from planner.store.project import Project


def carry(
    project: Project,
    wave: str,
    purpose: Purpose,
    onlooker: Onlooker,
    seed_from: Path | None,
    ticket: str = "",
) -> Carried:
    """Have the engine carry a wave on and tell what it does; return how it stopped, or raise why not."""
    from migrate.run import store as runs
    from migrate.run.execute import carry_out
    from migrate.run.means import Means

    if os.environ.get(ALONE):
        return carry_out(project, wave, purpose, onlooker, seed_from=seed_from, means=Means(ticket=ticket))
    since = runs.last_entry(project)
    placed = order_purpose(project, wave, purpose, say, seed_from, ticket)
    return _followed(project, placed, since, onlooker)[-1]


def carry_remedies(project: Project, wave: str, wish: Wished, onlooker: Onlooker) -> tuple[Carried, ...]:
    """Have the engine make or take back the remedies of a wave; return the runs, empty for nothing to do."""
    from migrate.run import store as runs

    if os.environ.get(ALONE):
        return wish.carry(project, wave, onlooker)
    if not wish.is_needed(project, wave):
        return ()
    since = runs.last_entry(project)
    placed = order(project, wave, wish.purpose, wish.options, say)
    return _followed(project, placed, since, onlooker)


def _followed(project: Project, placed: Order, since: int, onlooker: Onlooker) -> tuple[Carried, ...]:
    """Follow an order to its end, from the entry after number ``since`` on."""
    from migrate.engine.presence import Minder
    from migrate.run.following import Follower

    mind = Minder(project.root, project.run_dir, say) if is_ours(project) else _nothing
    try:
        return Follower(project, placed, since, onlooker, mind).follow()
    except KeyboardInterrupt:
        say(f"\nnobody follows {placed.wave} here any more; the engine goes on with it")
        say(f"watch it: wherry status --watch; stop it: wherry pause {placed.wave}")
        raise click.exceptions.Exit(130) from None


def _nothing() -> None:
    """Mind nothing."""


def wake(project: Project) -> None:
    """Have an engine look at what was just said or stored; that none can be started is only told."""
    from migrate.engine.presence import ensure
    from planner.errors import Unreachable

    if os.environ.get(ALONE) or not is_ours(project):
        return
    try:
        ensure(project.root, project.run_dir)
    except Unreachable as error:
        say(f"{error.message}; {error.hint}")
