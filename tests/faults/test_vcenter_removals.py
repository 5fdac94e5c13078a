"""Somebody removes the snapshots of a VM while a wave between two vCenters reads them, and processes die.

The passes are real ones: read over the datastore's HTTP, sent to the receiver, kept in a journal. The
simulator's snapshots freeze nothing, as files that are merged while they are read do not: what was read
before and after is of two moments. In the end the replica holds every byte, and no snapshot is left.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.engine.presence import running
from migrate.run.room_watch import RoomWatch
from migrate.sites.vsphere.transports.through import FrozenDisk
from planner.store.project import Project
from tests.faults.enginelab import movers_of
from tests.faults.vcenterlab import Story
from tests.vcenter.collected import finished
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import flats_of, mounts

_SLOW_MS = 800  # a snapshot takes so long
_READ_MS = 3 * _SLOW_MS  # and one read, in which somebody is at work and may make a snapshot, too
_PATIENCE_S = 60.0
_ROUND = range(9)  # reads of a first copy, a delta and a comparison; each opens its disk by two
_FIRST_COPY, _LATER, _COMPARED = 3, 2, 5  # a read of blocks
_WAVES = int(os.environ.get("WHERRY_WAVES", "20"))

Deed = Callable[[Any], None]


def everything(vm: Any) -> None:
    """Remove all snapshots, as a job that tidies up does."""
    finished(vm.RemoveAllSnapshots_Task())


def all_but_a_duplicate(vm: Any) -> None:
    """Remove ours, while one of the same op, whose call came late, stays."""
    for ours in vm.snapshot.rootSnapshotList if vm.snapshot else ():
        finished(vm.CreateSnapshot_Task(ours.name, ours.description, False, False))
        finished(ours.snapshot.RemoveSnapshot_Task(removeChildren=False))


@contextlib.contextmanager
def removing(
    story: Story,
    skip: int,
    deed: Deed = everything,
    *,
    first: Callable[[], None] = lambda: None,
    then: Callable[[], None] = lambda: None,
) -> Iterator[list[int]]:
    """Do a deed to the VM's snapshots, and have it write, once so many reads were made and one is under way.

    Yields how many there were, once that has happened.
    """
    peer, over, removed = story.peer("source"), threading.Event(), list[int]()
    vm, (flat,) = story.here, flats_of(story.here)

    def befall() -> None:
        while not over.wait(0.01):
            if peer.fired()[0]:
                first()
                runs = vm.runtime.powerState == "poweredOn"
                removed.append(len(vm.snapshot.rootSnapshotList) if vm.snapshot else 0)
                deed(vm)
                if runs and removed[0]:
                    _write_unseen(flat)
                story.plant.written[story.name] = flat.read_bytes()
                then()
                return

    slow = {"method": "folder:GET", "skip": skip, "count": 1, "delayMs": _READ_MS}
    peer.rules([slow, {"method": "CreateSnapshot_Task", "delayMs": _SLOW_MS}])
    thread = threading.Thread(target=befall)
    thread.start()
    try:
        yield removed
    finally:
        over.set()
        thread.join(_PATIENCE_S)
        peer.rules([])


def _write_unseen(flat: Path) -> None:
    """Write where it was read and where not; not even the file's time tells of it.

    That is after the removal and before the next snapshot, which takes its time: in either what is written
    would be read here.
    """
    kept = flat.stat()
    with flat.open("r+b") as body:
        for at in (0, 1_040_000):
            body.seek(at)
            body.write(os.urandom(20_000))
    os.utime(flat, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def wave(root: Path, start: StartVCenter) -> Story:
    """Return a wave whose source's disks are read by its vCenter."""
    return Story(root, start, sites__dc1__mounts="{}")


def live(story: Story, verb: str) -> None:
    """Give a verb, which ends well without a person."""
    ran = story.stage.cli.live(verb, "W01")
    if ran.code:
        story.problems.append(f"{verb} ended with {ran.code}: {ran.text}")


def given_up(story: Story) -> list[str]:
    """Return what the record says was given up."""
    lines = story.stage.cli.done("log", "--json").document["lines"]
    return [one["act"] for one in lines if one["act"].startswith("given-up")]


def write(story: Story) -> None:
    story.plant.write(story.name, os.urandom(70_000), 300_000)


def driven_until_killed(story: Story, verb: str, skip: int) -> None:
    """Have a process of its own carry a verb out, which dies of a SIGKILL once the snapshots are gone."""
    child = os.fork()
    if not child:
        try:
            story.stage.cli.live(verb, "W01")
        finally:
            os._exit(3)
    with removing(story, skip, then=lambda: os.kill(child, signal.SIGKILL)) as removed:
        _, ended = os.waitpid(child, 0)
    assert (removed, os.waitstatus_to_exitcode(ended)) == ([1], -signal.SIGKILL)


def test_they_are_removed_in_each_kind_of_pass_and_who_reads_is_killed(
    tmp_path: Path, vcenter: StartVCenter
) -> None:
    with wave(tmp_path / "move", vcenter) as story:
        driven_until_killed(story, "replicate", _FIRST_COPY)
        live(story, "replicate")
        write(story)
        with removing(story, _LATER, all_but_a_duplicate) as removed:
            live(story, "replicate")
        assert removed == [1]
        assert given_up(story) == ["given-up g0/snapshot/0", "given-up g0/snapshot/2"]
        write(story)
        with removing(story, _LATER) as removed:
            live(story, "cutover")
        assert removed == [0], "the last delta reads a VM that is off, and no snapshot"
        assert story.problems + story.at_the_gate() == []


@pytest.mark.soak
def test_negative_control_where_nobody_asks_two_moments_are_compared(
    tmp_path: Path, vcenter: StartVCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RoomWatch, "_look_for", lambda _watch, _step: None)
    monkeypatch.setattr(FrozenDisk, "__init__", lambda disk, opened, _stands: _opened(disk, opened))
    with wave(tmp_path / "move", vcenter) as story:
        live(story, "replicate")
        write(story)
        with removing(story, _COMPARED):
            live(story, "replicate")
        assert given_up(story) == []
        assert "source and target differ" in str(story.problems), story.problems


def _opened(disk: FrozenDisk, opened: Any) -> None:
    disk._disk = opened
    disk.must_stand = lambda: None


@pytest.mark.soak
@pytest.mark.parametrize("deed", [everything, all_but_a_duplicate])
@pytest.mark.parametrize("skip", _ROUND)
def test_they_are_removed_at_any_read_of_a_round(
    tmp_path: Path, vcenter: StartVCenter, skip: int, deed: Deed
) -> None:
    with wave(tmp_path / "move", vcenter) as story:
        with removing(story, skip, deed) as removed:
            live(story, "replicate")
        assert removed == [1]
        assert len(given_up(story)) == 1
        live(story, "cutover")
        assert story.problems + story.at_the_gate() == []
        live(story, "rollback")
        assert story.problems + story.back() == []


@pytest.mark.soak
@pytest.mark.parametrize("skip", [_LATER, _COMPARED])
def test_a_vm_is_reverted_behind_it(tmp_path: Path, vcenter: StartVCenter, skip: int) -> None:
    with wave(tmp_path / "move", vcenter) as story:
        live(story, "replicate")
        (flat,) = flats_of(story.here)
        theirs = finished(story.here.CreateSnapshot_Task("before the update", "by Kim", False, False))
        was = flat.read_bytes()
        why = ("--reason", "Kim keeps it", "--live", "--confirm", "W01")
        story.stage.cli.done("run", "overlook", "W01", *why)
        write(story)

        def revert(_vm: Any) -> None:
            with flat.open("r+b") as body:
                body.write(was)
            finished(theirs.RevertToSnapshot_Task())

        with removing(story, skip, revert) as there:
            live(story, "replicate")
        assert there == [1], "ours stands on theirs"
        assert len(given_up(story)) == 1
        said = [one["said"] for one in story.stage.cli.report("W01")["deviations"]]
        assert any(f"somebody reverted {story.name} behind our snapshot" in one for one in said)
        (replica,) = Path(mounts(story.stage.target)["LocalDS_0"]).glob("wherry-*/*-flat.vmdk")
        assert replica.read_bytes() == was, "of what the revert took back nothing is left"
        live(story, "cutover")
        assert story.problems + story.at_the_gate() == [f"{story.name} has a snapshot"], "theirs stays"


# engine, movers and whoever drives under kills


@contextlib.contextmanager
def _engine_of(story: Story) -> Iterator[None]:
    """Stop the wave's engine after the block."""
    try:
        yield
    finally:
        story.stage.cli("engine", "stop")


def _kill(story: Story, chance: random.Random) -> str:
    """End the engine, its movers or all of them with SIGKILL, and return which, empty when there was none."""
    with Project.open(story.stage.cli.root) as project:
        engine = running(project.run_dir)
    if engine is None:
        return ""
    name, pids = chance.choice(
        (("engine", [engine]), ("movers", movers_of(engine)), ("all", [*movers_of(engine), engine]))
    )
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return name if pids else ""


def _under_kills(story: Story, chance: random.Random, verb: str) -> Counter[str]:
    """Give a verb while snapshots are removed at one of its reads and processes die before and after that."""
    killed: Counter[str] = Counter()

    def kill() -> None:
        time.sleep(chance.uniform(0, 1.5))
        killed[_kill(story, chance)] += 1

    def first() -> None:
        if chance.random() < 0.3:
            kill()

    def then() -> None:
        for _ in range(chance.choice((0, 1, 1, 2))):
            kill()

    deed = chance.choice((everything, all_but_a_duplicate))
    with removing(story, chance.choice(_ROUND), deed, first=first, then=then) as removed:
        live(story, verb)
    killed["removed"] = sum(removed)
    return killed


@pytest.mark.soak
def test_engine_and_movers_are_killed_around_it(
    tmp_path: Path, vcenter: StartVCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHERRY_IN_PROCESS")
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    wrong: dict[int, list[str]] = {}
    for number in range(_WAVES):
        with wave(tmp_path / str(number), vcenter) as story, _engine_of(story):
            for verb in ("replicate", "replicate", "cutover"):
                killed += _under_kills(story, chance, verb)
                if verb == "replicate":
                    write(story)
            found = story.problems + story.at_the_gate()
            killed["given up"] += len(given_up(story))
            live(story, "rollback")
            if found := found + story.back():
                print(f"WRONG wave {number}: {found}\n{story.stage.cli('log').text}", flush=True)
                wrong[number] = found
    killed.pop("", None)
    print(f"{_WAVES} waves, SEED {seed}: {dict(killed)}")
    assert wrong == {}, f"SEED {seed}"
