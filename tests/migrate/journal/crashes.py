"""Deaths of a journal's process, enumerated: histories, every moment in them, what storage makes of each.

Histories share their beginnings, down to the random source, so a moment is taken once: in the last
operation of the history that it ends.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator

from planner.errors import WherryError
from tests.migrate.journal.model import OPERATIONS, Died, Power, World

BEGINNING = ("append", "checkpoint", "append", "commit", "checkpoint", "append")
DEATHS = (
    "power lost",
    "killed, then power lost",
    "power lost, again in the recovery",
    "killed, again in the recovery, then power lost twice in recoveries",
)
Make = Callable[[], World]


def histories(longest: int = 3) -> list[tuple[str, ...]]:
    """Return all sequences of operations up to that length, each after a beginning it can work on."""
    return [
        (*BEGINNING, *middle)
        for length in range(1, longest + 1)
        for middle in itertools.product(OPERATIONS, repeat=length)
    ]


def moments(
    make: Make, history: tuple[str, ...], seed: int, first: int, share: float = 1.0
) -> Iterator[tuple[str, World]]:
    """Yield the world as it is at every moment from operation ``first`` on, or at a drawn share of them."""
    rng, drawn = random.Random(seed), random.Random(f"{seed} {history}")
    world = make()
    forks: list[World] = []

    def take() -> None:
        if share >= 1 or drawn.random() < share:
            forks.append(world.fork())

    for number, operation in enumerate(history):
        if number == first:
            world.files.power = Power(told=take)
        world.do(operation, rng)
        if number == len(history) - 1:
            take()
        yield from ((operation, fork) for fork in forks)
        forks.clear()


def die(world: World, rng: random.Random, death: str) -> None:
    """End the process in that way, and open the journal again; raises JournalCorrupt."""
    world.crash(rng, power=death.startswith("power"))
    for power in {DEATHS[2]: (True,), DEATHS[3]: (False, True, True)}.get(death, ()):
        world.files.power = Power(rng.randrange(12))
        with contextlib.suppress(Died):
            world.reopen()
        world.crash(rng, power=power)
    world.reopen()
    if death == DEATHS[1]:
        world.crash(rng)
        world.reopen()


def goes_on(world: World, rng: random.Random) -> None:
    """Use a journal after a death, and lose power again."""
    for operation in ("append", "checkpoint", rng.choice(("commit", "promote", "rotate")), "append"):
        world.do(operation, rng)
    world.crash(rng)
    world.reopen()


def state(world: World, rng: random.Random, death: str) -> str:
    """Return what is wrong after one death, and after another when life went on; empty when nothing is."""
    try:
        die(world, rng, death)
        if wrong := world.wrong():
            return wrong
        goes_on(world, rng)
        return world.wrong()
    except (WherryError, AssertionError, OSError, LookupError) as error:
        return f"{type(error).__name__}: {error}"


def crashes(
    make: Make,
    history: tuple[str, ...],
    seed: int,
    states: int,
    share: float = 1.0,
    *,
    first: int | None = None,
    met: Counter[str] | None = None,
) -> Iterator[str]:
    """Yield what is wrong after each death: at moments of the last operation, in drawn states.

    ``first`` is an earlier operation to begin with, ``met`` counts moments by operation and deaths.
    """
    met = Counter() if met is None else met
    first = len(history) - 1 if first is None else first
    for number, (operation, moment) in enumerate(moments(make, history, seed, first, share)):
        met[operation] += 1
        for drawn in range(states):
            rng = random.Random(f"{seed} {history} {number} {drawn}")
            death = rng.choice(DEATHS)
            met[death] += 1
            wrong = state(moment.fork(), rng, death)
            where = f"seed {seed}, moment {number}, state {drawn} of {' '.join(history)}"
            yield wrong and f"{wrong}: {death}, {where}"


def told(met: Counter[str]) -> str:
    """Return in words what was covered."""
    states = sum(met[death] for death in DEATHS)
    points = sum(met[operation] for operation in OPERATIONS)
    parts = ", ".join(f"{what} {count:,}" for what, count in sorted(met.items()))
    return f"{points:,} points, {states:,} states: {parts}"


def noticed(make: Make, history: tuple[str, ...], first: int = 0, states: int = 8) -> str:
    """Return what is noticed first of a journal that is wrong, in use or after deaths, or nothing."""
    try:
        for seed in range(60):
            rng, world = random.Random(seed), make()
            for operation in history:
                world.do(operation, rng)
    except (WherryError, AssertionError, OSError, LookupError) as error:
        return f"{type(error).__name__} while it was used: {error}"
    return next(filter(None, crashes(make, history, 11, states, first=first)), "")
