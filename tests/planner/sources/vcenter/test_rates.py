"""Write rates: summed over disks, counted once, and known from two values on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.model import Power
from planner.sources.vcenter.answers import Fault
from planner.sources.vcenter.collector import Collector
from planner.sources.vcenter.rates import Rates, Sample, Sampler, sample_rates
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref
from tests.planner.sources.vcenter.logins import NO_WAIT, login_of
from tests.vcenter.estate import everything
from tests.vcenter.fixtures import StartVCenter

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: int, rate: float) -> Sample:
    return Sample(NOON + timedelta(seconds=seconds), rate)


def series(instance: str, *values: int) -> dict[str, Any]:
    return {
        "@": "PerfMetricIntSeries",
        "id": {"counterId": "1", "instance": instance},
        "value": [str(v) for v in values],
    }


def answer(vm: str, seconds: list[int], *columns: dict[str, Any]) -> dict[str, Any]:
    info = [{"timestamp": (NOON + timedelta(seconds=at)).isoformat(), "interval": "20"} for at in seconds]
    return {"entity": vm, "sampleInfo": info, "value": list(columns)}


class Told:
    """A stand-in for session and collector that answers as told, refusing batches with a refused machine."""

    def __init__(self, *answers: dict[str, Any], refused: frozenset[str] = frozenset()) -> None:
        self.answers = {item["entity"]: item for item in answers}
        self.refused = refused
        self.batches: list[list[str]] = []
        self.session = self

    def ask(self, act: Any) -> str:
        return "PerfMgr"

    def read_these(self, kind: Any, targets: list[Ref], keep: Any) -> list[Any]:
        return [["1"]]

    def persist(self, kind: Any, once: Any) -> Any:
        return once()

    def call(self, method: str, this: Ref, body: str) -> list[Any]:
        batch = [part.partition("<")[0] for part in body.split('type="VirtualMachine">')[1:]]
        self.batches.append(batch)
        if self.refused & set(batch):
            raise Fault("NoPermission")
        return [self.answers[vm] for vm in batch if vm in self.answers]


def sampler(told: Told) -> Sampler:
    return Sampler(told)  # type: ignore[arg-type]


def test_disks_are_summed_and_times_sorted() -> None:
    told = Told(answer("vm-1", [40, 20, 0], series("scsi0:0", 3, 2, 1), series("scsi0:1", 30, -1, 10)))
    assert sampler(told).look(["vm-1"]) == {"vm-1": [at(0, 11 * 1024), at(20, 2 * 1024), at(40, 33 * 1024)]}


def test_a_sum_beside_its_parts_does_not_count() -> None:
    told = Told(answer("vm-1", [0], series("", 99), series("scsi0:0", 3)), answer("vm-2", [0], series("", 7)))
    found = sampler(told).look(["vm-1", "vm-2"])
    assert [samples[0].bytes_s for samples in found.values()] == [3 * 1024, 7 * 1024]


def test_values_of_an_earlier_look_do_not_count_again() -> None:
    told = Told(answer("vm-1", [0, 20], series("scsi0:0", 1, 2)))
    looking = sampler(told)
    assert len(looking.look(["vm-1"])["vm-1"]) == 2
    assert looking.look(["vm-1"]) == {}
    told.answers["vm-1"] = answer("vm-1", [20, 40], series("scsi0:0", 2, 3))
    assert looking.look(["vm-1"]) == {"vm-1": [at(40, 3 * 1024)]}


def test_one_refused_machine_does_not_hide_its_neighbours() -> None:
    vms = [f"vm-{number}" for number in range(100)]
    told = Told(*(answer(vm, [0], series("scsi0:0", 1)) for vm in vms), refused=frozenset({"vm-7", "vm-90"}))
    looking = sampler(told)
    assert set(looking.look(vms)) == set(vms) - told.refused
    assert looking.notes == ("2 virtual machines do not tell how much they write: their rates are unknown",)
    assert len(told.batches) < 40


def test_when_all_are_refused_not_all_are_asked() -> None:
    vms = [f"vm-{number}" for number in range(5000)]
    told = Told(refused=frozenset(vms))
    looking = sampler(told)
    assert looking.look(vms) == {}
    assert "5,000 virtual machines" in looking.notes[0]
    assert len(told.batches) < 200


def test_rates_over_time() -> None:
    rates = Rates()
    assert (rates.mean_bytes_s("vm-1"), rates.churn_bytes_day("vm-1"), rates.count("vm-1")) == (None, None, 0)
    rates.add({"vm-1": [at(0, 100)]})
    assert rates.churn_bytes_day("vm-1") is None  # one value is none
    rates.add({"vm-1": [at(20 * step, float(step)) for step in range(1, 100)]})
    assert rates.count("vm-1") == 100
    assert rates.mean_bytes_s("vm-1") == (100 + sum(range(1, 100))) / 100
    assert rates.p95_bytes_s("vm-1") == 95
    assert rates.span_s("vm-1") == 2000
    assert rates.churn_bytes_day("vm-1") == round(50.5 * 86400)


def test_a_long_watch_stays_small_and_right() -> None:
    rates = Rates()
    count = 50_000
    for begin in range(0, count, 100):
        rates.add({"vm-1": [at(20 * step, float(step % 100)) for step in range(begin, begin + 100)]})
    assert rates.count("vm-1") == count
    assert rates.mean_bytes_s("vm-1") == pytest.approx(49.5)
    kept = rates._series["vm-1"].values
    assert len(kept) <= 1024
    assert sum(kept) / len(kept) == pytest.approx(49.5, rel=0.01)
    assert rates.p95_bytes_s("vm-1") == pytest.approx(49.5, rel=0.5)


def test_rates_of_a_vcenter(vcenter: StartVCenter, tmp_path: Path) -> None:
    """The estate says what its machines write a day; so does the vCenter's counter."""
    from planner.sources.document import dump_document

    said = everything()
    database = said.vms[0]
    assert database.churn_bytes_day
    document = tmp_path / "estate.json"
    document.write_text(
        dump_document(replace(said, vms=(database,), clusters=(), resource_pools=())), "utf-8"
    )
    with Session(login_of(vcenter("-estate", str(document)))) as session:
        found = sample_rates(Collector(session, **NO_WAIT), ["vm-101"])
    assert database.power is Power.ON
    assert found["vm-101"] * 86400 == pytest.approx(database.churn_bytes_day, rel=0.01)


def test_a_vcenter_without_rates_to_tell(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    with Session(login_of(peer)) as session:
        looking = Sampler(Collector(session, **NO_WAIT))
        peer.rules([{"method": "QueryPerf", "fault": "NoPermission"}])
        assert looking.look(["vm-1"]) == {}
        assert looking.notes
        peer.rules([{"method": "QueryPerf", "count": 1, "expire": True}])
        looking.look(["vm-1"])
        assert peer.fired() == [1]


def test_no_counter_no_rates(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    peer.rules([{"kind": "PerformanceManager", "missing": ["perfCounter"]}])
    with Session(login_of(peer)) as session:
        looking = Sampler(Collector(session, **NO_WAIT))
        assert looking.look(["vm-1"]) == {}
    assert "no counter" in looking.notes[0]
