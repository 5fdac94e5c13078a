"""Rehearsal of remedies on the twin: the same runbook, on VMs that have just what the tasks say.

Reported are how long it takes and how long each VM is down, as median and 95th percentile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from migrate.rehearsal import Spread, StepTime, model_of, slowest, spread
from migrate.run.runbook import Runbook
from migrate.sites.configuration import Configuration, Drive
from migrate.steps.kinds import KINDS
from migrate.twin import Twin, TwinRun
from planner.errors import BadInput
from planner.plan import Wave
from planner.settings import Link


@dataclass(frozen=True, slots=True)
class RemedyRehearsal:
    """What a number of rehearsals say. ``down`` is the longest outage of a VM, None without one."""

    wave: str
    runs: int
    steps: int
    outcomes: dict[str, int]
    total: Spread
    down: Spread | None
    slowest: tuple[StepTime, ...]
    passed_over: dict[str, int]


def rehearse_remedies(wave: Wave, runbook: Runbook, link: Link, *, runs: int, seed: int) -> RemedyRehearsal:
    """Run the remedies ``runs`` times on the twin; the same seed gives the same report."""
    if runs < 1:
        raise BadInput(f"{runs} is no number of rehearsals", "ask for at least one")
    model = replace(model_of(wave, link), configurations=_odd(wave, runbook))
    done = [Twin(runbook, model, KINDS, seed + number).run() for number in range(runs)]
    over = Counter(step.title for run in done for step in runbook.steps if step.id not in run.spans)
    down = [max(found) for run in done if (found := _down(runbook, run))]
    return RemedyRehearsal(
        wave=wave.name,
        runs=runs,
        steps=len(runbook.steps),
        outcomes=dict(Counter("done" if len(run.spans) == len(runbook.steps) else "partly" for run in done)),
        total=spread([run.seed_s for run in done]),
        down=spread(down) if down else None,
        slowest=slowest(runbook, done),
        passed_over=dict(over),
    )


def _odd(wave: Wave, runbook: Runbook) -> Mapping[str, Configuration]:
    """Return the configuration of each VM as its steps expect to find it."""
    kinds: dict[str, set[str]] = {}
    for step in runbook.steps:
        kinds.setdefault(step.subject, set()).add(step.kind)
    keys = {
        vm.id: [held.disk for disk in wave.disks for held in disk.attachments if held.vm == vm.id]
        for vm in wave.vms
    }
    return {
        vm: Configuration(
            hw_version=10 if "upgrade-hardware" in found else Configuration().hw_version,
            cbt="enable-cbt" not in found,
            tracking="enable-cbt" not in found,
            modes=tuple((key, "independent_persistent") for key in keys[vm] if "disk-mode" in found),
            drives=(Drive("cdrom", "CD", True, True, "iso"),) if "disconnect-media" in found else (),
            consolidation_needed="consolidate" in found,
        )
        for vm, found in kinds.items()
    }


def _down(runbook: Runbook, run: TwinRun) -> list[float]:
    """Return the seconds that each VM of a run was down, from the order to stop to its answer."""
    return [
        run.spans[step.id][1] - run.spans[step.params["halt"]][0]
        for step in runbook.steps
        if step.kind == "resume" and step.id in run.spans and step.params["halt"] in run.spans
    ]
