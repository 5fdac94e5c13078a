"""A mover keeps what a target wrote: exact by change map and by comparison, whoever dies on the way."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from migrate.kept import Checkpoints, KeptVolume
from migrate.movers.keeping import MovedKeeps
from migrate.movers.pool import Child, Pool
from migrate.movers.task import Ends, Manner
from migrate.movers.transfers import Generations
from migrate.sites.lab.client import LabSite
from migrate.sites.ports import Disks, Extent, NewDisk
from migrate.transfers.keeping import KeepsHere
from migrate.transfers.ports import Moving, Written
from planner.errors import Paused, Unreachable
from planner.model import Backing
from planner.units import MIB
from tests.migrate.replication.model import MemoryDisk
from tests.migrate.sites.estate import build, running

SIZE = 3 * MIB + 512
TAIL = 4096  # that a target's LUN is larger
NAME = "W01 rolled back, run 1"
AREAS = (Extent(512, 512), Extent(MIB - 512, 2 * MIB))


def put(site: LabSite, volume: str, content: bytes) -> None:
    site.create_disk(NewDisk(volume, len(content), Backing.VMDK), "made")
    with closing(site.open_write(volume)) as disk:
        disk.write(content, 0)
        disk.flush()


@dataclass
class Both:
    """A disk as its source holds it, and as the target left it, larger than that."""

    before: bytes
    after: bytes

    @classmethod
    def make(cls) -> Both:
        rng = random.Random(5)
        before = rng.randbytes(SIZE)
        after = bytearray(before + bytes(TAIL))
        for area in (*AREAS, Extent(SIZE, 512)):
            after[area.offset : area.end] = rng.randbytes(area.length)
        return cls(before, bytes(after))

    def missing(self, checkpoints: Checkpoints) -> list[str]:
        """Return what is wrong: the source's disk with what was kept has to be the target's."""
        found = bytearray(self.before + bytes(TAIL))
        for offset, data in checkpoints.read(NAME, "new"):
            found[offset : offset + len(data)] = data
        return [] if found == self.after else ["it is not what the target wrote"]


@pytest.fixture
def both() -> Both:
    return Both.make()


@pytest.fixture
def sites(tmp_path: Path, both: Both) -> Iterator[tuple[LabSite, LabSite]]:
    build(tmp_path)
    with running(tmp_path / "source") as source, running(tmp_path / "target") as target:
        put(source, "new", both.before)
        put(target, "new", both.after)
        yield source, target


@dataclass
class Keeping:
    """Keeps with movers of its own."""

    sites: tuple[LabSite, LabSite]
    pool: Pool
    told: list[Moving] = field(default_factory=list)

    def keep(self, areas: Sequence[Extent] | None) -> dict[str, Any]:
        ends = Ends(*(site.where for site in self.sites))
        keeps = MovedKeeps(self.pool, ends, Manner(1, MIB), self.folder, Generations(), lambda: False)
        wanted = Written("new", SIZE, None if areas is None else tuple(areas))
        return keeps.keep(NAME, "W01", [wanted], self.told.append)

    @property
    def folder(self) -> Path:
        return self.sites[0].directory.parent / "checkpoints"

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.folder)


@pytest.mark.parametrize("areas", [None, (*AREAS, Extent(SIZE, 512))])
def test_no_byte_passes_this_process_and_all_that_was_written_is_kept(
    sites: tuple[LabSite, LabSite], both: Both, areas: tuple[Extent, ...] | None
) -> None:
    with Pool() as pool:
        keeping = Keeping(sites, pool)
        kept = keeping.keep(areas)
    assert both.missing(keeping.checkpoints) == []
    assert kept["bytes"] >= sum(area.length for area in AREAS)
    assert keeping.told[-1].done_bytes == keeping.told[-1].total_bytes > 0
    (manifest,) = keeping.checkpoints.names()
    assert [part["bytes"] for part in cast("list[Any]", manifest["parts"])] == [kept["bytes"]]


def test_a_mover_that_dies_is_followed_by_another_one(sites: tuple[LabSite, LabSite], both: Both) -> None:
    made: list[Child] = []

    def make() -> Child:
        made.append(Child())
        if len(made) == 1:
            os.kill(made[0].pid, signal.SIGKILL)
        return made[-1]

    with Pool(make) as pool:
        keeping = Keeping(sites, pool)
        with pytest.raises(Unreachable, match="died in the middle"):
            keeping.keep(AREAS)
        assert keeping.checkpoints.names() == []
        keeping.keep(None)
    assert both.missing(keeping.checkpoints) == []


def test_a_pause_leaves_nothing_half(sites: tuple[LabSite, LabSite], both: Both) -> None:
    asked = iter([False, False, True])
    with Pool() as pool:
        keeping = Keeping(sites, pool)
        here = KeepsHere(*sites, keeping.checkpoints, lambda: next(asked))
        with pytest.raises(Paused):
            here.keep(NAME, "W01", [Written("new", SIZE, None)], keeping.told.append)
        assert keeping.told
        assert keeping.checkpoints.names() == []
        keeping.keep(None)
    assert both.missing(keeping.checkpoints) == []


class Memory:
    """Disks in memory, as a site gives them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def open_read(self, volume: str, snapshot: str | None = None) -> MemoryDisk:
        return MemoryDisk(self._content)


class Early(Checkpoints):
    """A mutant: says what is in a checkpoint before it is there."""

    def _keep(self, folder: Path, name: str, wave: str, volumes: Any) -> dict[str, object]:
        super()._keep(folder, name, wave, [KeptVolume(one.volume, one.disk, ()) for one in volumes])
        return super()._keep(folder, name, wave, volumes)


def keep_until(nth: int, folder: Path, both: Both, kind: type[Checkpoints]) -> int:
    """Keep in a process that is killed at its nth piece; return how it ended."""
    sites = cast("tuple[Disks, Disks]", (Memory(both.before), Memory(both.after)))
    pieces = count(1)

    def report(_moving: Moving) -> None:
        if next(pieces) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    if (child := os.fork()) == 0:
        keeps = KeepsHere(*sites, kind(folder), lambda: False)
        keeps.keep(NAME, "W01", [Written("new", SIZE, None)], report)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def dies_at_each_piece(folder: Path, both: Both, kind: type[Checkpoints]) -> list[str]:
    """Keep again and again, killed at one piece after the other until one comes to its end."""
    wrong: list[str] = []
    for nth in count(1):
        status = keep_until(nth, folder, both, kind)
        checkpoints = Checkpoints(folder)
        if status == 0:
            assert nth > SIZE // MIB, "it died at no piece"
            return wrong + both.missing(checkpoints)
        assert status == -signal.SIGKILL
        if checkpoints.names():
            wrong.append(f"killed at piece {nth} there is a checkpoint: {both.missing(checkpoints)}")
    raise AssertionError("it never came to its end")


def test_killed_at_each_piece_there_is_nothing_and_then_all(tmp_path: Path, both: Both) -> None:
    assert dies_at_each_piece(tmp_path / "checkpoints", both, Checkpoints) == []


def test_control_a_checkpoint_that_is_there_too_early_is_noticed(tmp_path: Path, both: Both) -> None:
    wrong = dies_at_each_piece(tmp_path / "checkpoints", both, Early)
    assert any("there is a checkpoint" in said for said in wrong), wrong
