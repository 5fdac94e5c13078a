"""Dedupe end to end: what the target has on any disk does not travel, and a hint is never believed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.replication import wire
from migrate.replication.channel import Channel
from migrate.replication.dedupe.answering import Answering
from migrate.replication.dedupe.pools import Pool, Pools
from migrate.replication.dedupe.table import PAGE, Place
from migrate.replication.messages import Hello
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.sink import DiskSink
from migrate.replication.wire import WireError
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from planner.errors import NotFound, StepFailed
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, World, make_content, pipe

SIZE = 1024 * KIB + 1536


def spec(volume: str, pass_id: str = "p1", size: int = SIZE) -> PassSpec:
    return PassSpec(volume, pass_id, size)


class Target:
    """Replicas in memory that share one pool; every pass meets a receiver process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worlds: dict[str, World] = {}
        self.pools = Pools(folder, self._open)

    def _open(self, volume: str) -> MemoryDisk:
        if volume not in self.worlds:
            raise NotFound(f"{volume} is not here")
        return self.worlds[volume].disk

    def world(self, volume: str, size: int = SIZE, **more: object) -> World:
        if volume not in self.worlds:
            self.worlds[volume] = World(MemoryDisk(size), pool=lambda: self.pools.of(), **more)  # type: ignore[arg-type]
        return self.worlds[volume]

    def seed(self, volume: str, content: bytes, pass_id: str = "p1", **more: object) -> PassResult:
        size = len(content)
        options = {"dedupe": True, "level": 0, **more}
        result = self.world(volume, size).send(
            MemoryDisk(content), spec(volume, pass_id, size), Mode.SEED, **options
        )
        assert isinstance(result, PassResult), result
        assert bytes(self.world(volume).disk.durable) == content
        return result

    def reopen(self) -> None:
        self.pools.close()
        self.pools = Pools(self.folder, self._open)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    it = Target(tmp_path)
    yield it
    it.pools.close()


@pytest.fixture
def content() -> bytes:
    return random.Random(1).randbytes(SIZE)


@pytest.mark.parametrize(("workers", "level", "block"), [(0, 0, 64), (2, 1, 1024), (2, 0, 256), (0, 3, 128)])
def test_a_clone_costs_next_to_nothing(
    target: Target, content: bytes, workers: int, level: int, block: int
) -> None:
    options = {"workers": workers, "level": level, "block_bytes": block * KIB}
    first = target.seed("one", content, **options)
    assert (first.deduped_bytes, first.sent_bytes) == (0, SIZE)
    again = target.seed("two", content, **options)
    assert (again.deduped_bytes, again.sent_bytes) == (SIZE, 0)
    assert again.wire_bytes < SIZE // 50


def test_what_differs_travels_and_the_rest_does_not(target: Target, content: bytes) -> None:
    target.seed("one", content)
    clone = bytearray(content)
    for grain in (0, 5, 6, 15):
        clone[grain * GRAIN + 77] ^= 1
    clone[9 * GRAIN : 11 * GRAIN] = bytes(2 * GRAIN)
    result = target.seed("two", bytes(clone), block_bytes=1024 * KIB)
    assert result.sent_bytes == 4 * GRAIN
    assert result.deduped_bytes == SIZE - 6 * GRAIN


def test_the_table_outlives_the_receiver_and_a_lost_one_costs_hits_only(
    target: Target, content: bytes
) -> None:
    target.seed("one", content)
    target.reopen()
    assert target.seed("two", content).deduped_bytes == SIZE
    for file in target.folder.glob("dedupe/*"):
        file.unlink()
    target.pools = Pools(target.folder, target._open)
    assert target.seed("three", content).deduped_bytes == 0


def test_a_rotten_table_costs_hits_only(target: Target, content: bytes) -> None:
    target.seed("one", content)
    target.pools.close()
    (table,) = target.folder.glob("dedupe/*.table")
    raw = bytearray(table.read_bytes())
    for at in range(PAGE, len(raw), PAGE):
        if any(raw[at : at + PAGE]):
            raw[at + 40] ^= 0x10
    table.write_bytes(raw)
    target.pools = Pools(target.folder, target._open)
    assert target.seed("two", content).deduped_bytes == 0


def test_what_was_written_over_at_its_source_is_a_miss(target: Target, content: bytes) -> None:
    target.seed("one", content)
    disk = target.worlds["one"].disk
    disk.write(b"!", 3 * GRAIN)
    result = target.seed("two", content)
    assert result.sent_bytes == GRAIN
    del target.worlds["one"]
    assert target.seed("three", content).deduped_bytes >= GRAIN  # what came with the second is known


def test_a_used_target_is_seeded_all_the_same(target: Target, content: bytes) -> None:
    target.seed("one", content)
    used = target.world("two")
    used.disk.durable[:] = used.disk.seen[:] = random.Random(9).randbytes(SIZE)
    holed = content[: 4 * GRAIN] + bytes(4 * GRAIN) + content[8 * GRAIN :]
    result = target.seed("two", holed)
    assert result.zero_bytes == 4 * GRAIN
    assert result.deduped_bytes == SIZE - 4 * GRAIN


@pytest.mark.parametrize("ours", [True, False])
def test_a_peer_without_dedupe_is_served(target: Target, content: bytes, ours: bool) -> None:
    target.seed("one", content)
    if not ours:  # a receiver that has no pool, or knows nothing of it
        target.world("two").pool = lambda: None
    result = target.seed("two", content, dedupe=not ours)
    assert (result.deduped_bytes, result.sent_bytes) == (0, SIZE)


def test_what_older_peers_read_has_no_new_word(target: Target) -> None:
    seen: list[bytes] = []
    near, far = pipe()
    receiver = Receiver(lambda _v: MemoryDisk(SIZE), lambda v: ProgressLog(MemoryLog(), v))
    thread = threading.Thread(target=lambda: _quietly(receiver, far, target.pools.of()))
    thread.start()
    link, welcome = greet(
        near, Hello(purpose="pass", volume="v", size_bytes=SIZE, nonce="0" * 32, pass_id="1")
    )
    near.close()
    thread.join(60)
    seen += [welcome.dump(), Hello(purpose="pass", volume="v", size_bytes=1, nonce="0" * 32).dump()]
    assert not link.grain_key
    assert not any(b"dedupe" in said for said in seen)


def test_deltas_and_comparisons_do_not_offer(target: Target, content: bytes) -> None:
    target.seed("one", content)
    world = target.world("two")
    result = world.send(MemoryDisk(content), spec("two"), Mode.COMPARE, dedupe=True)
    assert isinstance(result, PassResult)
    assert result.deduped_bytes == 0
    assert bytes(world.disk.durable) == content


def test_acknowledgements_stay_exact(target: Target, content: bytes) -> None:
    """Every run that was acknowledged is durable, dedupe or not, wherever the receiver dies."""
    target.seed("one", content)
    clone = bytearray(content)
    clone[2 * GRAIN : 3 * GRAIN] = random.Random(3).randbytes(GRAIN)
    rng = random.Random(4)
    deaths = 0
    for die_at in range(1, 60):
        world = World(MemoryDisk(SIZE), pool=lambda: target.pools.of(), overlap=bool(die_at % 2))
        outcome = world.send(
            MemoryDisk(bytes(clone)), spec("two"), Mode.SEED, dedupe=True, die_at=die_at, rng=rng
        )
        for run in world.acknowledged:
            assert world.disk.durable[run.offset : run.end] == clone[run.offset : run.end]
        deaths += not isinstance(outcome, PassResult)
        resumed = world.send(MemoryDisk(bytes(clone)), spec("two"), Mode.SEED, dedupe=True)
        assert isinstance(resumed, PassResult)
        assert bytes(world.disk.durable) == clone
    assert deaths > 20


def test_what_was_settled_is_suspect_when_a_flush_fails(target: Target, content: bytes) -> None:
    target.seed("one", content)
    world = target.world("two")
    world.disk.flush_fails_at = 2
    outcome = world.send(MemoryDisk(content), spec("two"), Mode.SEED, dedupe=True)
    assert isinstance(outcome, StepFailed), outcome
    world.disk.flush_fails_at = None
    state = ProgressLog(world.log, "two").state
    lost = [
        at
        for at in range(0, SIZE, GRAIN)
        if world.disk.seen[at : at + GRAIN] != world.disk.durable[at : at + GRAIN]
    ]
    assert lost
    assert all(any(run.offset <= at < run.end for run in state.suspects) for at in lost)


class Lying:
    """A table that points anywhere."""

    key = bytes(32)

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def find(self, _digest: bytes) -> Place | None:
        return (
            Place(self.rng.randrange(4), self.rng.randrange(40) * GRAIN) if self.rng.random() < 0.9 else None
        )

    def learn(self, digest: bytes, volume: int, offset: int) -> None:
        pass


def _under_lies(folder: Path, seed: int) -> list[tuple[bytes, bytes]]:
    rng = random.Random(seed)
    folder.mkdir(exist_ok=True)
    target = Target(folder)
    pool = target.pools.of()
    assert pool is not None
    lying = Pool(Lying(rng), pool.volumes, pool.open_read)  # type: ignore[arg-type]
    base = make_content(rng, SIZE)
    pairs = []
    for number in range(3):
        content = bytearray(base)
        at = rng.randrange(SIZE - 100)
        content[at : at + 100] = rng.randbytes(100)
        world = target.world(f"v{number}")
        world.pool = lambda: lying
        world.send(MemoryDisk(bytes(content)), spec(f"v{number}"), Mode.SEED, dedupe=True)
        pairs.append((bytes(world.disk.durable), bytes(content)))
    target.pools.close()
    return pairs


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_lying_table_never_harms(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    for there, wanted in _under_lies(tmp_path_factory.mktemp("lies"), seed):
        assert there == wanted


def test_without_the_check_a_lying_table_does_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(Answering, "_is", lambda *_told: True)
    pairs = [pair for seed in range(3) for pair in _under_lies(tmp_path / str(seed), seed)]
    assert any(there != wanted for there, wanted in pairs)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), level=st.sampled_from([0, 1]), workers=st.sampled_from([0, 2]))
def test_random_disks_and_their_clones_arrive(
    tmp_path_factory: pytest.TempPathFactory, seed: int, level: int, workers: int
) -> None:
    rng = random.Random(seed)
    target = Target(tmp_path_factory.mktemp("clones"))
    base = make_content(rng, rng.randrange(1, 12) * 128 * KIB + rng.choice((0, 512, 4096)))
    for number in range(3):
        clone = bytearray(base)
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(base))
            piece = rng.randbytes(rng.randrange(1, 64 * KIB))[: len(base) - at]
            clone[at : at + len(piece)] = piece
        moved = clone[GRAIN:] + clone[:GRAIN] if rng.random() < 0.3 else clone
        target.seed(f"v{number}", bytes(moved), level=level, workers=workers, block_bytes=256 * KIB)
    target.pools.close()


def test_a_peer_learns_nothing_of_other_groups(tmp_path: Path, content: bytes) -> None:
    disks = {"a1": MemoryDisk(content), "b1": MemoryDisk(content)}
    pools = Pools(tmp_path, lambda volume: disks[volume])
    of_b, of_a, of_all = pools.of("p", ["b"]), pools.of("p", ["a"]), pools.of("p")
    assert of_a is not None
    assert of_b is not None
    assert of_all is not None
    for pool, volume in ((of_b, "b1"), (of_all, "a1")):
        learner = Answering(pool, volume, SIZE, disks[volume])
        learner.learn(0, wire.grain_digests(memoryview(content), pool.table.key))
        learner.close()
    assert of_a.table.key != of_b.table.key
    for key_of in (of_a, of_b, of_all):
        digest = wire.grain_digests(memoryview(content)[:GRAIN], key_of.table.key)
        assert of_a.table.find(digest) is None
    # the same table, but the volume was given to another group since
    moved = pools.of("p", ["b"], lambda volume: volume != "b1")
    assert moved is not None
    digests = wire.grain_digests(memoryview(content)[:GRAIN], moved.table.key)
    for pool, wanted in ((of_b, b"\0"), (moved, b"\1")):
        into = MemoryDisk(SIZE)
        answering = Answering(pool, "b2", SIZE, into)
        assert answering.settle(0, digests, DiskSink(into)) == wanted
        answering.close()
    pools.close()


def test_what_is_probed_is_looked_at_and_neither_written_nor_counted(tmp_path: Path, content: bytes) -> None:
    disks = {"v": MemoryDisk(content)}
    pools = Pools(tmp_path, disks.__getitem__)
    pool = pools.of("p")
    assert pool is not None
    learner = Answering(pool, "v", SIZE, disks["v"])
    learner.learn(0, wire.grain_digests(memoryview(content)[:GRAIN], pool.table.key))
    learner.close()
    into = MemoryDisk(SIZE)
    answering = Answering(pool, "w", SIZE, into)
    digests = wire.grain_digests(memoryview(content)[: 2 * GRAIN], pool.table.key)
    assert answering.settle(0, digests, None) == b"\2"
    assert next(into.allocated(), None) is None
    assert list(answering.settled()) == []
    with pytest.raises(WireError, match="what is not here"):
        answering.take(0, GRAIN)
    assert answering.settle(0, digests, DiskSink(into)) == b"\2"
    assert list(answering.settled()) == [Extent(0, GRAIN)]
    answering.close()
    pools.close()


def test_connections_share_one_table(target: Target, content: bytes) -> None:
    """Four passes at once, twice over: all arrive, and the second round is all hits."""
    contents = {f"v{n}": random.Random(n).randbytes(SIZE) for n in range(4)}
    for volume in (*contents, *(f"c-{volume}" for volume in contents)):
        target.world(volume)
    results: dict[str, PassResult] = {}

    def seed(volume: str, of: str) -> None:
        results[volume] = target.seed(volume, contents[of], workers=2)

    for names in ({v: v for v in contents}, {f"c-{v}": v for v in contents}):
        threads = [threading.Thread(target=seed, args=pair) for pair in names.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert {volume: result.deduped_bytes for volume, result in results.items()} == {
        **dict.fromkeys(contents, 0), **{f"c-{volume}": SIZE for volume in contents}
    }  # fmt: skip


def _quietly(receiver: Receiver, channel: Channel, pool: Pool | None) -> None:
    try:
        receiver.serve(channel, pool=lambda: pool)
    except Exception:  # noqa: BLE001
        channel.close()
