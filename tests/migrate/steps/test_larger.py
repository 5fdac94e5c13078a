"""Disks that are larger where they come home from: what check, quiesce, stop and proof make of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.papers.evidence import evidence
from migrate.run.history import Entry, Event, History, Status
from migrate.run.levers import retry_all
from migrate.run.runbook import Step
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Copied
from planner.errors import Blocked, PastEnd, SiteRefused, StepFailed
from planner.model import Backing, Power
from planner.units import KIB, MIB
from tests.migrate.replication.model import MemoryDisk
from tests.migrate.steps.test_split_brain import VM, Scene

VOLUME, SIZE, MORE = "id-web/2000", 8 * MIB, 192 * KIB


class Thick(MemoryDisk):
    def allocated(self):  # type: ignore[no-untyped-def]
        yield 0, len(self.seen)


class Away:
    """A wave at its target, one of whose disks lies on a larger LUN there; it is to come home."""

    def __init__(self, way: str = "failback", more: int = MORE) -> None:
        self.scene = Scene(way)
        self.here, self.there = self.scene.world.source, self.scene.world.target
        self.body = bytearray(SIZE + more)
        for vm, state in self.there.site.vms.items():
            self.there.site.vms[vm] = replace(state, power=Power.OFF)
        for vm, state in self.here.site.vms.items():
            disks = tuple(
                replace(disk, size_bytes=len(self.body), backing=Backing.RDM_VIRTUAL)
                if disk.volume == VOLUME
                else disk
                for disk in state.disks
            )
            self.here.site.vms[vm] = replace(state, power=Power.ON, disks=disks)
        volumes = self.here.site.volumes
        volumes[VOLUME] = replace(volumes[VOLUME], size_bytes=len(self.body))
        self.opened: list[str] = []
        self.here.open_read = self._open  # type: ignore[attr-defined]

    def _open(self, volume: str, snapshot: str | None = None) -> MemoryDisk:
        self.opened.append(volume)
        return Thick(bytes(self.body))

    def step(self, kind: str) -> Step:
        return next(
            step
            for step in self.scene.world.runbook.steps
            if step.kind == kind
            and (kind in ("check", "quiesce") or VM in step.subject or step.subject == VOLUME)
        )

    def act(self, kind: str) -> dict[str, Any]:
        step = self.step(kind)
        result = KINDS[kind].act(self.scene.context(), step, f"1/{step.id}/do1")
        self.scene.history.append(Entry(step.id, Event.INTENT))
        self.scene.history.append(Entry(step.id, Event.DONE, 1, result))
        return result


def test_it_comes_home_as_long_as_zeros_lie_past_it() -> None:
    away = Away()
    result = away.act("check")
    assert result["larger"] == {VOLUME: "zeros, as far as was looked"}
    assert evidence("check", result).endswith(
        "; 1 disk larger than where it goes, of which the beginning comes home: zeros, as far as was looked"
    )
    assert away.opened == [VOLUME], "nobody opens disks that have the size they had"


@pytest.mark.parametrize("at", [SIZE, SIZE + MORE - 1])
def test_the_check_says_which_disk_does_not_fit_and_from_where(at: int) -> None:
    away = Away()
    away.body[at] = 1
    with pytest.raises(Blocked) as refused:
        away.act("check")
    here, there = away.here.site.name, away.there.site.name
    assert refused.value.message == (
        f"web Hard disk 1 at site {here} does not fit onto the one at site {there}: something lies past the "
        f"8.0 MiB ({SIZE} bytes) that it has there, first at byte {at}"
    )
    assert "docs/failback.md" in refused.value.hint
    assert away.here.calls == away.there.calls == {}


def test_a_look_reads_the_ends_of_a_long_tail_and_passes_read_the_rest() -> None:
    away, read = Away(more=80 * MIB), []

    class Long(Thick):
        def read_into(self, buffer: memoryview, offset: int) -> None:
            read.append((offset, offset + len(buffer)))

    away.here.open_read = lambda _volume: Long(SIZE + 80 * MIB)  # type: ignore[attr-defined]
    away.act("check")
    past = sorted(one for one in read if one[0] >= SIZE)
    assert (past[0][0], past[63][1]) == (SIZE, SIZE + 64 * MIB)
    assert past[64:] == [(SIZE + 79 * MIB, SIZE + 80 * MIB)]


def test_what_cannot_be_looked_at_yet_is_left_to_the_passes() -> None:
    away = Away()

    def refuse(volume: str) -> MemoryDisk:
        raise SiteRefused("it is locked", "wait")

    away.here.open_read = refuse  # type: ignore[attr-defined]
    assert away.act("check")["larger"] == {VOLUME: "not looked at yet: it is locked"}


@pytest.mark.parametrize(("way", "more"), [("run", MORE), ("failback", -512)])
def test_one_that_grew_on_its_way_out_or_shrank_on_its_way_home_is_none_of_the_plan(
    way: str, more: int
) -> None:
    away = Away(way, more)
    if way == "run":  # to where nothing is yet
        away.there.site.vms.clear()
        away.there.site.volumes.clear()
    with pytest.raises(Blocked, match="the plan says"):
        away.act("check")
    with pytest.raises(StepFailed, match="are not those of the plan"):
        away.act("stop")


def test_nothing_stops_when_something_lies_past_it_by_then() -> None:
    away = Away()
    away.act("check")
    away.body[SIZE + 5] = 1
    with pytest.raises(PastEnd, match=r"^web Hard disk 1 at site"):
        KINDS["quiesce"].act(away.scene.context(), away.step("quiesce"), "1/q/do1")
    assert away.here.calls == {}
    away.body[SIZE + 5] = 0
    KINDS["quiesce"].act(away.scene.context(), away.step("quiesce"), "1/q/do2")
    KINDS["stop"].act(away.scene.context(), away.step("stop"), "1/s/do1")
    assert away.here.site.vms[VM].power is Power.OFF


def test_the_proof_says_that_it_has_its_old_size_again() -> None:
    away = Away()
    away.there.open_read = lambda volume: MemoryDisk(SIZE)  # type: ignore[attr-defined]
    proved = KINDS["verify"].act(away.scene.context(), away.step("verify"), "1/v/do1")
    assert proved["sectors"] == [(SIZE + MORE) // 512, SIZE // 512]
    said = "no partition table; 384 sectors past its end stayed behind, all of them zeros"
    assert proved["table"] == said
    assert evidence("verify", proved).endswith(said)


class _Finds:
    """Transfers that find something past the end, in one snapshot after another."""

    def __init__(self, away: Away) -> None:
        self.away = away

    def copy(self, *_: Any) -> Copied:
        raise PastEnd("something lies past it", "clear it away, then run the verb again")

    def compare(self, *_: Any, larger: bool) -> Any:
        assert larger
        raise PastEnd("something lies past it", "clear it away, then run the verb again")


@pytest.mark.parametrize(("kind", "first"), [("transfer", "clear"), ("verify", "roll back, so that it runs")])
def test_who_finds_it_names_the_disk_and_says_what_helps(kind: str, first: str) -> None:
    away = Away()
    away.scene.world.transfers = _Finds(away)  # type: ignore[assignment]
    step = away.step(kind)
    away.scene.history.results["g0/snapshot/0"] = {"id": "s", "changes": {}, "label": "crash"}
    with pytest.raises(PastEnd, match=r"^web Hard disk 1 at site .*: something lies past it$") as found:
        KINDS[kind].act(away.scene.context(), step, "1/x/do1")
    assert found.value.hint.startswith(first)


def _failed(error: str) -> History:
    away = Away()
    history = away.scene.history
    for step in away.scene.world.runbook.steps:
        if step.id == "g0/drop/0":
            return history
        ended = Event.FAILED if step.kind == "transfer" and step.subject == VOLUME else Event.DONE
        detail = {"error": error, "message": "it lies there"} if ended is Event.FAILED else {"id": "s"}
        history.append(Entry(step.id, Event.INTENT))
        history.append(Entry(step.id, ended, 1, detail))
    raise AssertionError


def test_a_retry_takes_another_snapshot_for_the_first_holds_it_for_ever() -> None:
    history = _failed(PastEnd.code)
    retry_all(history, history)  # type: ignore[arg-type]
    last = history.entries[-1]
    assert (last.step, last.event, last.detail) == ("g0/snapshot/0", Event.GIVEN_UP, {"why": "it lies there"})
    assert history.gives_up("g0/snapshot/0")
    history.append(Entry("g0/drop/0", Event.INTENT))
    history.append(Entry("g0/drop/0", Event.DONE))
    assert history.status["g0/snapshot/0"] is Status.PENDING
    other = _failed(StepFailed.code)
    retry_all(other, other)  # type: ignore[arg-type]
    assert other.entries[-1].event is Event.RETRY, "what failed otherwise is read again"
