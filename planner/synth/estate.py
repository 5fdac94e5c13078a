"""One synthetic estate, whole: inventory, flows, applications and ground truth from a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.model import Inventory
from planner.synth import recipe as said
from planner.synth.applications import applications
from planner.synth.building import SMALLEST_STORE, SPARE_CAPACITY, build, share_of
from planner.synth.dice import Dice
from planner.synth.drafts import Application, Draft
from planner.synth.flows import Flow, make_flows
from planner.synth.machines import HUBS, Machines
from planner.synth.nouns import inventory_of
from planner.synth.places import Place, StoreSpot
from planner.synth.recipe import Recipe
from planner.synth.rules import apart_and_together, host_rules, pools_and_vapps
from planner.synth.sharing import shared_disks
from planner.synth.trouble import compute, disks, guest, platform
from planner.synth.trouble.plants import Truth, plant
from planner.synth.truth import GroundTruth, tell
from planner.synth.words import Words
from planner.units import GIB

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Estate:
    """What a recipe makes. ``flows`` are the observed ones, in the order in which they were made."""

    inventory: Inventory
    flows: list[Flow]
    apps: list[Application]
    hubs: list[Draft]
    truth: GroundTruth


def _silent(done: int, total: int) -> None:
    pass


def make_estate(recipe: Recipe, report: Report = _silent) -> Estate:
    """Return the estate of a recipe; ``report`` is told of VMs done. The same recipe is the same estate."""
    seed = recipe.seed
    places = build(recipe, Dice(seed, "places"))
    words = Words(Dice(seed, "words"))
    machines = Machines(words, Dice(seed, "machines"))
    still = _never_moved(recipe, places, machines)
    hubs = [machines.hub(number, _place_of(places, number)) for number in range(recipe.hubs)]
    apps = applications(places, recipe.vms - len(still) - len(hubs), words, Dice(seed, "applications"))
    done = len(still) + len(hubs)
    for app in apps:
        machines.of_application(app)
        done += app.size
        report(done, recipe.vms)
    shared = shared_disks(apps, recipe.vms, Dice(seed, "shared disks"))
    dice = Dice(seed, "rules")
    pools_and_vapps(apps, dice)
    apart_and_together(apps, hubs, shared, dice)
    host_rules(places, apps, dice)
    drafts = [*hubs, *(draft for app in apps for draft in app.members), *still]
    planted: Truth = {}
    for area, plants in (("disks", disks), ("compute", compute), ("guest", guest)):
        plant(plants.PLANTS, drafts, recipe.trouble, Dice(seed, f"trouble with {area}"), planted)
    platform.plant(places, recipe.trouble, Dice(seed, "trouble with places"), planted)
    _fill_stores(drafts, Dice(seed, "stores"), recipe.trouble, planted)
    flows = make_flows(apps, hubs, shared, Dice(seed, "flows"))
    truth = tell(recipe, drafts, apps, hubs, flows, shared, planted)
    return Estate(inventory_of(recipe, places, drafts, apps, flows), flows, apps, hubs, truth)


def _place_of(places: list[Place], number: int) -> Place:
    """Return where the n-th hub stands: a full set at each place before a second one anywhere."""
    return places[number // len(HUBS) % len(places)]


def _never_moved(recipe: Recipe, places: list[Place], machines: Machines) -> list[Draft]:
    drafts = []
    shares = share_of(places)
    total = sum(share for _, share in shares)
    if recipe.vms >= 60:
        for kind, rate in (("template", said.TEMPLATES), ("placeholder", said.PLACEHOLDERS)):
            count = max(round(recipe.vms * rate), 1)
            for place, share in shares:
                here = round(count * share / total) if len(places) > 1 else count
                for number in range(1, here + 1):
                    drafts.append(
                        machines.never_moved(
                            kind, number, place, place.clusters[number % len(place.clusters)]
                        )
                    )
        for place in places:
            for cluster in place.clusters:
                drafts += [machines.never_moved("agent", number, place, cluster) for number in (1, 2)]
    return drafts


def _fill_stores(drafts: list[Draft], dice: Dice, trouble: float, truth: Truth) -> None:
    """Give datastores a capacity for what lies on them; a few are nearly full."""
    for draft in drafts:
        for disk in draft.disks:
            if not disk.get("lun"):
                draft.store.used_bytes += disk["used_bytes"] or 0
                draft.store.provisioned_bytes += disk["size_bytes"]
    stores: dict[str, StoreSpot] = {}
    for draft in drafts:
        stores.setdefault(draft.store.id, draft.store)
    for store in stores.values():
        spare = 1.03 if trouble and dice.chance(0.05 * trouble) else SPARE_CAPACITY
        if spare < SPARE_CAPACITY:
            truth.setdefault("storage.full", []).append(store.id)
        capacity = -(-round(max(store.used_bytes * spare, store.used_bytes + 64 * GIB)) // GIB) * GIB
        if spare == SPARE_CAPACITY:
            capacity = max(capacity, SMALLEST_STORE)
        store.fields |= {
            "capacity_bytes": capacity,
            "free_bytes": capacity - store.used_bytes,
            "provisioned_bytes": store.provisioned_bytes,
        }
