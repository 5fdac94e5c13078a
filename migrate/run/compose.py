"""From an approved wave to its runbook: which steps, in which order.

    check ─▶ per group: disks ─▶ journal ─▶ snapshot ─▶ seed ─▶ drop ─▶ without snapshots: ahead
          ─▶ (snapshot ─▶ delta ─▶ drop) × n ─▶ checkpoint
          ─▶ GATE go ─▶ fold ─▶ quiesce ─▶ stop (last to boot first) ─▶ final ─▶ promote ─▶ verify
          ─▶ build ─▶ set addresses ─▶ mark ─▶ DRS rules
          ─▶ start and probe, batch by batch ─▶ look again ─▶ GATE commit ─▶ fence the sources

Hooks and human steps stand between these where the wave's conduct places them. Step ids are made of
numbers, never of names: g2/d0/delta/1 is the first delta of disk 0 of group 2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from migrate.run.ahead_steps import UNFROZEN, ahead
from migrate.run.conduct_steps import hook_steps, probe_steps
from migrate.run.group_steps import GroupSteps
from migrate.run.history_steps import fold, keep_history
from migrate.run.readdress_steps import by_hand_steps, readdress_steps
from migrate.run.runbook import COMMIT, GATE, GO, Phase, Runbook, Step
from planner.conduct import GateRule, Place
from planner.effects import Effect
from planner.plan import Wave


def _stops(wave: Wave, holder: dict[str, GroupSteps], needs: tuple[str, ...]) -> list[Step]:
    """Stop at the source: what boots last stops first, the next batch when all of one are down.

    VMs that were off when the plan was made are made sure of first.
    """
    steps: list[Step] = []
    before = needs
    booted = {vm for batch in wave.boot for vm in batch}
    idle = tuple(vm.id for vm in wave.vms if vm.id not in booted)
    for batch in (idle, *reversed(wave.boot)):
        stops = [
            holder[vm].vm_step(
                vm,
                "stop",
                "stop",
                "stop at the source",
                Effect.DESTRUCTIVE,
                needs=before,
                params={
                    "vm": vm,
                    "was_on": wave.vm(vm).powered_on,
                    "disks": [[disk.volume, disk.size_bytes] for disk in holder[vm].disks_of(vm)],
                    "timeout_s": wave.policies.stop_timeout_s,
                },
                undoable=True,
            )
            for vm in batch
        ]
        steps += stops
        before = tuple(step.id for step in stops) or before
    return steps


def _starts(
    wave: Wave, holder: dict[str, GroupSteps], before: tuple[str, ...], readdressed: tuple[str, ...]
) -> list[Step]:
    """Power on in boot order; the next batch starts when the probes of the last one pass.

    Nobody waits for a probe that is optional. A guest starts after its step of ``readdressed``.
    """
    steps: list[Step] = []
    for batch in wave.boot:
        awaited: list[str] = []
        for vm in batch:
            if not wave.vm(vm).powered_on:
                continue
            group = holder[vm]
            ready = [step for step in readdressed if step == f"{group.vm_id(vm)}/readdress"]
            start = group.vm_step(
                vm,
                "start",
                "start",
                "power on at the target",
                Effect.DESTRUCTIVE,
                needs=(f"{group.prefix}/mark", *ready, *before),
                params={
                    "vm": vm,
                    "finals": group.finals(vm),
                    "stop_timeout_s": wave.policies.stop_timeout_s,
                },
                undoable=True,
            )
            by_hand = by_hand_steps(wave, group, vm, start.id)
            probes = probe_steps(wave, group, vm, by_hand[0].id if by_hand else start.id)
            steps += [start, *by_hand, *probes]
            awaited += [probe.id for probe in probes if not probe.optional] or [start.id]
        before = tuple(awaited) or before
    return steps


def _gate(
    gate: str, title: str, phase: Phase, needs: tuple[str, ...], wave: Wave, rule: GateRule, **more: Any
) -> Step:
    params = {
        **more,
        "rule": rule.model_dump(mode="json"),
        "window": wave.window.model_dump(mode="json") if wave.window else None,
    }
    return Step(gate, GATE, title, wave.name, phase, Effect.LIVE, needs, params)


def _groups(wave: Wave, unfrozen: Collection[str]) -> list[GroupSteps]:
    bare = frozenset(unfrozen)
    return [GroupSteps(number, group, wave, bare) for number, group in enumerate(wave.groups)]


def _last(steps: list[Step]) -> tuple[str, ...]:
    used = {need for step in steps for need in step.needs}
    return tuple(step.id for step in steps if step.id not in used)


def compose(
    wave: Wave,
    seeds: Mapping[str, str] | None = None,
    *,
    untouched: bool = False,
    unfrozen: Collection[str] = (),
) -> Runbook:
    """Return the runbook of a wave: ``policies.delta_cycles`` rounds, the last one a checkpoint.

    ``seeds`` are the images at hand, volume → path: they are brought in before the first snapshot.
    ``untouched``: the disks at the target hold what nobody may write over before the go. ``unfrozen`` are
    the volumes that the site which VMs leave cannot freeze, besides physical RDMs.
    """
    groups = _groups(wave, unfrozen)
    check = Step(
        id="check",
        kind="check",
        title=f"{wave.name}: sites, VMs, networks and space",
        subject=wave.name,
        phase=Phase.REPLICATE,
        effect=Effect.VIEW,
        params={
            "vms": [[vm.id, vm.name, vm.powered_on] for vm in wave.vms],
            "volumes": [
                [disk.volume, disk.size_bytes, disk.target.value, disk.target_lun] for disk in wave.disks
            ],
            "networks": sorted({nic.target for vm in wave.vms for nic in vm.nics}),
            **({UNFROZEN: sorted(unfrozen)} if unfrozen else {}),
        },
    )
    steps = [check]
    for group in groups:
        created = group.create_disks((check.id,))
        created += group.place_seeds(seeds or {})
        created += keep_history(group, _last(created))
        steps += created
        needs: tuple[str, ...] = _last(created) or (check.id,)
        for number in range(wave.policies.delta_cycles + 1):
            final_round = number == wave.policies.delta_cycles
            more = group.checkpoint(number, needs) if final_round else group.round(number, needs)
            if not number and not untouched:  # no snapshot stands meanwhile
                more += ahead(group, _last(more) or needs)
            steps += more
            needs = _last(more) or needs
    holder = {vm.id: group for group in groups for vm in group.vms}
    gates = wave.conduct.gates
    until = {"cycle_min": wave.policies.cycle_min, "rpo_min": wave.policies.rpo_min}
    title = f"{wave.name}: go for cutover"
    steps.append(_gate(GO, title, Phase.CUTOVER, _last(steps), wave, gates.go, **until))
    landing = _landing(wave, groups, holder, untouched)
    look = Step(
        id="landed",
        kind="landed",
        title=f"{wave.name}: all VMs run at the target",
        subject=wave.name,
        phase=Phase.CUTOVER,
        effect=Effect.VIEW,
        needs=_last(landing),
        params={"vms": [vm.id for vm in wave.vms if vm.powered_on]},
    )
    steps += [*landing, look]
    title = f"{wave.name}: commit, the point of no return"
    steps.append(_gate(COMMIT, title, Phase.COMMIT, (look.id,), wave, gates.commit))
    hooks, committing = hook_steps(wave, holder, Place.BEFORE_COMMIT, (COMMIT,))
    fences = [fence for group in groups for fence in group.fence(committing)]
    after, _ = hook_steps(wave, holder, Place.AFTER_COMMIT, tuple(fence.id for fence in fences) or committing)
    steps += [*hooks, *fences, *after]
    return Runbook(wave.name, wave.fingerprint, tuple(steps))


def _landing(
    wave: Wave, groups: list[GroupSteps], holder: dict[str, GroupSteps], untouched: bool
) -> list[Step]:
    """From the go gate until all run at the target and are well.

    What is done on the way back when the sources run again stands first: going back, it comes last.
    """
    back, gone = hook_steps(wave, holder, Place.ON_ROLLBACK, (GO,))
    first, ready = hook_steps(wave, holder, Place.BEFORE_CUTOVER, gone)
    folds = [step for group in groups for step in fold(group, ready)]
    if untouched:
        folds += [step for group in groups for step in ahead(group, ready, phase=Phase.CUTOVER)]
    ready = tuple(step.id for step in folds) or ready
    quiesced = [group.quiesce(ready) for group in groups]
    stops = _stops(wave, holder, tuple(step.id for step in quiesced))
    landing = [*back, *first, *folds, *quiesced, *stops]
    hooks, stopped = hook_steps(wave, holder, Place.AFTER_STOP, _last([*quiesced, *stops]))
    landing += hooks
    for group in groups:
        landing += group.settle(stopped)
    given = [step for group in groups for step in readdress_steps(wave, group)]
    landing += given
    readdressed = tuple(step.id for step in given)
    built = (*(f"{group.prefix}/mark" for group in groups), *readdressed)
    ruled = _rules(wave, built)
    hooks, starting = hook_steps(wave, holder, Place.BEFORE_START, _last(ruled) or built)
    landing += [*ruled, *hooks, *_starts(wave, holder, starting if ruled or hooks else (), readdressed)]
    for group in groups:
        landing += group.notes()
    hooks, _ = hook_steps(wave, holder, Place.AFTER_START, _last(landing))
    return [*landing, *hooks]


def _rules(wave: Wave, needs: tuple[str, ...]) -> list[Step]:
    """Return the step that builds the rules of the source again, before its VMs start; none without any."""
    if not wave.rules:
        return []
    return [
        Step(
            id="rules",
            kind="rules",
            title=f"{wave.name}: DRS rules",
            subject=wave.name,
            phase=Phase.CUTOVER,
            effect=Effect.LIVE,
            needs=needs,
            params={"rules": [rule.model_dump(mode="json") for rule in wave.rules]},
            undoable=True,
        )
    ]


def another_cycle(wave: Wave, number: int, unfrozen: Collection[str] = ()) -> tuple[Step, ...]:
    """Return the steps of one more round that proves nothing, as often as the wave's policy wants one."""
    return tuple(step for group in _groups(wave, unfrozen) for step in group.round(number, ()))


def another_round(
    wave: Wave, number: int, unfrozen: Collection[str] = (), *, untouched: bool = False
) -> tuple[Step, ...]:
    """Return the steps of one more checkpointed round for every group of a wave that waits at its gate."""
    groups = _groups(wave, unfrozen)
    rounds = [group.checkpoint(number, ()) for group in groups]
    if not untouched:
        for group, steps in zip(groups, rounds, strict=True):
            steps += ahead(group, _last(steps), number)
    return tuple(step for steps in rounds for step in steps)
