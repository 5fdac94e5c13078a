"""Every kind of step by every fault by every moment of it, as nights that are played and compared."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from planner.plan import Wave
from tests.faults.nights.estate import images, night_wave, remedy_wave
from tests.faults.nights.night import Abroad, Night, Product, Way, left_behind, wrong_with
from tests.faults.nights.remedies import RemedyNight
from tests.faults.nights.strikes import FREEZE_S, Fault, Moment, Span, Strike


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the matrix: what strikes when during which step of which way."""

    way: Way
    span: Span
    fault: Fault
    moment: Moment

    def __str__(self) -> str:
        where = f"the {self.moment.value} of {self.span.kind} {self.span.step}"
        return f"{self.way.value}: {self.fault.value} at {where}"


@dataclass
class Covered:
    """What was played and what came of it."""

    nights: int = 0
    steps: int = 0
    fields: set[tuple[str, Fault]] = field(default_factory=set)
    moments: Counter[Moment] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)  # a digest of all moves of each night

    @property
    def kinds(self) -> set[str]:
        """The kinds of steps during which something struck."""
        return {kind for kind, _fault in self.fields}

    def say(self, seed: int) -> None:
        """Print it."""
        many = ", ".join(f"{moment.value} {times:,}" for moment, times in self.moments.items())
        print(
            f"seed {seed}: {self.nights:,} nights, {self.steps:,} moves, {len(self.kinds)} kinds of steps, "
            f"{len(self.fields)} kinds by faults; {many}"
        )
        print(", ".join(f"{what} {times:,}" for what, times in sorted(self.met.items())))
        print(
            "a person was told",
            ", ".join(f"{why!r} {n:,}" for why, n in self.asked.most_common()) or "nothing",
        )


class Matrix:
    """All nights of one seed. A night that nothing struck says where the steps of its way are."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.covered = Covered()
        self._rng = random.Random(seed)
        self._calm = cache(self._played)

    def fields(self) -> Iterator[Field]:
        """Yield every field: each fault, at each moment, of every kind of step of each way."""
        for way in Way:
            by_kind: dict[str, list[Span]] = defaultdict(list)
            for span in self.calm(way, fleet=False).spans:
                by_kind[span.kind].append(span)
            for spans in by_kind.values():
                for fault in Fault:
                    for moment in Moment:
                        yield Field(way, self._rng.choice(spans), fault, moment)

    def slice(self, fields: Iterable[Field]) -> list[Field]:
        """Return one field of every kind; faults and moments take turns, so that each is among them."""
        by_kind: dict[str, list[Field]] = defaultdict(list)
        for one in fields:
            by_kind[one.span.kind].append(one)
        turns = [(fault, moment) for moment in Moment for fault in Fault]
        self._rng.shuffle(turns)
        chosen = []
        for number, found in enumerate(by_kind.values()):
            turn = turns[number % len(turns)]
            chosen.append(self._rng.choice([one for one in found if (one.fault, one.moment) == turn]))
        return chosen

    def play(self, one: Field, product: Product | None = None, freeze_s: float = FREEZE_S) -> list[str]:
        """Play a night in which that strikes; return what is wrong."""
        fleet = one.fault is Fault.FREEZE
        calm = self.calm(one.way, fleet=fleet)
        span = next(item for item in calm.spans if (item.step, item.kind) == (one.span.step, one.span.kind))
        strike = Strike(one.fault, span.at(one.moment, random.Random(f"{self.seed} {one}")), freeze_s)
        night = self._night(one.way, fleet=fleet, product=product).run(strike)
        told = self.covered if product is None else Covered()
        told.nights += 1
        told.steps += night.schedule.steps
        told.traces.append(night.schedule.trace.hexdigest())
        told.fields.add((one.span.kind, one.fault))
        told.moments[one.moment] += 1
        told.met += night.met
        told.met[one.fault.value] += 1
        told.met["tasks taken over"] += night.movers.takeovers
        told.asked.update(str(reason["error"]) for reason in night.reasons)
        wrong = wrong_with(night, calm)
        if any(reason.get("error") not in TRUE[one.fault] for reason in night.reasons):
            wrong.append(f"a person was told {night.reasons}")
        if wrong:
            told.wrong[str(one)] = wrong
        return wrong

    def calm(self, way: Way, *, fleet: bool) -> Night:
        """Return the night of a way that nothing strikes."""
        return self._calm(way, fleet)

    def _played(self, way: Way, fleet: bool) -> Night:
        night = self._night(way, fleet=fleet).run()
        assert wrong_with(night, night) == []
        assert not night.reasons
        return night

    def _night(self, way: Way, *, fleet: bool, product: Product | None = None) -> Night:
        if way.is_remedy:
            return RemedyNight(remedy_wave(), way, self.seed, fleet=fleet, product=product)
        abroad: Abroad | None = left_behind(self.calm(Way.OUT, fleet=False)) if way.is_home else None
        wave: Wave = night_wave()
        return Night(wave, way, self.seed, fleet=fleet, product=product, abroad=abroad, seeds=images())


# What a person may be told: codes of errors that a fault is the true reason of.
TRUE = {
    Fault.ENGINE: frozenset({"busy"}),
    Fault.MOVER: frozenset({"unreachable", "busy"}),
    Fault.RECEIVER: frozenset({"unreachable", "busy"}),
    Fault.LINK: frozenset({"unreachable", "busy"}),
    Fault.FREEZE: frozenset({"unreachable", "busy"}),
}
