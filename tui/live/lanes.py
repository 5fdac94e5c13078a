"""Lanes: how the copy of each wave, group and VM gets on, from its record and its disks under way.

    WaveNow ── copies, by group and VM ──┬──▶ Lane
            └─ moving, by volume ────────┘

Pure: the same documents and time give the same lanes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, overload

from tui.live.document import EngineState, Live, WaveNow

if TYPE_CHECKING:
    from migrate.copies import Copy
    from migrate.transfers.ports import Moving

OPEN = frozenset(  # stages in which copies are looked at VM by VM
    {"seeding", "in sync", "rehearsed", "ready", "cutting over", "before commit", "rolling back", "aborting",
     "reverse protected", "failing back"}
)  # fmt: skip
AGES_S = 10.0  # between two looks at ages that only time changes
_ILL = frozenset({"failed", "stalled", "rpo breach", "history breach", "needs configuration"})
_PASSES = {"seed": "seeding", "delta": "delta", "final": "final delta", "verify": "comparing",
           "compare": "comparing", "copy": "copying"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane. ``depth`` is 0 for a wave, 1 for a group, 2 for a VM; ``name`` is untrusted text.

    Bytes, rates and ``left_s`` (P50, P95) are of disks under way, None where nothing moves or nobody knows.
    ``age_s`` is how old the newest whole copy is, ``target_s`` how old it may get, 0 for no matter.
    ``tries`` are those in vain. ``ill`` is what a person should look at. ``vm`` is the VM's id.
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
    vm: str = ""

    @property
    def over(self) -> bool:
        """True when the copy is older than it may get."""
        return self.age_s is not None and 0 < self.target_s < self.age_s


_Part = tuple[Lane, tuple[str, ...]]  # without figures; the volumes that they are of, of a wave all that move


class Lanes(Sequence[Lane]):
    """The lanes of all waves at one moment, in order: each with its groups, and each of those with its VMs.

    ``still`` are the same without the figures of what moves: these are put into a lane that is looked at.
    Of a wave of which only bytes are others than ``before``, nothing else is made anew, for ``AGES_S``.
    """

    def __init__(self, live: Live, now: datetime, before: Lanes | None = None) -> None:
        alive = live.engine.state in (EngineState.WORKING, EngineState.HIDDEN, EngineState.IDLE)
        kept = before._kept if before is not None else {}
        self._kept: dict[str, _Kept] = {}
        self._moves: dict[str, _Moves] = {}
        self._parts: list[_Part] = []
        self._made: dict[int, Lane] = {}  # those that were looked at
        for wave in live.waves:
            found = kept.get(wave.name)
            if found is None or not found.holds(wave, now, alive):
                found = _Kept(wave, now, alive, tuple(_of_wave(wave, now, alive)))
            self._kept[wave.name] = found
            self._moves[wave.name] = _Moves(wave.moving, alive and wave.driven and not wave.quiet_s)
            self._parts += found.parts

    @cached_property
    def still(self) -> Sequence[Lane]:
        """All lanes without what moves."""
        return [lane for lane, _ in self._parts]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {lane.key: at for at, lane in enumerate(self.still)}

    def find(self, key: str) -> Lane | None:
        """Return the lane with a key, None when there is none."""
        at = self._places.get(key)
        return self[at] if at is not None else None

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, at: int) -> Lane: ...
    @overload
    def __getitem__(self, at: slice) -> list[Lane]: ...
    def __getitem__(self, at: int | slice) -> Lane | list[Lane]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        if at not in self._made:
            self._made[at] = self._with_figures(*self._parts[at])
        return self._made[at]

    def _with_figures(self, lane: Lane, volumes: Iterable[str]) -> Lane:
        moves = self._moves[lane.wave]
        done, total, rate, left = moves.of(volumes if lane.depth else moves.moving)
        if done is None:
            return lane
        return replace(lane, done_bytes=done, total_bytes=total, rate_bytes_s=rate, left_s=left)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The lanes of one wave as they were made, and what of."""

    wave: WaveNow
    now: datetime
    alive: bool
    parts: tuple[_Part, ...]

    def holds(self, wave: WaveNow, now: datetime, alive: bool) -> bool:
        """Return whether they say the same of that wave, but for its bytes."""
        same = self.wave.status is wave.status and self.wave.copies is wave.copies
        same = same and (self.wave.driven, self.alive) == (wave.driven, alive)
        same = same and bool(self.wave.quiet_s) == bool(wave.quiet_s)
        same = same and 0 <= (now - self.now).total_seconds() < AGES_S
        return same and self.wave.moving.keys() == wave.moving.keys()


def _of_wave(wave: WaveNow, now: datetime, alive: bool) -> Iterator[_Part]:
    status, copies = wave.status, wave.copies
    waits = bool(status.copied_at)
    changed = [one.changed_bytes for one in copies.vms if one.changed_bytes is not None] if copies else []
    lane = Lane(
        wave.name,
        0,
        wave.name,
        "",
        f"{wave.name} {status.title}".strip(),
        _wave_phase(wave),
        age_s=_age_s(status.copied_at, now),
        target_s=status.rpo_s,
        changed_bytes=sum(changed) if changed else None,
        tries=sum(one.tries for one in copies.vms) if copies else 0,
        note=_note(wave, alive),
        ill=not _ILL.isdisjoint(status.flags) or bool(wave.moving and (not alive or wave.quiet_s)),
    )
    yield lane, ()
    if copies is None or status.stage not in OPEN:
        return
    by_group: dict[str, list[Copy]] = {}
    for one in copies.vms:
        by_group.setdefault(one.member.group, []).append(one)
    for number, group in enumerate(copies.groups):
        vms = by_group.get(group.group, [])
        age_s = _age_s(copies.copied_at.get(group.group, ""), now) if waits or has_age(status.stage) else None
        target_s = status.rpo_s if waits else 0.0
        key = f"{wave.name}/g{number}"
        volumes = tuple(dict.fromkeys(volume for one in vms for volume in one.volumes))
        yield _of_group(key, wave, group.group, vms, age_s, target_s), volumes
        for at, one in enumerate(vms):
            yield _of_vm(f"{key}/v{at}", wave, one, age_s, target_s), one.volumes


def _of_group(
    key: str, wave: WaveNow, group: str, vms: list[Copy], age_s: float | None, target_s: float
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
        age_s=age_s,
        target_s=target_s,
        changed_bytes=sum(changed) if changed else None,
        tries=sum(one.tries for one in vms),
        note=(wave.status.late or "older than its target") if over else "",
        ill=bool(failed) or over,
    )


def _of_vm(key: str, wave: WaveNow, one: Copy, age_s: float | None, target_s: float) -> Lane:
    failed = "failed" in one.member.flags
    note = wave.status.why if failed else one.member.now if one.tries or "waits for" in one.member.now else ""
    return Lane(
        key,
        2,
        wave.name,
        one.member.group,
        one.member.name,
        _vm_phase(wave, one),
        age_s=age_s,
        target_s=target_s,
        changed_bytes=one.changed_bytes,
        tries=one.tries,
        note=note,
        ill=failed or (age_s is not None and 0 < target_s < age_s),
        vm=one.member.vm,
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
    if wave.moving and wave.quiet_s:
        return "nobody says anything of its disks"
    if status.why:
        return status.why
    if status.waits or status.held:
        return status.waits or status.held
    if status.late:
        return f"over target: {status.late}"
    if status.short_history:
        return f"history reaches back {status.short_history}"
    if status.overlooked:
        return f"beside {status.overlooked[0]}"
    return (status.gate or status.current).removeprefix(f"{wave.name}: ")


def has_age(stage: str) -> bool:
    """Return whether copies of a wave are kept up to date in a stage, and their journal with them."""
    return stage in ("seeding", "in sync", "rehearsed", "ready", "reverse protected")


def _age_s(at: str, now: datetime) -> float | None:
    return max((now - datetime.fromisoformat(at)).total_seconds(), 0.0) if at else None


class _Moves:
    """What moves of one wave: asked for one lane after the other."""

    def __init__(self, moving: Mapping[str, Moving], alive: bool) -> None:
        self.moving = moving
        self._alive = alive

    def of(
        self, volumes: Iterable[str]
    ) -> tuple[int | None, int | None, float | None, tuple[float, float] | None]:
        """Return bytes looked at, all there are, rate and what is left of disks that are under way."""
        done = total = open_ = known = 0
        rate, p50_s, p95_s, rated = 0.0, 0.0, 0.0, False
        get = self.moving.get
        found = False
        for volume in volumes:  # all disks of a wave at each refresh: one look at each of them
            if (one := get(volume)) is None:
                continue
            found = True
            done += one.done_bytes
            total += one.total_bytes
            if one.done_bytes >= one.total_bytes:
                continue
            open_ += 1
            if one.rate_bytes_s is not None:
                rate, rated = rate + one.rate_bytes_s, True
            if (left := one.left) is not None:
                known += 1
                p50_s = left.p50_s if left.p50_s > p50_s else p50_s
                p95_s = left.p95_s if left.p95_s > p95_s else p95_s
        if not found:
            return None, None, None, None
        if not self._alive or not open_:
            return done, total, None, None
        return done, total, rate if rated else None, (p50_s, p95_s) if known == open_ else None
