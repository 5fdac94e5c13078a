"""Which of the transfers that may begin do begin now: a pure choice under limits.

    at once in all | from one host | from one datastore

Greater weight goes first, then greater size, so that the longest does not come last; what is equal goes
in the order of the runbook. One that its host or datastore keeps waiting holds up no other. Where a
source is not known, all those of unknown source count as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How many transfers may go on at once; None is no limit of its own."""

    at_once: int = 1
    per_host: int | None = None
    per_datastore: int | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """A transfer that may begin or goes on. ``host`` and ``datastore`` are its source's, empty = unknown."""

    step: str
    size_bytes: int
    weight: float = 1.0
    host: str = ""
    datastore: str = ""


def choose(ready: Sequence[Lane], running: Iterable[Lane], limits: Limits) -> list[Lane]:
    """Return those of ``ready`` that may begin beside ``running``, the first to begin first."""
    busy = list(running)
    hosts = Counter(lane.host for lane in busy)
    datastores = Counter(lane.datastore for lane in busy)
    chosen: list[Lane] = []
    for lane in sorted(ready, key=lambda lane: (-lane.weight, -lane.size_bytes)):
        if len(busy) + len(chosen) >= limits.at_once:
            break
        if limits.per_host is not None and hosts[lane.host] >= limits.per_host:
            continue
        if limits.per_datastore is not None and datastores[lane.datastore] >= limits.per_datastore:
            continue
        chosen.append(lane)
        hosts[lane.host] += 1
        datastores[lane.datastore] += 1
    return chosen
