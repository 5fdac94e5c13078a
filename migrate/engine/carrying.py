"""One order, from its row to its result. Begun anew after a crash, it goes on from the record of steps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.run import orders
from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.run.following import ProgressFile, dump_stopped
from migrate.run.means import Means
from planner.errors import WherryError
from planner.names import visible
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.run.means import Hauling
    from migrate.run.orders import Order

_LOG = logging.getLogger(__name__)


def carry(root: Path, number: int, hauling: Hauling, halted: Callable[[], bool]) -> bool:
    """Carry out an order; return False when the engine was halted in the middle: it then stays open."""
    with Project.open(root) as project:
        order = orders.find(project, number)
        if order.result is not None:
            return True
        orders.begin(project, number)
        progress = ProgressFile(root, number)
        result = _result(project, order, progress, hauling, halted)
        if result is None:
            return False
        orders.end(project, number, result)
        progress.remove()
        return True


def _result(
    project: Project, order: Order, progress: ProgressFile, hauling: Hauling, halted: Callable[[], bool]
) -> dict[str, Any] | None:
    options = order.options
    means = Means(
        who=order.who,
        uid=int(options["uid"]),
        ticket=str(options.get("ticket", "")),
        speaks=bool(options.get("speaks", True)),
        hauling=hauling,
        halted=halted,
    )
    seed_from = Path(options["seed_from"]) if options.get("seed_from") else None
    try:
        carried = carry_out(
            project,
            order.wave,
            Purpose(order.purpose),
            Onlooker(report=progress.report),
            seed_from=seed_from,
            means=means,
        )
    except WherryError as error:
        return error.as_json()
    except Exception as error:  # noqa: BLE001 - whoever follows has to learn of it, and other orders go on
        _LOG.exception("order %d failed", order.id)
        told = visible(f"{type(error).__name__}: {error}", 200)
        return WherryError(f"the engine failed at this order ({told})", "read run/engine.log").as_json()
    if carried.stopped.paused and halted():
        return None
    return {"run": carried.run.id, "stopped": dump_stopped(carried.stopped)}
