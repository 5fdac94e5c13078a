"""One order, from its row to its result. Begun anew after a crash, it goes on from the record of steps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.notices.notice import of_end, of_error
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.driver import Stopped
from migrate.run.execute import Carried, Onlooker, Purpose, carry_out
from migrate.run.following import ProgressFile, dump_carried
from migrate.run.means import Means
from migrate.run.remedy_orders import wished
from migrate.run.reprotecting import is_first_failure
from migrate.run.store import RunKind
from planner.errors import WherryError
from planner.names import visible
from planner.store import plans
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.notices.notice import Notice
    from migrate.run.means import Hauling
    from migrate.run.orders import Order

_LOG = logging.getLogger(__name__)


def carry(
    root: Path,
    number: int,
    hauling: Hauling,
    halted: Callable[[], bool],
    tell: Callable[[Notice], None] = lambda notice: None,
) -> bool:
    """Carry out an order; return False when the engine was halted in the middle: it then stays open."""
    with Project.open(root) as project:
        order = orders.find(project, number)
        if order.result is not None:
            return True
        orders.begin(project, number)
        progress = ProgressFile(root, number)
        ended = _carried(project, order, progress, hauling, halted)
        if ended is None:
            return False
        if isinstance(ended, WherryError):
            orders.end(project, number, ended.as_json())
            tell(of_error(project.name, order.wave, ended))
        else:
            orders.end(project, number, dump_carried(ended))
            # one cycle every few minutes is no news; its result is
            if ended and (not order.options.get("cycle") or _is_news(ended[-1])):
                tell(of_end(project.name, ended[-1]))
            for one in ended:
                _protect(project, order, one)
        progress.remove()
        return True


def _is_news(ended: Carried) -> bool:
    """Return whether people want to hear of a round: that the first one failed, and that once."""
    decide = ended.stopped.decide
    if decide is None or decide.id in ended.history.added:
        return False
    return is_first_failure(ended.history, decide.id)


def _protect(project: Project, order: Order, ended: Carried) -> None:
    """Have a wave that was just committed protected the other way, where its approved plan says so."""
    if ended.stopped.outcome is not Outcome.COMMITTED or ended.run.kind is not RunKind.WAVE:
        return
    if plans.is_reversed(project, ended.run.plan, ended.run.wave):
        options = {"uid": order.options["uid"], "speaks": False, "cycle": True}  # so it makes way for people
        orders.place(project, ended.run.wave, Purpose.REVERSE.value, options, order.who)


def _carried(
    project: Project, order: Order, progress: ProgressFile, hauling: Hauling, halted: Callable[[], bool]
) -> tuple[Carried, ...] | WherryError | None:
    """Return how the order's runs stopped, or why they did not; None when the engine is halted.

    Only taking remedies back has more than one of them, and remedies of which none is due have none.
    """
    options = order.options
    means = Means(
        who=order.who,
        uid=int(options["uid"]),
        ticket=str(options.get("ticket", "")),
        speaks=bool(options.get("speaks", True)),
        cycle=bool(options.get("cycle")),
        hauling=hauling,
        asked_s=datetime.fromisoformat(order.at).timestamp(),
        halted=halted,
    )
    seed_from = Path(options["seed_from"]) if options.get("seed_from") else None
    since = options.get("since") if order.begun_at else None  # an engine before this one has begun it
    onlooker = Onlooker(report=progress.report)
    try:
        if (wish := wished(order)) is not None:
            carried = wish.carry(project, order.wave, onlooker, means, since)
        elif since is not None and (over := _ended(project, order, since)) is not None:
            carried = (over,)
        else:
            purpose = Purpose(order.purpose)
            carried = (carry_out(project, order.wave, purpose, onlooker, seed_from=seed_from, means=means),)
    except WherryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - whoever follows has to learn of it, and other orders go on
        _LOG.exception("order %d failed", order.id)
        told = visible(f"{type(error).__name__}: {error}", 200)
        return WherryError(f"the engine failed at this order ({told})", "read run/engine.log")
    return None if carried and carried[-1].stopped.paused and halted() else carried


def _ended(project: Project, order: Order, since: int) -> Carried | None:
    """Return the run of an order's wave that came to its end after an entry of the record."""
    for run, history, outcome in runs.ended_since(project, order.wave, since):
        if run.kind is not RunKind.REMEDY:
            return Carried(run, history, Stopped(outcome=outcome))
    return None
