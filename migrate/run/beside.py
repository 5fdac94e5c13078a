"""Which steps may go on beside others, and what each takes of what runs out.

    transfer        of the disks copied at once, those read through its host, those of its datastore
    snapshot, drop  of the VMs that a vCenter has snapshots taken or removed of at once, those of a datastore
    probe, hook     of the threads that wait for somebody else

All else is one act after another. Where the source of a disk is not known, all those of unknown source count
as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from migrate.claims import Claim, Rank
from migrate.run.ahead_steps import is_ahead
from migrate.run.lanes import Lane
from migrate.run.runbook import Phase, Runbook, Step
from planner.names import visible

TRANSFERS = frozenset({"transfer"})
SNAPSHOTS = frozenset({"snapshot", "drop-snapshot"})
ASIDE = frozenset({"probe", "hook"})  # which hold nobody's thread up but their own
BESIDE = TRANSFERS | SNAPSHOTS | ASIDE
_MOST_ASIDE = 64  # threads


@dataclass(frozen=True, slots=True)
class Limits:
    """How many disks may be copied at once, and of how many VMs snapshots taken or removed.

    None is no limit of its own. A group with more VMs than there are places goes when nobody else does.
    """

    at_once: int = 1
    per_host: int | None = None
    per_datastore: int | None = None
    snapshots: int = 32
    snapshots_per_datastore: int = 16


@dataclass(frozen=True, slots=True)
class Source:
    """Where a volume is read, empty = unknown, and its part of the line against others."""

    host: str = ""
    datastore: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a wave's volumes, and of the datastores that its VMs' disks are on.

    ``site`` is what the site that they leave is called.
    """

    site: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    datastores: Mapping[str, frozenset[str]] = field(default_factory=dict)


def rank_of(step: Step) -> Rank:
    """Return before whom a step goes: what a cutover still has to do first, passes ahead last."""
    if is_ahead(step):
        return Rank.AHEAD
    return Rank.FIRST if step.phase is Phase.CUTOVER else Rank.USUAL


def lane_of(step: Step, runbook: Runbook, limits: Limits, known: Known) -> Lane | None:
    """Return what a step takes, None for one that goes on beside nothing."""
    if step.kind in TRANSFERS:
        return _transfer(step, limits, known)
    if step.kind in SNAPSHOTS:
        return Lane(step.id, claims=_snapshot(step, runbook, limits, known), rank=rank_of(step))
    if step.kind in ASIDE:
        return Lane(step.id, claims=(Claim("waiting steps", _MOST_ASIDE),))
    return None


def _transfer(step: Step, limits: Limits, known: Known) -> Lane:
    source = known.sources.get(step.params["volume"], Source())
    claims = [Claim("copied disks", limits.at_once)]
    for what, most, of in (
        ("copied disks of a host", limits.per_host, source.host),
        ("copied disks of a datastore", limits.per_datastore, source.datastore),
    ):
        if most is not None:
            claims.append(Claim(what, most, visible(of, 80)))
    return Lane(step.id, int(step.params["size_bytes"]), source.weight, tuple(claims), rank_of(step))


def _snapshot(step: Step, runbook: Runbook, limits: Limits, known: Known) -> tuple[Claim, ...]:
    taken = runbook.step(step.params["snapshot"]) if step.kind == "drop-snapshot" else step
    vms = taken.params["vms"]
    on = Counter(store for vm in vms for store in known.datastores.get(vm, frozenset({""})))
    site, most = visible(known.site, 80), limits.snapshots_per_datastore
    return (
        Claim("snapshots", limits.snapshots, site, len(vms)),
        *(
            Claim("snapshots of a datastore", most, f"{visible(store, 80)} at {site}", count)
            for store, count in on.items()
        ),
    )
