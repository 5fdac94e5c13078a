"""From the tasks of a wave to the runbook of its remedies: the fixes that wherry can make itself.

    per VM: look ─▶ consolidate ─▶ disconnect-media ─▶ enable-cbt
                 ─▶ halt ─▶ upgrade-hardware ─▶ disk-mode ─▶ resume

What fails for good is passed over, so that a VM that went down comes back; only a VM that does not come
back waits for a person. Step ids are made of numbers, never of names: v2/halt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from migrate.run.runbook import Phase, Runbook, Step
from planner.effects import Effect
from planner.fixes import FIXES, NEED_OFF
from planner.names import visible
from planner.plan import PlannedTask, PlannedVM, Wave
from planner.settings import Remedies

_SAYS = {
    "consolidate": "consolidate disks",
    "disconnect-media": "disconnect drives",
    "enable-cbt": "change tracking on",
    "upgrade-hardware": "upgrade virtual hardware",
    "disk-mode": "dependent disks",
}


def fixable(wave: Wave, only: str = "", with_outage: bool = False) -> tuple[PlannedTask, ...]:
    """Return the tasks that a run would do: of one kind if asked, with an outage only if agreed to.

    A VM that the plan knows as off needs no outage.
    """
    return tuple(
        task
        for task in wave.tasks
        if task.fix
        and only in ("", task.fix)
        and (with_outage or not task.outage or not wave.vm(task.vm).powered_on)
    )


def compose_remedies(
    wave: Wave, tasks: Iterable[PlannedTask], settings: Remedies, with_outage: bool
) -> Runbook:
    """Return the runbook of these tasks; those with the same fix for one VM are one step."""
    by_vm: dict[str, list[PlannedTask]] = {}
    for task in tasks:
        by_vm.setdefault(task.vm, []).append(task)
    steps: list[Step] = []
    for number, vm in enumerate(wave.vms):
        if vm.id in by_vm:
            steps += _Remedied(f"v{number}", vm, wave, settings, with_outage).steps(by_vm[vm.id])
    return Runbook(wave.name, wave.fingerprint, tuple(steps))


class _Remedied:
    """One VM's part of the runbook."""

    def __init__(self, prefix: str, vm: PlannedVM, wave: Wave, settings: Remedies, with_outage: bool) -> None:
        self._prefix = prefix
        self._vm = vm
        self._name = visible(vm.name)
        self._settings = settings
        self._params = {"vm": vm.id, "look": f"{prefix}/look"}
        self._outage = {
            "outage": with_outage,
            "resume": f"{prefix}/resume",
            "halt": f"{prefix}/halt",
            "stop_timeout_s": wave.policies.stop_timeout_s,
            "probe_timeout_s": wave.policies.probe_timeout_s,
        }

    def steps(self, tasks: Collection[PlannedTask]) -> list[Step]:
        """Return the VM's steps, each after the one before it."""
        fixes = [fix for fix in FIXES if any(task.fix == fix for task in tasks)]
        warm = [fix for fix in fixes if fix not in NEED_OFF]
        cold = [fix for fix in fixes if fix in NEED_OFF]
        steps = [self._step("look", "write down how it is", Effect.VIEW, (), {})]
        for fix in warm:
            steps.append(self._fix(fix, tasks, steps[-1].id))
        if cold:
            more = {key: value for key, value in self._outage.items() if key != "halt"}
            steps.append(self._step("halt", "down for its remedy", Effect.DESTRUCTIVE, (steps[-1].id,), more))
            for fix in cold:
                steps.append(self._fix(fix, tasks, steps[-1].id))
            names = [f"{self._prefix}/{fix}" for fix in cold]
            more = {**{key: value for key, value in self._outage.items() if key != "resume"}, "fixes": names}
            up = self._step("resume", "up again", Effect.DESTRUCTIVE, (steps[-1].id,), more, optional=False)
            steps.append(up)
        return steps

    def _fix(self, fix: str, tasks: Collection[PlannedTask], after: str) -> Step:
        params: dict[str, Any] = {"tasks": [task.id for task in tasks if task.fix == fix]}
        if fix == "upgrade-hardware":
            params["version"] = self._settings.hardware_version
        effect = Effect.DESTRUCTIVE if fix in NEED_OFF else Effect.LIVE
        return self._step(fix, _SAYS[fix], effect, (after,), params)

    def _step(
        self,
        kind: str,
        says: str,
        effect: Effect,
        needs: tuple[str, ...],
        params: dict[str, Any],
        optional: bool = True,
    ) -> Step:
        return Step(
            id=f"{self._prefix}/{kind}",
            kind=kind,
            title=f"{self._name}: {says}",
            subject=self._vm.id,
            phase=Phase.REMEDY,
            effect=effect,
            needs=needs,
            params={**self._params, **params},
            undoable=kind not in ("look", "consolidate"),
            optional=optional,
        )
