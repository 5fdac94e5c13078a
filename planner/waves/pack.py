"""Packing groups into waves: precedence-aware first fit under the caps.

Deterministic: groups are taken by generation, then risk, then name, and each goes into the first
wave that is late enough and has room. A group that exceeds a cap alone gets a wave of its own and
a note; it is never split. Another packer can take this one's place behind the same two types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from planner.names import visible
from planner.units import TIB, show_bytes
from planner.waves.order import Precedence


@dataclass(frozen=True, slots=True)
class Load:
    """What a group weighs in a wave. ``risk`` is the sum of its VMs' findings, heavier is later."""

    name: str
    vms: int
    size_bytes: int
    risk: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What fits into one wave."""

    vms: int
    size_bytes: int

    @classmethod
    def of(cls, vms: int, tib: float) -> Limits:
        """Return the limits for a count of VMs and TiB."""
        return cls(vms, round(tib * TIB))

    def exceeded_by(self, load: Load) -> bool:
        """True when the group alone does not fit."""
        return load.vms > self.vms or load.size_bytes > self.size_bytes


@dataclass(slots=True)
class _Bin:
    """A wave being filled; it lives only inside ``pack``."""

    limits: Limits
    vms: int = 0
    size_bytes: int = 0
    names: list[str] = field(default_factory=list)

    def has_room(self, load: Load) -> bool:
        return (
            self.vms + load.vms <= self.limits.vms
            and self.size_bytes + load.size_bytes <= self.limits.size_bytes
        )

    def put(self, load: Load) -> None:
        self.vms += load.vms
        self.size_bytes += load.size_bytes
        self.names.append(load.name)


def _rank(load: Load, precedence: Precedence) -> tuple[int, int, str, str]:
    return precedence.generation[load.name], load.risk, load.name.casefold(), load.name


def pack(
    loads: Sequence[Load], precedence: Precedence, limits: Limits, lag: int = 1
) -> tuple[tuple[str, ...], ...]:
    """Return waves as tuples of group names, in the order in which they cut over.

    A group stands at least ``lag`` waves after all that ``precedence`` puts before it.
    """
    bins: list[_Bin] = []
    placed: dict[str, int] = {}
    for load in sorted(loads, key=lambda load: _rank(load, precedence)):
        first = max((placed[name] + lag for name in precedence.before[load.name]), default=0)
        # What exceeds the caps has room nowhere, and leaves none: it ends up alone.
        at = next((at for at in range(first, len(bins)) if bins[at].has_room(load)), len(bins))
        if at == len(bins):
            bins.append(_Bin(limits))
        bins[at].put(load)
        placed[load.name] = at
    return tuple(tuple(item.names) for item in bins)


def oversize_notes(loads: Sequence[Load], limits: Limits) -> tuple[str, ...]:
    """Return one sentence for each group that exceeds a cap alone."""
    return tuple(
        f"group {visible(load.name)} (VMs: {load.vms}, {show_bytes(load.size_bytes)}) exceeds the caps of "
        f"{limits.vms} VMs and {show_bytes(limits.size_bytes)} alone; it moves whole, in a wave of its own"
        for load in loads
        if limits.exceeded_by(load)
    )


def waves_bound(loads: Sequence[Load], limits: Limits, longest_chain: int) -> int:
    """Return a number of waves that no plan under these limits can beat.

    It is the larger of the longest chain of order ties and what the caps ask for: one wave for
    each group that exceeds them alone, and the rest by VMs, by bytes, and by groups above half.
    """
    if not loads:
        return 0
    alone = [load for load in loads if limits.exceeded_by(load)]
    rest = [load for load in loads if not limits.exceeded_by(load)]
    by_vms = -(-sum(load.vms for load in rest) // limits.vms)
    by_bytes = -(-sum(load.size_bytes for load in rest) // max(limits.size_bytes, 1))
    big = max(
        sum(2 * load.vms > limits.vms for load in rest),
        sum(2 * load.size_bytes > limits.size_bytes for load in rest),
    )
    return max(longest_chain, len(alone) + max(by_vms, by_bytes, big))


def order_violations(waves: Sequence[Sequence[str]], ties: Sequence[tuple[str, str]]) -> int:
    """Return how many (later group, earlier group) ties have their earlier group in a later wave."""
    at: Mapping[str, int] = {name: number for number, names in enumerate(waves) for name in names}
    return sum(at[later] < at[earlier] for later, earlier in ties)
