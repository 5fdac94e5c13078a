"""How long the steps of a run take on the twin: going forward, out or home, and being taken back.

    wave, line, rates of earlier runs ──▶ Model ──runs of the twin──▶ seconds of every step, run by run
                                                      │
                             turned at its gate ──────┴──▶ seconds of taking every step back

On the way home the twin begins as the commit left both sites: the sources are there, fenced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from migrate.rehearsal import model_of
from migrate.run.compose_failback import exchanged
from migrate.run.history import Mode
from migrate.run.runbook import COMMIT, GO
from migrate.run.store import RunKind
from migrate.steps.kinds import KINDS
from migrate.twin import Model, Twin, TwinRun
from planner.model import Backing

if TYPE_CHECKING:
    from migrate.run.runbook import Step
    from migrate.run.store import Run
    from planner.estimate import Measured
    from planner.plan import Wave
    from planner.settings import Link

_SEED = 1  # of the first run of the twin: everybody is told the same
_MOST, _LEAST, _STEPS = 60, 8, 6_000  # runs of the twin: many of a small runbook, and never too few
_TURNS = {Mode.FORWARD: "", Mode.ROLLBACK: COMMIT, Mode.ABORT: GO}


@dataclass(frozen=True, slots=True)
class TwinTimes:
    """What one run of the twin took: seconds by step, and their medians by kind."""

    steps: Mapping[str, float]
    kinds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Expected:
    """How long each step of a runbook took on the twin: going ``way``, in each of its runs.

    Keeping what a volume wrote in one second at the target takes ``written_s`` seconds, by volume, and never
    longer than ``whole_s``; a volume whose changes nobody can tell is in the latter alone.
    """

    way: Mode
    runs: tuple[TwinTimes, ...]
    written_s: Mapping[str, float]
    whole_s: Mapping[str, float]

    @property
    def is_back(self) -> bool:
        """Whether it is of steps that are taken back."""
        return self.way is not Mode.FORWARD

    def took_s(self, step: Step, run: TwinTimes, on_s: float) -> float:
        """Return how long a step takes as in a run; ``on_s`` is for how long VMs run that are taken back."""
        if not self.is_back:
            return run.steps.get(step.id, 0.0)
        found = run.steps.get(step.id)  # of a round that came later, one of its kind stands for it
        return (run.kinds.get(step.kind, 0.0) if found is None else found) + self._kept_s(step, on_s)

    def _kept_s(self, step: Step, on_s: float) -> float:
        if step.kind != "mark":
            return 0.0
        return sum(
            min(self.written_s[volume] * on_s, self.whole_s[volume])
            if volume in self.written_s
            else self.whole_s.get(volume, 0.0)
            for volume, _ in step.params["volumes"]
        )


def expect(
    run: Run, wave: Wave, link: Link, way: Mode = Mode.FORWARD, rates: Measured | None = None
) -> Expected:
    """Run the runbook of a run on the twin some times: of 6,800 steps three seconds' work.

    ``rates`` are those that earlier runs measured.
    """
    model = _model(run, wave, link, rates)
    number = max(_LEAST, min(_MOST, _STEPS // len(run.runbook.steps)))
    if way is not Mode.FORWARD:
        number = max(_LEAST // 2, number // 3)  # each goes forward first
    found = (Twin(run.runbook, model, KINDS, _SEED + at, turns_at=_TURNS[way]).run() for at in range(number))
    kinds = {step.id: step.kind for step in run.runbook.steps}
    return Expected(
        way,
        tuple(_times(took, kinds) for one in found if (took := dict(_took(one, way)))),
        dict(_written(run, wave, model)),
        {disk.volume: disk.size_bytes / model.compare_bytes_s for disk in wave.disks},
    )


def _times(took: Mapping[str, float], kinds: Mapping[str, str]) -> TwinTimes:
    of: dict[str, list[float]] = {}
    for step, seconds in took.items():
        of.setdefault(kinds[step], []).append(seconds)
    return TwinTimes(took, {kind: median(values) for kind, values in of.items()})


def _took(one: TwinRun, way: Mode) -> Iterator[tuple[str, float]]:
    if way is Mode.FORWARD:
        if COMMIT in one.spans:
            yield from ((step, end - begin) for step, (begin, end) in one.spans.items())
    elif one.back_s is not None and not one.failed_at:
        turned_s = one.ended_s - one.back_s
        yield from ((step, end - begin) for step, (begin, end) in one.spans.items() if begin >= turned_s)


def _written(run: Run, wave: Wave, model: Model) -> Iterator[tuple[str, float]]:
    """Yield what a second of running costs at the end, of disks whose changes the target can tell."""
    home = run.kind is RunKind.FAILBACK
    for disk in wave.disks:
        if (disk.source if home else disk.target) is not Backing.RDM_PHYSICAL:
            yield disk.volume, model.churn_bytes_s / model.compare_bytes_s


def _model(run: Run, wave: Wave, link: Link, rates: Measured | None) -> Model:
    if run.kind is not RunKind.FAILBACK:
        return model_of(wave, link, rates)
    checks = (step.params.get("home") or {} for step in run.runbook.steps if step.kind == "check")
    names: dict[str, str] = next(checks, {})
    return replace(
        model_of(exchanged(wave), link, rates),
        fenced=tuple(
            (vm, names.get(vm, name), False, disks) for vm, name, _, disks in model_of(wave, link).vms
        ),
    )
