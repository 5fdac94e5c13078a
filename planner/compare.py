"""Two plans side by side: waves, windows, who changed wave, remaps, tasks and score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from planner.plan import Plan, PlannedDisk, PlannedTask, Wave

FIGURES = (
    *("waves", "waves_bound", "makespan_h", "cut_share", "stretch_gb", "peak_share"),
    *("hard_violations", "order_violations", "latency_violations"),
)
Figure = float | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A VM with its wave in both plans; empty = in none."""

    vm: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rewindowed:
    """A wave of both plans with the start of its window in each, ISO 8601 in UTC; empty = undated."""

    wave: str
    before: str
    after: str
    before_h: float | None = None
    after_h: float | None = None


@dataclass(frozen=True, slots=True)
class Regrouped:
    """A move group that holds other VMs of both plans than before; how many in each, 0 = no such group."""

    group: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Remapped:
    """A volume that becomes something else: target backing and LUN in both plans, empty = not planned."""

    volume: str
    vm: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task that only one of the plans has, or that is due at another time: empty = not there.

    One for several VMs of a wave is the same one when more or fewer of them need it.
    """

    id: str
    vm: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """What is different in the second plan. ``score`` has each figure that differs, as (before, after)."""

    waves_added: tuple[str, ...]
    waves_gone: tuple[str, ...]
    windows: tuple[Rewindowed, ...]
    moved: tuple[Moved, ...]
    groups: tuple[Regrouped, ...]
    remaps: tuple[Remapped, ...]
    tasks: tuple[Task, ...]
    score: Mapping[str, tuple[Figure, Figure]]
    notes_added: tuple[str, ...]
    notes_gone: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True when nothing differs that is compared here."""
        return not any(asdict(self).values())

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as it stands in documents."""
        body = asdict(self)
        body["score"] = {name: {"before": a, "after": b} for name, (a, b) in self.score.items()}
        return body


def _start(wave: Wave) -> str:
    return wave.window.start_utc.isoformat() if wave.window else ""


def _hours(wave: Wave) -> float | None:
    return wave.window.hours if wave.window else None


def _becomes(disk: PlannedDisk) -> str:
    sent = f", sent {disk.send.value}" if disk.left_out else ""
    return f"{disk.target.value} {disk.target_lun}".strip() + sent


def _homes(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return VM id → (name, wave); the wave is empty for the unplanned."""
    found = {item.vm: (item.name, "") for item in plan.unplanned}
    return found | {vm.id: (vm.name, wave.name) for wave in plan.waves for vm in wave.vms}


def _moved(a: Plan, b: Plan) -> tuple[Moved, ...]:
    before, after = _homes(a), _homes(b)
    return tuple(
        Moved(vm, (after.get(vm) or before[vm])[0], before.get(vm, ("", ""))[1], after.get(vm, ("", ""))[1])
        for vm in dict.fromkeys((*before, *after))
        if before.get(vm, ("", ""))[1] != after.get(vm, ("", ""))[1]
    )


def _windows(a: Plan, b: Plan) -> tuple[Rewindowed, ...]:
    after = {wave.name: wave for wave in b.waves}
    return tuple(
        Rewindowed(wave.name, _start(wave), _start(other), _hours(wave), _hours(other))
        for wave in a.waves
        if (other := after.get(wave.name)) and (_start(wave), _hours(wave)) != (_start(other), _hours(other))
    )


def _remaps(a: Plan, b: Plan) -> tuple[Remapped, ...]:
    before, after = ({disk.volume: disk for wave in plan.waves for disk in wave.disks} for plan in (a, b))
    found = []
    for volume in dict.fromkeys((*before, *after)):
        old, new = before.get(volume), after.get(volume)
        said = tuple(_becomes(disk) if disk else "" for disk in (old, new))
        if said[0] != said[1]:
            holder = (new or old).attachments[0].vm  # type: ignore[union-attr]
            found.append(Remapped(volume, holder, *said))
    return tuple(found)


def _groups(a: Plan, b: Plan) -> tuple[Regrouped, ...]:
    """Return the groups that were merged, parted or named anew, told from the VMs that both plans move."""
    both = {vm.id for wave in a.waves for vm in wave.vms} & {vm.id for wave in b.waves for vm in wave.vms}
    before, after = (
        {
            group.name: vms
            for wave in plan.waves
            for group in wave.groups
            if (vms := frozenset(group.vms) & both)
        }
        for plan in (a, b)
    )
    nobody: frozenset[str] = frozenset()
    return tuple(
        Regrouped(name, len(before.get(name, nobody)), len(after.get(name, nobody)))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def _said(wave: Wave, task: PlannedTask) -> str:
    due = f", due {task.due[:10]}" if task.due else ""
    whole = f", {task.found[0].partition(':')[0]}" if not task.vm and task.found else ""
    return f"{wave.name}{due}{whole}"


def _tasks(a: Plan, b: Plan) -> tuple[Task, ...]:
    before, after = (
        {task.id: (task, _said(wave, task), wave.name) for wave in plan.waves for task in wave.tasks}
        for plan in (a, b)
    )
    # One for several VMs has another id once others need it, and is the same work of its wave.
    left = {
        (task.check, wave): task.id
        for task, _, wave in after.values()
        if task.id not in before and not task.vm
    }
    same = {
        task.id: left[task.check, wave]
        for task, _, wave in before.values()
        if task.id not in after and not task.vm and (task.check, wave) in left
    }
    paired = set(same.values())
    found = []
    for number in dict.fromkeys((*before, *(one for one in after if one not in paired))):
        old, new = before.get(number), after.get(same.get(number, number))
        said = old[1] if old else "", new[1] if new else ""
        if said[0] != said[1]:
            task = (new or old)[0]  # type: ignore[index]
            found.append(Task(task.id, task.vm, task.title, *said))
    return tuple(found)


def _score(a: Plan, b: Plan) -> dict[str, tuple[Figure, Figure]]:
    pairs = {name: (getattr(a.score, name), getattr(b.score, name)) for name in FIGURES}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def compare(a: Plan, b: Plan) -> PlanDiff:
    """Return what is different in plan ``b``, seen from ``a``."""
    old, new = [wave.name for wave in a.waves], [wave.name for wave in b.waves]
    return PlanDiff(
        waves_added=tuple(name for name in new if name not in old),
        waves_gone=tuple(name for name in old if name not in new),
        windows=_windows(a, b),
        moved=_moved(a, b),
        groups=_groups(a, b),
        remaps=_remaps(a, b),
        tasks=_tasks(a, b),
        score=_score(a, b),
        notes_added=tuple(note for note in b.notes if note not in a.notes),
        notes_gone=tuple(note for note in a.notes if note not in b.notes),
    )
