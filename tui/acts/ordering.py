"""Having the engine carry a wave on: what is refused is refused at once, then an order is written for it.

Whoever gives the order need not stay: it stands in the project, and the engine is started if none runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.run.execute import Purpose
    from migrate.run.orders import Order
    from planner.store.project import Project

ALONE = "WHERRY_IN_PROCESS"  # no process may be left behind: none is started
_AGREED = ("only", "with_outage")  # options of remedies in which another order is another wish
Tell = Callable[[str], None]


def give(
    project: Project,
    wave: str,
    purpose: Purpose,
    *,
    ticket: str = "",
    seed_from: Path | None = None,
    tell: Tell,
) -> Order:
    """Order a wave to be carried on; raises what the engine would refuse, ProjectBusy, Unreachable."""
    refuse_early(project, wave, purpose, seed_from)
    options = {
        "uid": os.getuid(),
        "ticket": ticket,
        "seed_from": str(seed_from.resolve()) if seed_from else "",
    }
    return give_order(project, wave, purpose.value, options, tell)


def give_order(project: Project, wave: str, purpose: str, options: dict[str, Any], tell: Tell) -> Order:
    """Write an order, or find the one that is open and says the same; an engine is there to begin it."""
    from migrate.engine.presence import ensure

    starts = is_ours(project) and not os.environ.get(ALONE)
    if starts:
        ensure(project.root, project.run_dir)
    order = _placed(project, wave, purpose, options, tell)
    if not is_ours(project):
        tell(f"order {order.id} waits for the engine, which is another login's to run in this project")
    return order


def refuse_early(project: Project, wave: str, purpose: Purpose, seed_from: Path | None) -> None:
    """Raise what the engine would refuse, before anything is started."""
    from migrate.run.execute import check_approved, intend

    intended = intend(project, wave, purpose, seed_from)
    if intended.run is None and intended.home is None:
        check_approved(project, intended)


def is_ours(project: Project) -> bool:
    """Return whether the engine is this login's to start: in a shared project one login runs it."""
    return project.run_dir.stat().st_uid == os.getuid()


def start_engine(project: Project) -> tuple[int, bool]:
    """Return the process id of the engine, and whether it was started for this; raises Unreachable."""
    from migrate.engine.presence import ensure, running

    was = running(project.run_dir)
    pid = ensure(project.root, project.run_dir)
    return pid, pid != was


def wake(project: Project, tell: Tell) -> None:
    """Have an engine look at what was just said or stored; that none can be started is only told."""
    from migrate.engine.presence import ensure
    from planner.errors import Unreachable

    if os.environ.get(ALONE) or not is_ours(project):
        return
    try:
        ensure(project.root, project.run_dir)
    except Unreachable as error:
        tell(f"{error.message}; {error.hint}")


def _placed(project: Project, wave: str, purpose: str, options: dict[str, Any], tell: Tell) -> Order:
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
            tell(f"{wave} is under way already, ordered by {visible(open_one.who)}")
            return open_one
        if open_one.options.get("cycle"):
            _end_cycle(project, open_one, tell)
            continue
        raise ProjectBusy(
            f"the engine is at work on {wave}: {open_one.purpose}, ordered by {visible(open_one.who)}",
            f"watch it with 'wherry status --watch', or stop it with 'wherry pause {wave}'",
        )
    return orders.place(project, wave, purpose, options)


def _end_cycle(project: Project, cycle: Order, tell: Tell) -> None:
    """Have a cycle stop at its next edge and return then: what a person wants goes on from there."""
    from migrate.engine.presence import Minder
    from migrate.run import controls, orders

    tell(
        f"{cycle.wave} is being brought up to date; that stops at its next edge, and this goes on from there"
    )
    mind = Minder(project.root, project.run_dir, tell) if is_ours(project) else None
    while orders.find(project, cycle.id).result is None:
        if controls.asked_by(project, cycle.wave) is None:  # a late answer undoes it
            controls.ask_to_pause(project, cycle.wave)
        if mind is not None:
            mind()
        time.sleep(0.1)
