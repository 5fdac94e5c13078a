"""The datastore of the source runs full while a pass reads from our snapshot: it is given up in time, by hand
of nobody, and kill -9 at any moment of that.

The lab's VMs write all the time. What fills the datastore is told by the test: it is about to be full in the
middle of one pass, and has room again once the run says that it waits for that.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from migrate.daemons.receiver import asked_receiver
from migrate.movers.pool import Pool
from migrate.movers.transfers import Generations, Shares
from migrate.replication import sender, sending
from migrate.run import controls, cycles, execute
from migrate.run import store as runs
from migrate.run.board import Board
from migrate.run.driver import Stopped, Told
from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.run.history import Event, History
from migrate.run.means import Hauling, Means
from migrate.run.room_watch import RoomWatch
from migrate.sites.lab.client import LabSite
from migrate.sites.rooms import Room
from migrate.status import project_status
from migrate.transfers.ports import Moving
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate, committed, everywhere
from tests.faults.killlab import WAVE
from tests.faults.labrun import Ended, Lab, Verb, kill_at
from tests.faults.scenario import every, finish
from tests.faults.test_cycles import cycle, whole
from tests.faults.unlike import told
from tests.faults.witness import read_witness

CAPACITY, RESERVE, LOW = 1000, 50, 10
VOLUME, DISK = "db/2000", "g0/d0"  # the largest disk of the lab


@dataclass(frozen=True, slots=True)
class Store:
    """The datastore of the source, as a file that outlives a driver."""

    root: Path

    @property
    def _path(self) -> Path:
        return self.root / "store.json"

    @property
    def free(self) -> int:
        return int(json.loads(self._path.read_text())["free"]) if self._path.exists() else CAPACITY

    @property
    def was_low(self) -> bool:
        return self._path.exists()

    def has(self, free: int) -> None:
        new = self._path.with_suffix(".new")  # the watch reads it at any moment
        new.write_text(json.dumps({"free": free}))
        new.replace(self._path)

    def rooms(self) -> tuple[Room, ...]:
        return (Room("gold", self.free, CAPACITY, RESERVE),)

    def waits(self) -> str:
        return "" if self.free >= RESERVE else "room on datastore gold"


@contextmanager
def watched(store: Store, floor: float | None = None) -> Iterator[list[RoomWatch]]:
    """Have the lab's sites say how much room there is, and runs look at it all the time."""
    made: list[RoomWatch] = []

    def watch(site: Any, history: History, clock: Any, said: Callable[[], float]) -> RoomWatch:
        made.append(RoomWatch(site, history, clock, said if floor is None else lambda: floor, look_s=0.005))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LabSite, "rooms", lambda _self, _vms: store.rooms(), raising=False)
        patch.setattr(LabSite, "snapshot_waits", lambda _self, _vm: store.waits(), raising=False)
        patch.setattr(execute, "RoomWatch", watch)
        patch.setattr(sending, "_REPORT_S", 0.0)
        patch.setattr(sender, "_WINDOW", 1)  # blocks that are read ahead of the one that is told
        yield made


def filling(
    during: str, run: Callable[[Project, Onlooker], Stopped], *, back: bool = True, floor: float | None = None
) -> Verb:
    """Return a verb in which the datastore fills up in the middle of the first pass ``…/during``.

    With ``back`` there is room again when the run waits for it; else somebody pauses the run then.
    """

    def verb(project: Project, onlooker: Onlooker) -> Stopped:
        store, begun = Store(project.root), set()

        def tell(told: Told) -> None:
            if told.event is Event.INTENT:
                begun.add(told.step.id)
            if told.event is Event.HELD and "room on" in told.detail["why"]:
                (project.root / "seen.json").write_text(json.dumps(look(project)))
                if back:
                    store.has(CAPACITY)
                else:
                    controls.ask_to_pause(project, WAVE)

        def report(moving: Moving) -> None:
            is_that = f"{DISK}/{during}" in begun and moving.volume == VOLUME
            if is_that and moving.done_bytes and not store.was_low:
                store.has(LOW)
                while floor != 0 and not made[-1].stops(VOLUME):
                    time.sleep(0.001)  # a look is due

        with watched(store, floor) as made:
            return run(project, replace(onlooker, tell=tell, report=report))

    return verb


def look(project: Project) -> dict[str, Any]:
    """Return what people see while the run waits."""
    status = project_status(project)
    (wave,) = status.waves
    return {"held": wave.held, "needs": [f"{need.text}; {need.hint}" for need in status.needs]}


def replicate(project: Project, onlooker: Onlooker) -> Stopped:
    return carry_out(project, WAVE, Purpose.REPLICATE, onlooker).stopped


def by_movers(purpose: Purpose) -> Verb:
    """Return a verb that goes as an engine's does: by movers."""

    def verb(project: Project, onlooker: Onlooker) -> Stopped:
        with Pool() as pool:
            hauling = Hauling(pool, Shares(), Generations(), Board(), pool)
            return carry_out(project, WAVE, purpose, onlooker, means=Means(hauling=hauling)).stopped

    return verb


def history_of(lab: Lab) -> History:
    with lab.project() as project:
        run = runs.latest(project, WAVE)
        assert run is not None
        return runs.history(project, run)


def rounds_given_up(history: History) -> Counter[str]:
    return Counter(entry.step for entry in history.entries if entry.event is Event.GIVEN_UP)


def modes(history: History, step: str) -> list[str]:
    """Return how each pass of a step came to an end that did."""
    done = [one.detail for one in history.entries if one.step == step and one.event is Event.DONE]
    return [str(one["mode"]) for one in done]


def moved(lab: Lab, cutover: Purpose | Verb = Purpose.CUTOVER) -> list[str]:
    """Cut over and commit; return what is wrong, but that a round which was given up was made twice."""
    ended = lab.drive(cutover)
    assert ended.gate == "commit", ended
    wrong = at_commit_gate(lab)
    finish(lab, Purpose.COMMIT)
    given_up = rounds_given_up(history_of(lab))
    again = tuple(f"take_snapshot {step} {times + 1} times" for step, times in given_up.items())
    told = [one for one in committed(lab) if not one.endswith(" began again after it was done")]
    return wrong + [one for one in told if not any(_is_of(one, said) for said in again)]


def _is_of(said: str, again: str) -> bool:
    call, step, times, _ = again.split(" ")
    return f"asked to {call} " in said and f"/{step} {times} times" in said


def test_a_seed_is_given_up_and_the_half_done_disk_is_compared(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "full-seed") as lab:
        ended = lab.drive(filling("seed", replicate))
        assert ended.gate == "go", ended
        history = history_of(lab)
        assert rounds_given_up(history) == {"g0/snapshot/0": 1}
        assert modes(history, f"{DISK}/seed") == ["compare"]
        seen = json.loads((lab.root / "seen.json").read_text())
        said = "(datastore gold had 10 B left of 1000 B, so"
        assert said in seen["held"]
        assert "snapshot 0 was given up)" in seen["held"]
        assert any(said in need and "; free space there" in need for need in seen["needs"])
        assert moved(lab) == []


def test_a_delta_is_given_up_and_the_half_done_disk_is_compared(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "full-delta") as lab:
        finish(lab, Purpose.REPLICATE)
        number = whole(lab)[-1] + 1
        ended = lab.drive(filling(f"delta/{number}", cycle))
        assert ended.gate == "go", ended
        history = history_of(lab)
        assert rounds_given_up(history) == {f"g0/snapshot/{number}": 1}
        assert whole(lab)[-1] == number, "it was made in the end"
        assert modes(history, f"{DISK}/delta/{number}") == ["compare"]
        assert moved(lab) == []


def test_movers_stop_as_well(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "full-movers") as lab:
        ended = lab.drive(filling("seed", by_movers(Purpose.REPLICATE)))
        assert ended.gate == "go", ended
        history = history_of(lab)
        assert rounds_given_up(history) == {"g0/snapshot/0": 1}
        assert modes(history, f"{DISK}/seed")[-1] in ("compare", "delta")  # as it was half done, or whole
        assert moved(lab, by_movers(Purpose.CUTOVER)) == []


def test_negative_control_without_a_floor_nothing_is_given_up(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "full-never") as lab:
        lab.drive(filling("seed", replicate, floor=0.0))
        history = history_of(lab)
        assert rounds_given_up(history) == {}
        assert Store(lab.root).was_low
        assert modes(history, f"{DISK}/seed") == ["seed"], "it went on over a datastore without room"


def test_while_it_waits_nothing_of_ours_is_there_and_no_copy_is_told_as_whole(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "full-waits") as lab:
        finish(lab, Purpose.REPLICATE)
        before = whole(lab)
        copied = _copied_at(lab)
        points = _checkpoints(lab)
        assert points, "a journal is kept"
        ended = lab.drive(filling(f"delta/{before[-1] + 1}", cycle, back=False))
        assert (ended.gate, ended.decide, ended.outcome, ended.error) == ("", "", "", ""), ended  # paused
        assert list(everywhere(lab)) == []  # no snapshot stays
        assert whole(lab) == before
        assert _copied_at(lab) == copied
        assert _checkpoints(lab) == points
        # a cutover does not need it: what it has is a last delta of its own
        store = Store(lab.root)
        ended = lab.drive(_without_room(store))
        assert ended.gate == "commit", ended
        assert store.free == LOW
        assert at_commit_gate(lab) == []


def _without_room(store: Store) -> Verb:
    def verb(project: Project, onlooker: Onlooker) -> Stopped:
        with watched(store):
            return carry_out(project, WAVE, Purpose.CUTOVER, onlooker).stopped

    return verb


def _copied_at(lab: Lab) -> str:
    with lab.project() as project:
        run = runs.latest(project, WAVE)
        assert run is not None
        return cycles.copied_at(run, runs.history(project, run), cycles.times_of(project, run.id))


def _checkpoints(lab: Lab) -> list[str]:
    """Return the cycles of which the receiver of the target keeps checkpoints."""
    found: list[Any] = []
    asked_receiver(f"lab:{lab.folder('dc2')}").ask("checkpoints", {}, found.append)
    return [str(point["cycle"]) for group in found for point in group["checkpoints"]]


# and kill -9 at every boundary from where it is given up to the end of the round


def _nth(point: str) -> tuple[str, int]:
    name, _, number = point.rpartition(" #")
    return name, int(number)


def kill_at_nth(point: str) -> Callable[[str], None]:
    """Return a boundary that kills when ``<point> #<n>`` is passed for the n-th time."""
    name, number = _nth(point)
    kill, seen = kill_at(name), Counter[str]()

    def boundary(reached: str) -> None:
        seen[reached] += 1
        if seen[reached] == number:
            kill(reached)

    return boundary


def points_of_the_end(lab: Lab) -> list[str]:
    """Return the boundaries from the giving up on to the end of its round, numbered."""
    seen, found, begun = Counter[str](), [], ""
    for note in read_witness(lab.root):
        point = note["point"]
        seen[point] += 1
        if point.endswith("before giving up"):
            begun = point.split(" ")[0]
        if begun:
            found.append(f"{point} #{seen[point]}")
        if begun and point == f"{begun.replace('snapshot', 'drop')} after outcome" and seen[point] == 2:
            break
    return found


def through_a_seed(lab: Lab, point: str) -> list[str]:
    return _through(lab, point, partial(lab.drive, filling("seed", replicate)))


def through_a_delta(lab: Lab, point: str) -> list[str]:
    finish(lab, Purpose.REPLICATE)
    return _through(lab, point, partial(lab.drive, filling("delta/2", cycle)))


def _through(lab: Lab, point: str, drive: Callable[..., Ended]) -> list[str]:
    ended = drive(kill_at_nth(point))
    wrong = [] if ended.killed else [f"it did not die: {ended}"]
    ended = drive()
    return wrong + (moved(lab) if ended.gate == "go" else told(lab, ended))


def _points(stage: Stage, verb: Verb, before: bool) -> list[str]:
    with Lab.copy(stage.template, stage.scratch / "full-points") as lab:
        if before:
            finish(lab, Purpose.REPLICATE)
        assert lab.drive(verb).gate == "go"
        return points_of_the_end(lab)


def _slice(points: list[str], rng: random.Random) -> list[str]:
    """Return a third of the boundaries of giving up and of the removal, and one of the others."""
    told = [one for one in points if "giving up" in one or ("/drop/" in one and one.endswith("#1"))]
    return [*rng.sample(told, len(told) // 3), rng.choice([one for one in points if one not in told])]


def test_a_seed_that_is_given_up_dies_and_nothing_is_lost(stage: Stage, rng: random.Random) -> None:
    points = _points(stage, filling("seed", replicate), before=False)
    chosen = _slice(points, rng)
    print(f"{len(chosen)} of {len(points)} boundaries")
    assert every(chosen, stage.template, stage.scratch, through_a_seed) == {}


@pytest.mark.soak
def test_a_seed_that_is_given_up_dies_at_every_boundary(stage: Stage) -> None:
    points = _points(stage, filling("seed", replicate), before=False)
    assert every(points, stage.template, stage.scratch, through_a_seed) == {}


@pytest.mark.soak
def test_a_delta_that_is_given_up_dies_at_every_boundary(stage: Stage) -> None:
    points = _points(stage, filling("delta/2", cycle), before=True)
    assert every(points, stage.template, stage.scratch, through_a_delta) == {}
