"""How much machines write: the real-time counter ``virtualDisk.write.average``, gathered over time.

A vCenter keeps its 20-second values for an hour; each look takes those since the last one, so that
nothing counts twice. What the guest overwrites within a value counts in full: the rate is that of
writes, an upper bound of the blocks that change.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from planner.sources.vcenter.answers import VIM, Fault, Value
from planner.sources.vcenter.collector import Collector
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.session import EXPIRED
from planner.sources.vcenter.soap import Ref, ref
from planner.sources.vcenter.values import at, many, moment, number, text
from planner.units import KIB

INTERVAL_S = 20
_MOST_VALUES = 180  # an hour, which is all that is kept
_BATCH = 64  # machines a call
_KEPT = 1024  # values of one machine; beyond, neighbours are averaged
_DAY_S = 86_400
_REFUSALS = 20  # of single machines in one look; then the rest is not asked


class Sample(NamedTuple):
    """One value: bytes per second over the 20 seconds that ended at a time."""

    ended: datetime
    bytes_s: float


def _write_counter(element: Any) -> Value:
    """Return the ids of our counter among the hundreds there are."""
    return [
        item.findtext(VIM + "key") or ""
        for item in element
        if item.findtext(f"{VIM}groupInfo/{VIM}key") == "virtualDisk"
        and item.findtext(f"{VIM}nameInfo/{VIM}key") == "write"
        and item.findtext(VIM + "rollupType") == "average"
    ]


_COUNTERS = Kind(
    "performance counters", (), {"PerformanceManager": ("perfCounter",)}, {"perfCounter": _write_counter}
)


class Sampler:
    """Asks a vCenter for the values since its last look. ``notes`` says what that did not tell."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._last: dict[str, datetime] = {}
        self._counter: str | None = None
        self.notes: tuple[str, ...] = ()

    def look(self, vms: Iterable[str]) -> dict[str, list[Sample]]:
        """Return the new values by VM id, oldest first, of machines that run.

        Machines that are refused are left out and counted in ``notes``. Raises BadInput, Unreachable.
        """
        manager = self._manager()
        if self._counter is None:
            self._counter = self._find_counter(manager)
        if not self._counter:
            self.notes = ("this vCenter shows no counter of disk writes: rates are unknown",)
            return {}
        wanted = list(vms)
        batches = [wanted[begin : begin + _BATCH] for begin in range(0, len(wanted), _BATCH)]
        found: dict[str, list[Sample]] = {}
        refused = 0
        while batches and refused < _REFUSALS:
            batch = batches.pop(0)
            answers = self._ask(manager, batch)
            if answers is not None:
                for answer in answers:
                    self._take(answer, found)
            elif len(batch) > 1:
                half = len(batch) // 2
                batches[:0] = [batch[:half], batch[half:]]
            else:
                refused += 1
        left = refused + sum(len(batch) for batch in batches)
        self.notes = (
            (f"{left:,} virtual machines do not tell how much they write: their rates are unknown",)
            if left
            else ()
        )
        return found

    def _manager(self) -> Ref:
        session = self._collector.session
        return Ref("PerformanceManager", session.ask(lambda content: content.perfManager._GetMoId()))

    def _find_counter(self, manager: Ref) -> str:
        found = self._collector.read_these(_COUNTERS, [manager], lambda item: item.values.get("perfCounter"))
        return next((key for keys in found for key in many(keys)), "")

    def _ask(self, manager: Ref, batch: Sequence[str]) -> list[Any] | None:
        """Return the answers of a batch; None when it is refused: one machine of it may be the reason."""
        specs = "".join(
            f"<querySpec>{ref('entity', Ref('VirtualMachine', vm))}<maxSample>{_MOST_VALUES}</maxSample>"
            f"<metricId><counterId>{self._counter}</counterId><instance>*</instance></metricId>"
            f"<intervalId>{INTERVAL_S}</intervalId><format>normal</format></querySpec>"
            for vm in batch
        )

        def once() -> list[list[Any]]:
            try:
                return [self._collector.session.call("QueryPerf", manager, specs)]
            except Fault as fault:
                if fault.kind == EXPIRED:
                    raise
                return []

        answers = self._collector.persist(_COUNTERS, once)
        return answers[0] if answers else None

    def _take(self, answer: Any, found: dict[str, list[Sample]]) -> None:
        vm = text(answer, "entity")
        series = [entry for entry in many(answer, "value") if at(entry, "id") is not None]
        # Each disk has a series of its own; one without an instance is their sum.
        series = [entry for entry in series if text(entry, "id", "instance")] or series
        columns = [[number(value) for value in many(entry, "value")] for entry in series]
        last = self._last.get(vm)
        samples = []
        for row, info in enumerate(many(answer, "sampleInfo")):
            ended = _time(info)
            values = [column[row] for column in columns if row < len(column)]
            # -1 stands for a value that was not taken.
            known = [value for value in values if value is not None and value >= 0]
            if ended is None or not known or (last is not None and ended <= last):
                continue
            samples.append(Sample(ended, sum(known) * KIB))
        if samples:
            samples.sort()
            self._last[vm] = samples[-1].ended
            found.setdefault(vm, []).extend(samples)


def _time(info: Any) -> datetime | None:
    said = moment(info, "timestamp")
    return datetime.fromisoformat(said).astimezone(UTC) if said else None


@dataclass(slots=True)
class _Series:
    first: datetime
    last: datetime
    count: int = 0
    total: float = 0.0
    values: array[float] = field(default_factory=lambda: array("d"))
    width: int = 1  # values that one kept value stands for
    _begun: list[float] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        self.first, self.last = min(self.first, sample.ended), max(self.last, sample.ended)
        self.count += 1
        self.total += sample.bytes_s
        self._begun.append(sample.bytes_s)
        if len(self._begun) < self.width:
            return
        self.values.append(sum(self._begun) / self.width)
        self._begun.clear()
        if len(self.values) >= _KEPT:
            pairs = zip(self.values[::2], self.values[1::2], strict=False)
            self.values = array("d", [(a + b) / 2 for a, b in pairs])
            self.width *= 2


@dataclass(slots=True)
class Rates:
    """What machines wrote while they were watched. Bounded: about 8 KiB a machine at the most."""

    _series: dict[str, _Series] = field(default_factory=dict)

    def add(self, looked: Mapping[str, Sequence[Sample]]) -> None:
        """Take in the values of one look."""
        for vm, samples in looked.items():
            for sample in samples:
                held = self._series.get(vm)
                if held is None:
                    held = self._series[vm] = _Series(sample.ended, sample.ended)
                held.add(sample)

    def count(self, vm: str) -> int:
        """Return how many values there are of a machine."""
        return self._series[vm].count if vm in self._series else 0

    def span_s(self, vm: str) -> float:
        """Return the time that the values of a machine cover, in seconds."""
        held = self._series.get(vm)
        return (held.last - held.first).total_seconds() + INTERVAL_S if held else 0.0

    def mean_bytes_s(self, vm: str) -> float | None:
        """Return the mean rate, None with less than two values."""
        held = self._series.get(vm)
        return held.total / held.count if held and held.count > 1 else None

    def p95_bytes_s(self, vm: str) -> float | None:
        """Return the rate that 95 % of the values do not pass, None with less than two.

        By the nearest rank. Of long watches it is that of means over minutes.
        """
        held = self._series.get(vm)
        if not held or held.count < 2 or not held.values:
            return None
        ranked = sorted(held.values)
        return ranked[max(-(-len(ranked) * 95 // 100) - 1, 0)]

    def churn_bytes_day(self, vm: str) -> int | None:
        """Return what a machine writes in a day at its mean rate, None with less than two values."""
        mean = self.mean_bytes_s(vm)
        return None if mean is None else round(mean * _DAY_S)


def sample_rates(collector: Collector, vms: Iterable[str]) -> dict[str, float]:
    """Return the mean rate of the last hour in bytes per second by VM id; unknown ones are absent."""
    rates = Rates()
    rates.add(Sampler(collector).look(vms))
    return {vm: mean for vm in rates._series if (mean := rates.mean_bytes_s(vm)) is not None}
