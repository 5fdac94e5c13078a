"""The ground a plan stands on: what inventory, settings and findings give, whatever people edit.

Making it is dear at 10,000 VMs, so a plan that is edited and saved is made on the ground it was laid out on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.checks.check import Check
from planner.errors import BadInput
from planner.graph import shared_services
from planner.groups import groups_and_rest
from planner.model import Finding, Inventory, MoveGroup
from planner.names import visible
from planner.settings import Settings
from planner.waves.items import Weights
from planner.waves.lookup import Lookup, look_up


@dataclass(frozen=True, slots=True)
class Ground:
    """The move groups before any merge by hand, who stays (id → why), hubs, and everything by VM id.

    ``weights`` is filled as groups are weighed.
    """

    groups: tuple[MoveGroup, ...]
    out: Mapping[str, str]
    hubs: frozenset[str]
    lookup: Lookup
    weights: Weights = field(default_factory=dict, repr=False, compare=False)


def _refuse_twins(inventory: Inventory) -> None:
    """Raise BadInput when two VMs or two disks could be taken for each other."""
    for what, ids in (
        ("VM id", (vm.id for vm in inventory.vms)),
        ("disk", (f"{vm.id}/{disk.key}" for vm in inventory.vms for disk in vm.disks)),
    ):
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            raise BadInput(
                f"{what} {visible(twice[0])} stands twice in the inventory",
                "discover it again from one source",
            )


def ground_of(
    inventory: Inventory,
    settings: Settings,
    findings: Sequence[Finding] = (),
    own_checks: Iterable[Check] = (),
) -> Ground:
    """Return the ground of plans of an inventory.

    Raises BadInput for a VM or disk that stands twice and for a remap that cannot be, Blocked when a disk
    must stay an RDM and no LUN is free.
    """
    _refuse_twins(inventory)
    groups, out = groups_and_rest(inventory, settings)
    planned = {vm for group in groups for vm in group.vms}
    return Ground(
        groups=groups,
        out=out,
        hubs=frozenset(shared_services(inventory, settings)),
        lookup=look_up(inventory, settings, planned, findings, own_checks),
    )
