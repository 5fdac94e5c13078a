"""What if: other settings or another target for one look, the stored ones untouched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from planner.errors import BadInput, NotFound
from planner.model import Inventory
from planner.names import visible
from planner.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked; None and () = as it is. Freezes are (start, end) as ISO 8601, in the windows' zone."""

    link_mbit: float | None = None
    drop_hosts: tuple[str, ...] = ()
    freezes: tuple[tuple[str, str], ...] = ()
    exclude_apps: tuple[str, ...] = ()
    caps_vms: int | None = None
    caps_tib: float | None = None
    exit_date: date | None = None

    @property
    def nothing(self) -> bool:
        """True when nothing is asked."""
        return self == Change()


@dataclass(frozen=True, slots=True)
class Supposed:
    """Settings and target as they are supposed to be, and what is good to know about that."""

    settings: Settings
    target: Inventory | None
    notes: tuple[str, ...]


def _excluded(names: tuple[str, ...], inventory: Inventory) -> list[str]:
    """Return the ids of all VMs of the applications; raises NotFound for one nobody belongs to."""
    found: list[str] = []
    for name in names:
        key = name.strip().casefold()
        mine = [vm.id for vm in inventory.vms if key and vm.application.strip().casefold() == key]
        if not mine:
            raise NotFound(
                f"no VM belongs to an application {visible(name)}",
                "see 'wherry inventory' for applications; to leave one VM out use settings exclude",
            )
        found += mine
    return found


def _without_hosts(
    names: tuple[str, ...], target: Inventory | None, settings: Settings
) -> tuple[Inventory | None, list[str]]:
    """Return the target without some hosts, and notes; raises NotFound for a host it has not."""
    if not names:
        return target, []
    if target is None:
        raise NotFound(
            "there is no inventory of the target, so no host can be dropped from it",
            "discover it: wherry discover --target",
        )
    for name in names:
        if not any(name in (host.id, host.name) for host in target.hosts):
            raise NotFound(
                f"the target has no host {visible(name)}", "name one as 'wherry inventory' lists them"
            )
    gone = {host.id for host in target.hosts if {host.id, host.name} & set(names)}
    said = settings.target
    fixed = [
        what for what, value in (("vcpus", said.vcpus), ("memory_gib", said.memory_gib)) if value is not None
    ]
    notes = [f"target.{what} of the settings counts, whatever hosts there are" for what in fixed]
    return replace(target, hosts=tuple(host for host in target.hosts if host.id not in gone)), notes


def _zone(settings: Settings) -> str:
    """Return the zone that all windows share, UTC when they differ or there are none."""
    zones = {window.zone for window in settings.windows} | {item.zone for item in settings.recurring}
    return zones.pop() if len(zones) == 1 else "UTC"


def suppose(change: Change, inventory: Inventory, settings: Settings, target: Inventory | None) -> Supposed:
    """Return settings and target as ``change`` has them.

    Raises BadInput for what cannot be (a freeze that ends before it starts), NotFound for unknown names.
    """
    from pydantic import ValidationError

    body: dict[str, Any] = settings.model_dump(mode="json")
    if change.link_mbit is not None:
        body["link"]["rate_mbit"] = change.link_mbit
    zone = _zone(settings)
    body["freezes"] += [
        {"start": start, "end": end, "why": "what if", "zone": zone} for start, end in change.freezes
    ]
    body["exclude"] += _excluded(change.exclude_apps, inventory)
    if change.caps_vms is not None:
        body["caps"]["vms"] = change.caps_vms
    if change.caps_tib is not None:
        body["caps"]["tib"] = change.caps_tib
    if change.exit_date is not None:
        body["waves"]["exit"] = change.exit_date.isoformat()
    found, notes = _without_hosts(change.drop_hosts, target, settings)
    try:
        return Supposed(Settings.model_validate(body), found, tuple(notes))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the change"
        said = first["msg"].removeprefix("Value error, ")
        raise BadInput(
            f"what is supposed cannot be, at {where}: {visible(said)}", "change what you ask"
        ) from error
