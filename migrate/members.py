"""The VMs and groups of one wave, each with where it stands: read from the record, as the wave itself is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrate.flags import breach, flags_of, lacks_a_site
from migrate.late import is_late
from migrate.reach import short_history
from migrate.run import cycles
from migrate.run import store as runs
from migrate.run.actions import waits
from migrate.run.history import History
from migrate.run.returning import find_returning
from migrate.run.runbook import Step
from migrate.run.waves import find_wave
from migrate.states import Flag, State, at_go, least, state_of, steps_by_vm
from migrate.waiting import titled
from migrate.wave_status import is_open, is_rehearsed
from planner.errors import NotFound
from planner.store import settings as settings_store
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.plan import PlannedGroup, PlannedVM, Wave


@dataclass(frozen=True, slots=True)
class Member:
    """A VM of a wave. ``now`` is the step that is under way or failed, empty for none."""

    vm: str
    name: str
    group: str
    state: str
    flags: tuple[str, ...] = ()
    now: str = ""


@dataclass(frozen=True, slots=True)
class GroupState:
    """A move group of a wave: as far as its VM that is least far, with the flags of all its VMs."""

    group: str
    vms: int
    state: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaveMembers:
    """One wave from near. ``flags`` are those of the wave as a whole."""

    wave: str
    flags: tuple[str, ...]
    groups: tuple[GroupState, ...]
    members: tuple[Member, ...]


def wave_members(project: Project, name: str) -> WaveMembers:
    """Return where the groups and VMs of a wave stand; raises NotFound."""
    home = None
    try:
        found = find_wave(project, name)
        wave, run, history = found.wave, found.run, found.history
        if history is not None and state_of(history) is State.COMMITTED:
            home = find_returning(project, wave.name)
    except NotFound:
        if (home := find_returning(project, name)) is None:
            raise
        wave, run, history = home.wave, None, home.forward
    homeward = home is not None and home.history is not None
    if home is not None and homeward:
        run, history = home.run, home.history
    groups, members = members_of(project, wave, run, history, home=homeward)
    return WaveMembers(wave.name, tuple(_flags(project, wave, run, history)), groups, members)


def members_of(
    project: Project, wave: Wave, run: Run | None, history: History | None, *, home: bool
) -> tuple[tuple[GroupState, ...], tuple[Member, ...]]:
    """Return where groups and VMs of a wave stand in a run; ``home`` is one that brings it back."""
    of_vms = steps_by_vm(history.runbook) if history is not None else {}
    states = _states(project, wave, run, history, of_vms, home)
    stay = set(settings_store.glance(project, "exclude", ()))
    members = tuple(
        _member(vm, group.name, states[vm.id], history, of_vms.get(vm.id, ()), stay)
        for group in wave.groups
        for vm in map(wave.vm, group.vms)
    )
    return tuple(_group(group, states, members) for group in wave.groups), members


def _group(group: PlannedGroup, states: dict[str, State], members: tuple[Member, ...]) -> GroupState:
    flags = {flag for member in members if member.vm in group.vms for flag in member.flags}
    ordered = tuple(flag.value for flag in Flag if flag.value in flags)
    return GroupState(group.name, len(group.vms), least(states[vm] for vm in group.vms).value, ordered)


def _member(
    vm: PlannedVM,
    group: str,
    state: State,
    history: History | None,
    steps: tuple[Step, ...],
    stay: AbstractSet[str],
) -> Member:
    flags, now = _doing(history, steps)
    if stay & {vm.id, vm.name}:
        flags = (*flags, Flag.EXCLUDED.value)
    return Member(vm.id, vm.name, group, state.value, flags, now)


def _states(
    project: Project,
    wave: Wave,
    run: Run | None,
    history: History | None,
    of_vms: dict[str, tuple[Step, ...]],
    homeward: bool,
) -> dict[str, State]:
    if history is None:
        return dict.fromkeys((vm.id for vm in wave.vms), State.PLANNED)
    found = {vm.id: state_of(history, of_vms.get(vm.id, ()), home=homeward) for vm in wave.vms}
    if run is None or state_of(history, home=homeward) is not State.IN_SYNC:
        return found
    rehearsed, opened = is_rehearsed(project, run), is_open(project, run, history)
    return {vm: at_go(state, rehearsed=rehearsed, is_open=opened) for vm, state in found.items()}


def _doing(history: History | None, steps: tuple[Step, ...]) -> tuple[tuple[str, ...], str]:
    """Return the flags of a VM with these steps, and its step that is under way or failed."""
    if history is None:
        return (), ""
    under_way = [step for step in steps if step.id in history.unsettled or step.id in history.held]
    ill = [step for step in under_way if step.id in history.failures]
    failed = next((step for step in ill if not waits(history, step.id)), None)
    current = failed or next(iter(under_way), None)
    return ((Flag.FAILED.value,) if failed else ()), titled(history, current) if current else ""


def _flags(project: Project, wave: Wave, run: Run | None, history: History | None) -> list[str]:
    found = [Flag.NEEDS_CONFIGURATION.value] if lacks_a_site(project) else []
    if run is not None and history is not None:
        copied_at = cycles.copied_at(run, history, cycles.times_of(project, run.id))
        late = is_late(run, history, copied_at, datetime.now(UTC))
        short = short_history(history)
        held = runs.is_held(project, wave.name)
        paused = cycles.is_paused(project, run)
        found += [flag.value for flag in (*flags_of(history, held, paused), *breach(late, short))]
    return found
