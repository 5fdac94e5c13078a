"""One kind of trouble, and how it gets onto VMs. Ground truth is kept by the name of the trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from planner.synth.dice import Dice
from planner.synth.drafts import Draft

_SURE_FROM = 100  # VMs from which every kind of trouble occurs at least once

Truth = dict[str, list[str]]


def running(draft: Draft) -> bool:
    """Return whether a VM runs and may move."""
    return draft.movable and draft.runs


def plain(draft: Draft) -> bool:
    """Return whether a VM may move and shares nothing: what is planted there stays its own."""
    return not draft.clustered and draft.movable


@dataclass(frozen=True, slots=True)
class Plant:
    """``rate`` is the share of movable VMs; ``put`` does it to one of those that ``fit``.

    ``pairs`` hands ``put_pair`` two VMs instead: the second gets what the first has.
    """

    name: str
    rate: float
    put: Callable[[Draft, Dice], None] | None = None
    fit: Callable[[Draft], bool] = plain
    put_pair: Callable[[Draft, Draft], None] | None = None


def sets(part: str, **values: Any) -> Callable[[Draft, Dice], None]:
    """Return what sets facts of one part of a VM: fields, guest, compute or management."""

    def put(draft: Draft, dice: Dice) -> None:
        getattr(draft, part).update(values)

    return put


def plant(plants: Iterable[Plant], drafts: list[Draft], trouble: float, dice: Dice, truth: Truth) -> None:
    """Plant every kind on its share of the VMs, and note whom it was planted on."""
    movable = [draft for draft in drafts if draft.movable]
    for one in plants:
        eligible = [draft for draft in movable if one.fit(draft)]
        count = round(len(movable) * one.rate * trouble)
        if trouble and len(movable) >= _SURE_FROM:
            count = max(count, 1)
        if one.put_pair is not None:
            victims = dice.sample(eligible, 2 * max(count // 2, min(count, 1)))
            for first, second in zip(victims[::2], victims[1::2], strict=False):
                one.put_pair(first, second)
        else:
            victims = dice.sample(eligible, count)
            for victim in victims:
                assert one.put is not None
                one.put(victim, dice)
        if victims:
            truth[one.name] = sorted(victim.id for victim in victims)
