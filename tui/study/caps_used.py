"""What the waves of a plan use of each cap: the fullest wave, and who takes the most there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from planner.units import TIB, show_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.model import VM, Inventory, Volume
    from planner.plan import Plan, Wave
    from planner.settings import Settings


def caps_used(plan: Plan, inventory: Inventory, settings: Settings) -> dict[str, str]:
    """Return for each cap (dotted) the most that a wave uses of it, in words; unknown ones are left out."""
    from planner.volumes import volumes

    vms = {vm.id: vm for vm in inventory.vms}
    where = {vm.id: wave.name for wave in plan.waves for vm in wave.vms}
    held: dict[str, list[Volume]] = {}
    for volume in volumes(inventory):
        name = next((where[one.vm.id] for one in volume.attachments if one.vm.id in where), "")
        held.setdefault(name, []).append(volume)
    most: dict[str, tuple[float, str]] = {}
    for wave in plan.waves:
        for cap, used, words in _uses(wave, vms, held.get(wave.name, []), settings):
            if cap not in most or used > most[cap][0]:
                most[cap] = (used, words)
    return {cap: words for cap, (_, words) in most.items()}


def _uses(
    wave: Wave, vms: Mapping[str, VM], held: list[Volume], settings: Settings
) -> Iterator[tuple[str, float, str]]:
    from planner.names import visible
    from planner.waves.items import commonest, sources_of

    for load in wave.load:
        yield f"caps.{load.resource}", load.used, f"{load.used:,.4g} in {wave.name}"
    owners: Counter[str] = Counter()
    teams: Counter[str] = Counter()
    for group in wave.groups:
        known = [vms[vm] for vm in group.vms if vm in vms]
        owner = commonest([vm.owner or settings.owners.get(vm.application, "") for vm in known])
        team = settings.teams.get(owner, "")
        owners.update([owner] if owner else [])
        teams.update([team] if team else [])
    for cap, counted in (("groups_per_owner", owners), ("groups_per_team", teams)):
        for name, number in counted.most_common(1):
            yield f"caps.{cap}", number, f"{number} of {visible(name, 40)} in {wave.name}"
    stores, hosts = sources_of(held)
    for name, size in stores.most_common(1):
        words = f"{size / TIB:,.3g} TiB from {visible(name, 40)} in {wave.name}"
        yield "caps.tib_per_datastore", size, words
    for name, number in hosts.most_common(1):
        yield (
            "caps.disks_per_host",
            number,
            f"{show_count(number, 'disk')} on {visible(name, 40)} in {wave.name}",
        )
