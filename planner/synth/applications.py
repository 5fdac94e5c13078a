"""Applications with their environments: how large, whose, where, when they may move."""

from __future__ import annotations

from planner.synth import recipe as said
from planner.synth.building import share_of
from planner.synth.dice import Dice
from planner.synth.drafts import Application
from planner.synth.places import Place
from planner.synth.words import Words, teams


def _size(dice: Dice) -> int:
    return min(1 + round(dice.lognormal(said.APP_MEDIAN, said.APP_SIGMA)), said.APP_CAP)


def _window(share: float) -> str:
    """Return the window at a place between 0 and 1 in the recipe's list."""
    for window, part in said.WINDOWS:
        share -= part
        if share < 0:
            return window
    return said.WINDOWS[-1][0]


def _owners(count: int, dice: Dice) -> list[tuple[str, str]]:
    """Return (owner, window) pairs: the windows are the owners', in the recipe's shares."""
    names = teams(count)
    pairs = []
    for at, name in enumerate(names):
        # By place and not by chance, which would leave out the rare windows of few owners.
        pairs.append((name, _window((at + 0.5) / count)))
    return dice.sample(pairs, len(pairs))


def applications(places: list[Place], vms: int, words: Words, dice: Dice) -> list[Application]:
    """Return environments of applications with room for exactly ``vms`` VMs.

    Every other environment belongs to a family with production.
    """
    shares = share_of(places)
    expected = max(1, round(vms / 5.5))
    owners = _owners(max(1, round(expected / said.ENVIRONMENTS_PER_OWNER)), dice)
    made: list[Application] = []
    left, family = vms, 0
    while left > 0:
        family += 1
        name = words.application()
        place = dice.weighted(shares)
        cluster = dice.weighted([(one, float(len(one.hosts))) for one in place.clusters])
        owner, window = dice.pick(owners)
        criticality = dice.weighted(said.CRITICALITY)
        size = _size(dice)
        for environment, _, share in said.ENVIRONMENTS:
            # Half of all environments are production; the others come along with theirs.
            if left <= 0 or (environment != "Production" and not dice.chance(share * 2)):
                continue
            here = size if environment == "Production" else max(1, round(size * dice.uniform(0.5, 1.1)))
            # Of two networks the one with more room.
            network = min(dice.sample(place.networks_for(environment), 2), key=lambda one: one.promised)
            network.promised += here
            made.append(
                Application(
                    name,
                    family,
                    environment,
                    criticality if environment == "Production" else "low",
                    owner,
                    window,
                    place,
                    cluster,
                    network,
                    min(here, left),
                )
            )
            left -= made[-1].size
    return made
