"""Trees are compared down to the grain, holes cost nothing, and a peer that lies is found."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.replication import comparing
from migrate.replication.comparing import Level, Likeness, answer, compare
from migrate.replication.coverage import Coverage, Method, full, parse_part, part, quick
from migrate.replication.extents import merge
from migrate.replication.link import Link
from migrate.replication.messages import Hello
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.trees import NODE, DiskTree, is_root_of, is_sample_of
from migrate.replication.wire import Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from planner.errors import BadInput, StepFailed, WherryError
from planner.units import GIB, MIB, TIB
from tests.migrate.replication.model import MemoryDisk, MemoryLog, make_content, pipe

SIZE = 3 * NODE + 5 * GRAIN + 700
Change = Callable[[Kind, int, int, bytes], bytes]


def disk(path: Path, size: int = SIZE) -> FlatDisk:
    """Make a sparse disk with some data in its first, second and last node."""
    rng = random.Random(7)
    with path.open("wb") as file:
        file.truncate(size)
        for at in (0, NODE - 3 * GRAIN, NODE + 4 * MIB, size - 2 * GRAIN):
            file.seek(at)
            file.write(rng.randbytes(2 * GRAIN))
    return FlatDisk(path, True)


def ask(
    here: DiskTree, there: FlatDisk | MemoryDisk, coverage: Coverage, log: MemoryLog | None = None
) -> Likeness:
    """Compare through a receiver that holds ``there``."""
    kept = log or MemoryLog()
    near, far = pipe()
    receiver = Receiver(lambda _volume: there, lambda volume: ProgressLog(kept, volume))
    errors: list[WherryError] = []

    def serve() -> None:
        try:
            receiver.serve(far)
        except WherryError as error:
            errors.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    seen: list[int] = []
    try:
        found = compare(here, near, "v", coverage, progress=lambda done, total: seen.append(total - done))
    finally:
        near.close()
        thread.join(60)
    assert not errors
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0
    return found


@pytest.fixture
def pair(tmp_path: Path) -> tuple[FlatDisk, Path]:
    """Return the source, and the path of a target that is equal to it."""
    return disk(tmp_path / "source.img"), Path(disk(tmp_path / "target.img") and tmp_path / "target.img")


def test_equal_disks_have_one_root_however_they_are_allocated(pair: tuple[FlatDisk, Path]) -> None:
    source, target = pair
    thick = MemoryDisk(target.read_bytes() + bytes(3 * GRAIN))
    found = ask(DiskTree(source, SIZE), thick, full(SIZE))
    assert found.equal
    assert found.here == found.there
    assert is_root_of(DiskTree(thick, SIZE), full(SIZE).area, found.here)
    thick.seen[-1] = 1
    behind = ask(DiskTree(source, SIZE), thick, full(SIZE))
    assert (behind.here, behind.differing, behind.tail_zero, behind.equal) == (found.here, (), False, False)


def test_a_long_tail_is_read_while_the_peer_hears_that_it_is(tmp_path: Path) -> None:
    class Device(FlatDisk):
        def allocated(self) -> Iterator[tuple[int, int]]:
            yield 0, self.size_bytes

    with (tmp_path / "lun.img").open("wb") as file:
        file.truncate(MIB + 600 * MIB)
    said: list[int] = []

    class Listening(Link):
        def send(self, kind: Kind, body: bytes = b"", *, offset: int = 0, length: int | None = None) -> None:
            said.append(json.loads(body)["done_bytes"])

        def receive(self, *allowed: Kind) -> Frame:
            return Frame(Kind.ASK_DIGESTS, Level.TAIL, MIB, 0, b"")

    answer(Listening(pipe()[0]), DiskTree(Device(tmp_path / "lun.img"), MIB))
    assert said == [MIB + 256 * MIB, MIB + 512 * MIB, MIB]


@pytest.mark.parametrize(
    ("offsets", "runs"),
    [
        ((0,), ((0, GRAIN),)),
        ((SIZE - 1,), ((SIZE // GRAIN * GRAIN, 700),)),
        ((NODE - 1, NODE), ((NODE - GRAIN, 2 * GRAIN),)),
        (
            (2 * NODE + 5, 5 * GRAIN, 9 * GRAIN),
            ((5 * GRAIN, GRAIN), (9 * GRAIN, GRAIN), (2 * NODE, GRAIN)),
        ),
    ],
)
def test_a_flipped_byte_is_found_to_the_grain(
    pair: tuple[FlatDisk, Path], offsets: tuple[int, ...], runs: tuple[tuple[int, int], ...]
) -> None:
    source, target = pair
    with target.open("r+b") as file:
        for at in offsets:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))
    found = ask(DiskTree(source, SIZE), FlatDisk(target, True), full(SIZE))
    assert not found.equal
    assert found.exact
    assert found.here != found.there
    assert found.differing == tuple(Extent(*run) for run in runs)


@pytest.mark.parametrize("seed", range(8))
def test_any_two_disks_differ_exactly_where_their_bytes_do(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice((1, GRAIN - 1, NODE, NODE + 1, rng.randrange(1, 2 * NODE), rng.randrange(1, 3 * NODE)))
    paths = tmp_path / "a.img", tmp_path / "b.img"
    for turn, path in enumerate(paths):
        with path.open("wb") as file:
            file.truncate(size)
            places = random.Random(seed)  # the same for both, then some of its own
            for source, count in ((places, 6), (rng, 6 * turn)):
                for _ in range(count):
                    file.seek(source.randrange(size))
                    written = source.choice((bytes(4096), source.randbytes(3), source.randbytes(3 * GRAIN)))
                    file.write(written[: size - file.tell()])
    one, other = (path.read_bytes() for path in paths)
    grains = [at for at in range(0, size, GRAIN) if one[at : at + GRAIN] != other[at : at + GRAIN]]
    expected = merge(Extent(at, min(GRAIN, size - at)) for at in grains)
    tree = DiskTree(FlatDisk(paths[0]), size)
    found = ask(tree, FlatDisk(paths[1], True), full(size))
    assert found.differing == expected
    assert found.equal is (one == other)
    looks = quick(size, tree.runs(), f"{seed}", 50)
    sampled = ask(tree, FlatDisk(paths[1], True), looks)
    wrong = [grain * GRAIN for grain in looks.grains if grain * GRAIN in grains]
    assert sampled.differing == merge(Extent(at, min(GRAIN, size - at)) for at in wrong)


def test_what_a_failed_flush_made_doubtful_is_never_equal(pair: tuple[FlatDisk, Path]) -> None:
    source, target = pair
    log = MemoryLog()
    ProgressLog(log, "v").poison([Extent(2 * NODE + 10, 5)])
    found = ask(DiskTree(source, SIZE), FlatDisk(target, True), full(SIZE), log)
    assert found.differing == (Extent(2 * NODE, GRAIN),)


def test_parts_make_up_the_whole_and_each_sees_its_own(pair: tuple[FlatDisk, Path]) -> None:
    source, target = pair
    with target.open("r+b") as file:
        file.seek(2 * NODE + 3)
        file.write(b"x")
    parts = [part(SIZE, number, 3) for number in (1, 2, 3)]
    assert [item.area.end for item in parts] == [NODE, 2 * NODE, SIZE]
    assert sum(item.share for item in parts) == pytest.approx(1)
    found = [ask(DiskTree(source, SIZE), FlatDisk(target, True), item) for item in parts]
    assert [item.equal for item in found] == [True, True, False]
    with pytest.raises(BadInput, match="is no part"):
        part(SIZE, 1, 5)
    assert (parse_part("next/3"), parse_part("2/3")) == ((None, 3), (2, 3))
    for wrong in ("", "3", "a/3", "1/0", "-1/3"):
        with pytest.raises(BadInput):
            parse_part(wrong)


def test_a_sample_looks_at_ends_of_data_and_says_what_it_may_miss(pair: tuple[FlatDisk, Path]) -> None:
    source, target = pair
    tree = DiskTree(source, SIZE)
    looks = quick(SIZE, tree.runs(), "seed", 40)
    assert looks == quick(SIZE, tree.runs(), "seed", 40)
    assert looks.grains != quick(SIZE, tree.runs(), "other", 40).grains
    assert len(looks.grains) == 40
    assert looks.escape_chance == pytest.approx(1 - 40 / (SIZE // GRAIN + 1))
    assert 0 < looks.data_escape_chance < looks.escape_chance
    found = ask(tree, FlatDisk(target, True), looks)
    assert found.equal
    assert is_sample_of(DiskTree(FlatDisk(target), SIZE), looks.grains, found.here)
    seen, unseen = looks.grains[7], next(at for at in range(999) if at not in looks.grains)
    for grain, equal in ((unseen, True), (seen, False)):
        with target.open("r+b") as file:
            file.seek(grain * GRAIN + 9)
            file.write(b"\xa5\x5a\xa5")
        found = ask(tree, FlatDisk(target, True), looks)
        assert found.equal is equal
    assert found.differing == (Extent(seen * GRAIN, GRAIN),)


@pytest.mark.parametrize(("size", "count"), [(0, 0), (1, 1), (200 * GRAIN, 200), (TIB, 4096)])
def test_a_sample_is_bounded_and_small_disks_are_looked_at_whole(size: int, count: int) -> None:
    looks = quick(size, [(MIB, 3 * MIB)] if size > MIB else [], "s")
    assert len(looks.grains) == len(set(looks.grains)) == count
    assert all(0 <= grain * GRAIN < size for grain in looks.grains)
    if size < GIB:
        assert (looks.escape_chance, looks.share) == (0, 1)


def test_two_tebibytes_of_hole_are_not_read(tmp_path: Path) -> None:
    size = 2 * TIB + 512
    with (tmp_path / "thin.img").open("wb") as file:
        file.truncate(size)
        file.seek(TIB)
        file.write(b"here")

    class Counting(FlatDisk):
        read = 0

        def read_into(self, buffer: memoryview, offset: int) -> None:
            type(self).read += len(buffer)
            super().read_into(buffer, offset)

    # A part of it, for the sake of the machine that runs this; the whole has the same steps.
    found = ask(
        DiskTree(Counting(tmp_path / "thin.img"), size),
        Counting(tmp_path / "thin.img", True),
        part(size, 33, 64),
    )
    assert found.equal
    assert found.coverage.area.offset == TIB
    assert Counting.read == 2 * MIB


def lie(monkeypatch: pytest.MonkeyPatch, changed: Callable[[Level, int, bytes], bytes]) -> None:
    """Make receivers change what they tell of their digests."""
    real = Link.pack

    def pack(self: Link, kind: Kind, **given: object) -> object:
        if kind is Kind.DIGESTS:
            told = changed(Level(given["flags"]), int(str(given["offset"])), bytes(given["body"]))  # type: ignore[call-overload]
            given["body"] = told
        return real(self, kind, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(Link, "pack", pack)


def test_a_receiver_whose_grains_do_not_make_up_its_node_is_found(
    pair: tuple[FlatDisk, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = pair
    with target.open("r+b") as file:
        file.seek(3)
        file.write(b"x")
    honest = DiskTree(source, SIZE).grains(0, NODE)
    lie(monkeypatch, lambda level, at, body: honest if level is Level.GRAINS and at == 0 else body)
    with pytest.raises(WireError, match="do not make up the node"):
        ask(DiskTree(source, SIZE), FlatDisk(target, True), full(SIZE))


def test_a_receiver_that_answers_short_is_found(
    pair: tuple[FlatDisk, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = pair
    lie(monkeypatch, lambda _level, _at, body: body[:-32])
    with pytest.raises(WireError, match="not asked for"):
        ask(DiskTree(source, SIZE), FlatDisk(target, True), full(SIZE))


def test_a_source_that_changes_meanwhile_is_no_proof(pair: tuple[FlatDisk, Path]) -> None:
    source, target = pair
    with target.open("r+b") as file:
        file.seek(3)
        file.write(b"x")

    class Moving(DiskTree):
        def grains(self, offset: int, length: int) -> bytes:
            found = super().grains(offset, length)
            source.write(b"moved", 5 * GRAIN)
            return found

    with pytest.raises(StepFailed, match="changed while it was compared"):
        ask(Moving(source, SIZE), FlatDisk(target, True), full(SIZE))


@pytest.mark.parametrize(
    ("level", "offset", "length"),
    [
        (Level.NODES, 1, NODE),
        (Level.NODES, 0, NODE - 1),
        (Level.NODES, 0, 17 * NODE),
        (Level.GRAINS, 0, 0),
        (Level.GRAINS, 0, NODE + GRAIN),
        (Level.GRAINS, 4096, GRAIN),
        (Level.GRAINS, 4096, GRAIN - 4096),
        (Level.NODES, GRAIN, NODE - GRAIN),
        (Level.GRAINS, 0, 1000),
        (Level.GRAINS, SIZE // GRAIN * GRAIN, GRAIN),
        (2, 0, GRAIN),
    ],
)
def test_a_peer_cannot_ask_for_anything_else(
    pair: tuple[FlatDisk, Path], level: int, offset: int, length: int
) -> None:
    near, far = pipe()
    receiver = Receiver(
        lambda _volume: FlatDisk(pair[1], True), lambda volume: ProgressLog(MemoryLog(), volume)
    )
    thread = threading.Thread(target=pytest.raises, args=(WireError, receiver.serve, far))
    thread.start()
    link, _ = greet(near, Hello(purpose="tree", volume="v", size_bytes=SIZE, nonce="0" * 32))
    link.send_parts(link.pack(Kind.ASK_DIGESTS, offset=offset, length=length, flags=level))
    with pytest.raises(WireError, match="may not ask for"):
        link.receive(Kind.DIGESTS)
    near.close()
    thread.join(60)


def test_too_many_runs_are_told_coarser_never_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "RUNS_MAX", 4)
    content = make_content(random.Random(3), 40 * GRAIN)
    other = MemoryDisk(content)
    for grain in range(0, 40, 3):
        other.seen[grain * GRAIN] ^= 1
    found = ask(DiskTree(MemoryDisk(content), len(content)), other, full(len(content)))
    assert not found.exact
    assert found.differing == (
        Extent(0, GRAIN),
        Extent(3 * GRAIN, GRAIN),
        Extent(6 * GRAIN, GRAIN),
        Extent(9 * GRAIN, 31 * GRAIN),
    )
    assert replace(found, here=found.there, differing=()).equal
    assert found.coverage.method is Method.FULL
