"""Remedies as orders to the engine: what a person asked for, in the words of an order, and back.

remedy        make fixes: of one kind only, with an outage, if that was agreed to
remedy-undo   take them back
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrate.run import orders
from migrate.run.remedy_intents import check_outage_back, intend_remedies, intend_take_back
from migrate.run.remedying import apply_remedies, take_back
from planner.errors import Blocked

if TYPE_CHECKING:
    from migrate.run.execute import Carried, Onlooker
    from migrate.run.means import Means
    from migrate.run.orders import Order
    from planner.store.project import Project

_APPLY, _BACK = "remedy", "remedy-undo"


@dataclass(frozen=True, slots=True)
class Wished:
    """What is wanted of the remedies of a wave."""

    only: str = ""
    with_outage: bool = False
    back: bool = False

    @property
    def purpose(self) -> str:
        """The word that an order is known by."""
        return _BACK if self.back else _APPLY

    @property
    def options(self) -> dict[str, Any]:
        """The options of an order that this login places."""
        return {"uid": os.getuid(), "only": self.only, "with_outage": self.with_outage}

    def is_needed(self, project: Project, wave: str) -> bool:
        """Return whether there is anything to do; raises what carrying it out would be refused with."""
        if self.back:
            check_outage_back(intend_take_back(project, wave), self.with_outage)
            return True
        return intend_remedies(project, wave, only=self.only, with_outage=self.with_outage) is not None

    def carry(
        self,
        project: Project,
        wave: str,
        onlooker: Onlooker,
        means: Means | None = None,
        since: int | None = None,
    ) -> tuple[Carried, ...]:
        """Carry it out; see ``apply_remedies`` and ``take_back``."""
        if self.back:
            return take_back(
                project, wave, with_outage=self.with_outage, onlooker=onlooker, means=means, since=since
            )
        return apply_remedies(
            project,
            wave,
            only=self.only,
            with_outage=self.with_outage,
            onlooker=onlooker,
            means=means,
            since=since,
        )


def give_back(project: Project) -> None:
    """End the orders of remedies that are open: a lost record cannot say which outages were taken."""
    for order in orders.waiting(project):
        if wished(order) is not None:
            lost = Blocked(
                f"the host was lost while remedies of {order.wave} were ordered",
                f"see what is left with 'wherry remedy {order.wave}', then order them again",
            )
            orders.end(project, order.id, lost.as_json())


def wished(order: Order) -> Wished | None:
    """Return what an order wants of remedies, None when it is about the wave itself."""
    if order.purpose not in (_APPLY, _BACK):
        return None
    return Wished(str(order.options["only"]), bool(order.options["with_outage"]), order.purpose == _BACK)
