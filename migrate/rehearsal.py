"""Rehearsal on the twin: many runs of one wave's runbook, and what they say.

Durations are reported as median and 95th percentile. Line, comparison, passes and churn are as earlier
runs measured them, where they did. Faults can be injected by the name of a site call, or all of them, one
in each run; the report says whether a run went on, or went back and how long that took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from statistics import quantiles

from migrate.rehearsals.matrix import Matrix, strike_all
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.patience import Patience
from migrate.run.runbook import COMMIT, GO, Runbook
from migrate.run.step_phases import CUTOVER, phase_of
from migrate.sites.ports import DiskState
from migrate.steps.kinds import KINDS
from migrate.twin import Model, Twin, TwinRun
from planner.errors import BadInput
from planner.estimate import CHURN_PER_DAY, COMPARE_BYTES_S, Measured, goodput_bytes_s
from planner.plan import Wave
from planner.settings import Link

FAULTS = {  # calls of a run that goes forward, and the site that is asked
    "take_snapshot": "source",
    "drop_snapshot": "source",
    "quiesce": "source",
    "shut_down": "source",
    "rename": "source",
    "connect_nics": "source",
    "annotate": "source",
    "create_disk": "target",
    "create_vm": "target",
    "power_on": "target",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile in seconds."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long one step took over all runs."""

    step: str
    title: str
    time: Spread


@dataclass(frozen=True, slots=True)
class StepSpan:
    """A step of one run, and when it began and ended, in seconds after the run's start."""

    step: str
    title: str
    kind: str
    phase: str
    begin_s: float
    end_s: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """How one run went, step by step; ``go_s`` and ``commit_s`` are its gates, None when never reached."""

    seed: int
    outcome: str
    go_s: float | None
    commit_s: float | None
    ended_s: float
    steps: tuple[StepSpan, ...]


@dataclass(frozen=True, slots=True)
class Worst:
    """The run that took longest from gate to gate, and the step that took longest in it."""

    seed: int
    cutover_s: float
    slowest: str
    slowest_s: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a number of rehearsals of one wave say.

    ``down`` is the longest outage of any VM in a run, ``took`` every cutover in seconds, both of runs that
    were committed (``took`` of all runs when none was); ``course`` is the first run step by step;
    ``phases`` is what each phase took in those runs, from its first step's begin to its last one's end;
    ``measured`` names the runs whose rates it rests on, none where all is modelled. ``runs`` and all
    figures are of the runs without a fault of the ``matrix``, None when that was not asked for.
    """

    wave: str
    fingerprint: str
    runs: int
    steps: int
    outcomes: dict[str, int]
    seed: Spread
    cutover: Spread
    back: Spread | None
    window_s: float | None
    fits: float | None  # share of runs whose cutover fits into the window
    slowest: tuple[StepTime, ...]
    failed_at: dict[str, int]
    fault: str
    seed_used: int
    down: Spread | None
    took: tuple[float, ...]
    worst: Worst
    course: Course
    measured: tuple[str, ...] = ()
    matrix: Matrix | None = None
    phases: dict[str, Spread] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """True when every calm run was committed within its window and no fault of the matrix is grave."""
        grave = self.matrix is not None and any(one.grave for one in self.matrix.struck)
        return set(self.outcomes) == {Outcome.COMMITTED.value} and self.fits in (None, 1.0) and not grave


def model_of(wave: Wave, link: Link, rates: Measured | None = None) -> Model:
    """Return the plain data a twin needs of a wave; ``rates`` stand in for the rules of thumb."""
    known = rates or Measured()
    disks: dict[str, list[DiskState]] = {vm.id: [] for vm in wave.vms}
    for disk in wave.disks:
        for held in disk.attachments:
            disks[held.vm].append(
                DiskState(held.disk, disk.volume, disk.size_bytes, disk.source, disk.source_lun)
            )
    return Model(
        vms=tuple((vm.id, vm.name, vm.powered_on, tuple(disks[vm.id])) for vm in wave.vms),
        rate_bytes_s=known.link_bytes_s or goodput_bytes_s(link),
        churn_bytes_s=_churn_bytes_day(wave, known)
        / max(sum(not disk.left_out for disk in wave.disks), 1)
        / 86400,
        compare_bytes_s=known.compare_bytes_s or COMPARE_BYTES_S[0],
        pass_s=known.pass_s or 0.0,
    )


def _churn_bytes_day(wave: Wave, known: Measured) -> float:
    """Return what a wave writes a day: of each VM as measured, else a share of its disks.

    What is written to disks that are left out never travels.
    """
    size_of: dict[str, int] = {}
    for disk in wave.disks:
        if disk.left_out:
            continue
        first = disk.attachments[0].vm
        size_of[first] = size_of.get(first, 0) + disk.size_bytes
    share = CHURN_PER_DAY * (1.0 if known.churn is None else known.churn)
    return sum(known.churn_bytes_day.get(vm, size * share) for vm, size in size_of.items())


def rehearse(
    wave: Wave,
    link: Link,
    *,
    runs: int,
    seed: int,
    fault: str = "",
    matrix: bool = False,
    rates: Measured | None = None,
    patience: Patience | None = None,
    unfrozen: Collection[str] = (),
    report: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """Run the wave's runbook ``runs`` times on the twin; the same seed gives the same report.

    ``report`` is told how many runs are done, of how many. ``fault`` is one of ``FAULTS``: that call
    then always fails. With ``matrix`` up to three quarters of the runs have one fault of the matrix each.
    ``rates`` are what runs measured, ``patience`` is that with which steps are tried again, None for the
    default. ``unfrozen`` are the volumes that the source cannot freeze, besides physical RDMs. Raises
    BadInput for another fault.
    """
    if runs < 1:
        raise BadInput(f"{runs} is no number of rehearsals", "ask for at least one")
    if fault and fault not in FAULTS:
        raise BadInput(f"fault {fault!r} is not known", f"use one of: {', '.join(sorted(FAULTS))}")
    if fault and matrix:
        raise BadInput("one fault and the matrix of all faults were asked for", "leave one of them out")
    runbook = compose(wave, unfrozen=unfrozen)
    model = replace(model_of(wave, link, rates), patience=patience or Patience())
    window_s = wave.window.hours * 3600 if wave.window else None
    struck = None
    if matrix:
        struck = strike_all(
            runbook,
            seed,
            runs * 3 // 4,
            window_s,
            lambda strike: Twin(runbook, model, KINDS, seed, strike=strike).run(),
            lambda number: report(number, runs) if report is not None else None,
        )
    calm = runs - len(struck.struck) if struck is not None else runs
    at: dict[str, dict[str, int]] = {"source": {}, "target": {}}
    if fault:
        at[FAULTS[fault]][fault] = 1_000_000
    done: list[TwinRun] = []
    for number in range(calm):
        done.append(Twin(runbook, model, KINDS, seed + number, at["source"], at["target"]).run())
        if report is not None:
            report(runs - calm + len(done), runs)
    committed = [run for run in done if run.outcome is Outcome.COMMITTED]
    whole = committed or done
    outages = [max(_outages(runbook, run), default=0.0) for run in committed]
    return Rehearsal(
        wave=wave.name,
        fingerprint=wave.fingerprint,
        runs=calm,
        steps=len(runbook.steps),
        outcomes=dict(Counter(run.outcome.value for run in done)),
        seed=spread([run.seed_s for run in done]),
        cutover=spread([run.cutover_s for run in whole]),
        back=spread(back) if (back := [run.back_s for run in done if run.back_s is not None]) else None,
        window_s=window_s,
        fits=None if window_s is None else sum(_fits(run, window_s) for run in done) / calm,
        slowest=slowest(runbook, done),
        failed_at=dict(Counter(runbook.step(run.failed_at).title for run in done if run.failed_at)),
        fault=fault,
        seed_used=seed,
        down=spread(outages) if outages else None,
        took=tuple(run.cutover_s for run in whole),
        worst=_worst(runbook, whole, done, seed),
        course=_course(runbook, done[0], seed),
        measured=rates.runs if rates else (),
        matrix=struck,
        phases=_phases(runbook, whole),
    )


def _outages(runbook: Runbook, run: TwinRun) -> Iterator[float]:
    """Yield how long each VM that ran was down: from its stop to the probe it passed."""
    stopped = {
        step.subject: run.spans[step.id][0]
        for step in runbook.steps
        if step.kind == "stop" and step.id in run.spans
    }
    for step in runbook.steps:
        if step.kind == "probe" and step.id in run.spans and step.subject in stopped:
            yield run.spans[step.id][1] - stopped[step.subject]


def _phases(runbook: Runbook, whole: list[TwinRun]) -> dict[str, Spread]:
    phases = {step.id: phase_of(step) for step in runbook.steps}
    took: dict[str, list[float]] = {}
    for run in whole:
        ends: dict[str, tuple[float, float]] = {}
        for step, (begin, end) in run.spans.items():
            if name := phases.get(step):
                first, last = ends.get(name, (begin, end))
                ends[name] = min(first, begin), max(last, end)
        for name, (first, last) in ends.items():
            took.setdefault(name, []).append(last - first)
    return {name: spread(values) for name, values in took.items()} | {
        CUTOVER: spread([run.cutover_s for run in whole])
    }


def _worst(runbook: Runbook, whole: list[TwinRun], done: list[TwinRun], seed: int) -> Worst:
    run = max(whole, key=lambda one: one.cutover_s)
    go_s = run.spans[GO][0] if GO in run.spans else 0.0
    took = {step: end - begin for step, (begin, end) in run.spans.items() if begin >= go_s}
    slowest = max(took or {runbook.steps[0].id: 0.0}, key=lambda step: took.get(step, 0.0))
    return Worst(seed + done.index(run), run.cutover_s, runbook.step(slowest).title, took.get(slowest, 0.0))


def _course(runbook: Runbook, run: TwinRun, seed: int) -> Course:
    go_s, commit_s = (run.spans[gate][0] if gate in run.spans else None for gate in (GO, COMMIT))
    steps = tuple(
        StepSpan(step.id, step.title, step.kind, step.phase.value, begin, end, step.id == run.failed_at)
        for step in runbook.steps
        if step.id in run.spans
        for begin, end in [run.spans[step.id]]
    )
    ended_s = max((step.end_s for step in steps), default=0.0)
    return Course(seed, run.outcome.value, go_s, commit_s, ended_s, steps)


def _fits(run: TwinRun, window_s: float) -> bool:
    return run.outcome is Outcome.COMMITTED and run.cutover_s <= window_s


def spread(values: list[float]) -> Spread:
    """Return median and 95th percentile of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0])
    cuts = quantiles(values, n=20, method="inclusive")
    return Spread(cuts[9], cuts[18])


def slowest(runbook: Runbook, done: list[TwinRun]) -> tuple[StepTime, ...]:
    """Return the five steps that took longest in the slow runs, the slowest first."""
    times = [
        StepTime(step.id, step.title, spread(took))
        for step in runbook.steps
        if (took := [run.spans[step.id][1] - run.spans[step.id][0] for run in done if step.id in run.spans])
    ]
    return tuple(sorted(times, key=lambda item: -item.time.p95)[:5])
