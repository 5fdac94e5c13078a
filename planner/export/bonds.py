"""What the groups of a plan say to each other: dependencies of the estate, summed per pair of groups.

Shared services are left out: everyone talks to them, and what everyone does tells no groups apart.
The hottest pair stands first: by bytes seen, then by the number of dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.export.printout import Printout
from planner.plan import PlannedGroup, Wave
from planner.settings import Settings
from planner.units import show_bytes, show_count


@dataclass(frozen=True, slots=True)
class Place:
    """A group and where it stands: its number in the plan, its wave and that wave's number."""

    number: int
    wave_number: int
    wave: Wave
    group: PlannedGroup


@dataclass(frozen=True, slots=True)
class Bond:
    """Two groups, by number with ``a`` < ``b``: dependencies between them and bytes seen, 0 = not watched."""

    a: int
    b: int
    ties: int
    traffic_bytes: int
    across: bool  # their waves differ


def places(printout: Printout) -> tuple[Place, ...]:
    """Return all groups in the order of the waves."""
    found: list[Place] = []
    for at, wave in enumerate(printout.plan.waves):
        found += [Place(len(found) + i, at, wave, group) for i, group in enumerate(wave.groups)]
    return tuple(found)


def bonds(printout: Printout) -> tuple[Bond, ...]:
    """Return every pair of groups between which a dependency is known, hottest first."""
    from planner.graph import shared_services

    there = places(printout)
    hubs = set(shared_services(printout.inventory, printout.settings or Settings()))
    number = {vm: place.number for place in there for vm in place.group.vms if vm not in hubs}
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    for item in printout.inventory.dependencies:
        a, b = number.get(item.source), number.get(item.target)
        if a is None or b is None or a == b:
            continue
        pair = (min(a, b), max(a, b))
        ties, traffic = seen.get(pair, (0, 0))
        seen[pair] = (ties + 1, traffic + (item.traffic_bytes or 0))
    made = [
        Bond(a, b, ties, traffic, there[a].wave_number != there[b].wave_number)
        for (a, b), (ties, traffic) in seen.items()
    ]
    return tuple(sorted(made, key=lambda bond: (-bond.traffic_bytes, -bond.ties, bond.a, bond.b)))


@dataclass(frozen=True, slots=True)
class Picture:
    """What a drawing shows of the groups and their bonds, and how many of each it leaves out."""

    places: tuple[Place, ...]
    bonds: tuple[Bond, ...]
    left_places: int
    left_bonds: int


def picture(printout: Printout, most_places: int, most_bonds: int) -> Picture:
    """Return the hottest bonds, those across waves first, with their groups; then the largest groups."""
    all_places, all_bonds = places(printout), bonds(printout)
    chosen: set[int] = set()
    drawn: list[Bond] = []
    for bond in sorted(all_bonds, key=lambda bond: not bond.across):
        if len(drawn) < most_bonds and len(chosen | {bond.a, bond.b}) <= most_places:
            chosen |= {bond.a, bond.b}
            drawn.append(bond)
    for place in sorted(all_places, key=lambda place: -len(place.group.vms)):
        if len(chosen) >= most_places:
            break
        chosen.add(place.number)
    shown = tuple(place for place in all_places if place.number in chosen)
    return Picture(shown, tuple(drawn), len(all_places) - len(shown), len(all_bonds) - len(drawn))


def left_out(shown: Picture) -> str:
    """Return the sentence on what a drawing leaves out, empty when it shows all."""
    if not (shown.left_places or shown.left_bonds):
        return ""
    parts = (
        show_count(shown.left_places, "smaller group") if shown.left_places else "",
        show_count(shown.left_bonds, "weaker bond") if shown.left_bonds else "",
    )
    return f"Left out: {' and '.join(part for part in parts if part)}"


def heat(bond: Bond) -> str:
    """Return what a bond carries, in a few words."""
    return show_bytes(bond.traffic_bytes) if bond.traffic_bytes else f"{bond.ties}×"
