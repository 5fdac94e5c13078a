"""Lanes: how the copy of each wave, group and VM gets on, from its record and its disks under way.

    WaveNow ── copies, by group and VM ──┬──▶ Lane
            └─ moving, by volume ────────┘

Pure: the same documents and time give the same lanes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui.live.document import EngineState, Live, WaveNow

if TYPE_CHECKING:
    from migrate.copies import Copy
    from migrate.transfers.ports import Moving

OPEN = frozenset(  # stages in which copies are looked at VM by VM
    {"seeding", "in sync", "rehearsed", "ready", "cutting over", "before commit", "rolling back", "aborting",
     "reverse protected", "failing back"}
)  # fmt: skip
_ILL = frozenset({"failed", "stalled", "rpo breach", "history breach", "needs configuration"})
_PASSES = {"seed": "seeding", "delta": "delta", "final": "final delta", "verify": "comparing",
           "compare": "comparing", "copy": "copying"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane. ``depth`` is 0 for a wave, 1 for a group, 2 for a VM; ``name`` is untrusted text.

    Bytes, rates and ``left_s`` (P50, P95) are of disks under way, None where nothing moves or nobody knows.
    ``age_s`` is how old the newest whole copy is, ``target_s`` how old it may get, 0 for no matter.
    ``tries`` are those in vain. ``ill`` is what a person should look at.
    """

    key: str
    depth: int
    wave: str
    group: str
    name: str
    phase: str
    done_bytes: int | None = None
    total_bytes: int | None = None
    rate_bytes_s: float | None = None
    left_s: tuple[float, float] | None = None
    age_s: float | None = None
    target_s: float = 0.0
    changed_bytes: int | None = None
    tries: int = 0
    note: str = ""
    ill: bool = False

    @property
    def over(self) -> bool:
        """True when the copy is older than it may get."""
        return self.age_s is not None and 0 < self.target_s < self.age_s


def lanes(live: Live, now: datetime) -> list[Lane]:
    """Return the lanes of all waves in their order: each with its groups, and each of those with its VMs."""
    alive = live.engine.state in (EngineState.WORKING, EngineState.HIDDEN, EngineState.IDLE)
    return [lane for wave in live.waves for lane in _of_wave(wave, now, alive)]


def _of_wave(wave: WaveNow, now: datetime, alive: bool) -> Iterator[Lane]:
    status, copies = wave.status, wave.copies
    waits = bool(status.copied_at)
    moves = _Moves(wave.moving, alive and wave.driven and not wave.quiet_s)
    changed = [one.changed_bytes for one in copies.vms if one.changed_bytes is not None] if copies else []
    yield Lane(
        wave.name,
        0,
        wave.name,
        "",
        f"{wave.name} {status.title}".strip(),
        _wave_phase(wave),
        *moves.of(wave.moving),
        age_s=_age_s(status.copied_at, now),
        target_s=status.rpo_s,
        changed_bytes=sum(changed) if changed else None,
        tries=sum(one.tries for one in copies.vms) if copies else 0,
        note=_note(wave, alive),
        ill=not _ILL.isdisjoint(status.flags) or bool(wave.moving and not alive),
    )
    if copies is None or status.stage not in OPEN:
        return
    by_group: dict[str, list[Copy]] = {}
    for one in copies.vms:
        by_group.setdefault(one.member.group, []).append(one)
    for number, group in enumerate(copies.groups):
        vms = by_group.get(group.group, [])
        age_s = (
            _age_s(copies.copied_at.get(group.group, ""), now) if waits or _has_age(status.stage) else None
        )
        target_s = status.rpo_s if waits else 0.0
        key = f"{wave.name}/g{number}"
        yield _of_group(key, wave, group.group, vms, moves, age_s, target_s)
        for at, one in enumerate(vms):
            yield _of_vm(f"{key}/v{at}", wave, one, moves, age_s, target_s)


def _of_group(
    key: str, wave: WaveNow, group: str, vms: list[Copy], moves: _Moves, age_s: float | None, target_s: float
) -> Lane:
    changed = [one.changed_bytes for one in vms if one.changed_bytes is not None]
    phases = dict.fromkeys(_vm_phase(wave, one) for one in vms)
    failed = sum("failed" in one.member.flags for one in vms)
    over = age_s is not None and 0 < target_s < age_s
    return Lane(
        key,
        1,
        wave.name,
        group,
        group,
        next(iter(phases)) if len(phases) == 1 else "failed" if failed else _busiest(phases),
        *moves.of(dict.fromkeys(volume for one in vms for volume in one.volumes)),
        age_s=age_s,
        target_s=target_s,
        changed_bytes=sum(changed) if changed else None,
        tries=sum(one.tries for one in vms),
        note=(wave.status.late or "older than its target") if over else "",
        ill=bool(failed) or over,
    )


def _of_vm(key: str, wave: WaveNow, one: Copy, moves: _Moves, age_s: float | None, target_s: float) -> Lane:
    failed = "failed" in one.member.flags
    note = wave.status.why if failed else one.member.now if one.tries or "waits for" in one.member.now else ""
    return Lane(
        key,
        2,
        wave.name,
        one.member.group,
        one.member.name,
        _vm_phase(wave, one),
        *moves.of(one.volumes),
        age_s=age_s,
        target_s=target_s,
        changed_bytes=one.changed_bytes,
        tries=one.tries,
        note=note,
        ill=failed or (age_s is not None and 0 < target_s < age_s),
    )


def _wave_phase(wave: WaveNow) -> str:
    flags = wave.status.flags
    return next((flag for flag in ("failed", "paused", "stalled") if flag in flags), wave.status.state)


def _vm_phase(wave: WaveNow, one: Copy) -> str:
    if "failed" in one.member.flags:
        return "failed"
    if one.doing:
        if one.tries and wave.status.waits and not _is_moving(wave, one):
            return "retrying"
        held = "paused" if "paused" in wave.status.flags else "" if wave.driven else "stopped"
        return held or _PASSES.get(one.doing.split()[0], one.doing)
    if one.member.state in ("seeding", "planned") and wave.copies is not None:
        return "paused" if "paused" in wave.status.flags else "queued"
    return one.member.state


def _is_moving(wave: WaveNow, one: Copy) -> bool:
    return any(volume in wave.moving for volume in one.volumes)


def _busiest(phases: Iterable[str]) -> str:
    order = (
        "retrying",
        "final delta",
        "delta",
        "seeding",
        "copying",
        "comparing",
        "stopped",
        "paused",
        "queued",
    )
    found = list(phases)
    return next((phase for phase in order if phase in found), found[0] if found else "")


def _note(wave: WaveNow, alive: bool) -> str:
    """Return the most that a person should know of a wave, in the words of its status."""
    status = wave.status
    if wave.moving and not alive:
        return "nobody moves its disks: the engine is not at work"
    if status.why:
        return status.why
    if status.waits or status.held:
        return status.waits or status.held
    if status.late:
        return f"over target: {status.late}"
    if status.short_history:
        return f"history reaches back {status.short_history}"
    if status.overlooked:
        return status.overlooked[0]
    return status.gate or status.current


def _has_age(stage: str) -> bool:
    return stage in ("seeding", "in sync", "rehearsed", "ready", "reverse protected")


def _age_s(at: str, now: datetime) -> float | None:
    return max((now - datetime.fromisoformat(at)).total_seconds(), 0.0) if at else None


class _Moves:
    """What moves of one wave: asked for one lane after the other."""

    def __init__(self, moving: Mapping[str, Moving], alive: bool) -> None:
        self._moving = moving
        self._alive = alive

    def of(
        self, volumes: Iterable[str]
    ) -> tuple[int | None, int | None, float | None, tuple[float, float] | None]:
        """Return bytes looked at, all there are, rate and what is left of disks that are under way."""
        mine = [self._moving[volume] for volume in volumes if volume in self._moving] if self._moving else []
        if not mine:
            return None, None, None, None
        done, total = sum(one.done_bytes for one in mine), sum(one.total_bytes for one in mine)
        under_way = [one for one in mine if one.done_bytes < one.total_bytes]
        if not self._alive or not under_way:
            return done, total, None, None
        rates = [one.rate_bytes_s for one in under_way if one.rate_bytes_s is not None]
        lefts = [one.left for one in under_way if one.left is not None]
        left = (max(one.p50_s for one in lefts), max(one.p95_s for one in lefts)) if lefts else None
        return done, total, sum(rates) if rates else None, left if len(lefts) == len(under_way) else None


@dataclass(frozen=True, slots=True)
class Sums:
    """All waves together. Bytes are those of whole passes in the records: read, sent, left out at the target.

    ``moving`` counts disks under way.
    """

    moving: int
    data_bytes: int
    wire_total_bytes: int
    deduped_bytes: int


def sums(live: Live) -> Sums:
    """Return what all waves came to together."""
    every = [wave.copies for wave in live.waves if wave.copies is not None]
    return Sums(
        sum(one.done_bytes < one.total_bytes for wave in live.waves for one in wave.moving.values()),
        sum(one.data_bytes for one in every),
        sum(one.wire_bytes for one in every),
        sum(one.deduped_bytes for one in every),
    )


class Sent:
    """How fast bytes go over the line, seen from outside: a rate for each second, the newest last."""

    def __init__(self, kept: int = 60) -> None:
        self.rates: deque[float] = deque(maxlen=kept)
        self._at: float | None = None
        self._wire: dict[str, int] = {}
        self._grown = 0

    def saw(self, live: Live, now_s: float) -> None:
        """Take in what moves; a disk that begins anew counts from there."""
        wire = {
            f"{wave.name} {volume}": one.wire_bytes
            for wave in live.waves
            for volume, one in wave.moving.items()
        }
        self._grown += sum(max(now - self._wire.get(key, now), 0) for key, now in wire.items())
        self._wire = wire
        if self._at is None:
            self._at, self._grown = now_s, 0
        elif (spent := now_s - self._at) >= 1.0:
            self.rates.append(self._grown / spent)
            self._at, self._grown = now_s, 0
