"""The table of hints: bounded, shared, and worth nothing more than a miss when it breaks."""

from __future__ import annotations

import errno
import os
import random
import threading
from pathlib import Path

import pytest

from migrate.replication.dedupe import table as tables
from migrate.replication.dedupe.pools import Pools
from migrate.replication.dedupe.table import PAGE, SLOTS, Place, Table, buckets_for
from migrate.replication.dedupe.volumes import Volumes
from migrate.replication.zeros import GRAIN
from planner.units import TIB


def digests(count: int, seed: int = 1) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(16) for _ in range(count)]


def filled(path: Path, known: list[bytes], buckets: int = 4) -> None:
    table = Table(path, buckets)
    for index, digest in enumerate(known):
        table.learn(digest, index % 70_000, index * GRAIN)
    table.close()


def found(path: Path, known: list[bytes], buckets: int = 4) -> int:
    table = Table(path, buckets)
    hits = 0
    for index, digest in enumerate(known):
        place = table.find(digest)
        assert place in (None, Place(index % 70_000, index * GRAIN))
        hits += place is not None
    table.close()
    return hits


def test_what_was_learnt_is_found_before_and_after_it_is_written(tmp_path: Path) -> None:
    known = digests(500)
    table = Table(tmp_path / "t", 4)
    table.learn(known[0], 2**24 - 1, (2**32 - 1) * GRAIN)
    assert table.find(known[0]) == Place(2**24 - 1, (2**32 - 1) * GRAIN)
    assert table.find(known[1]) is None
    table.close()
    filled(tmp_path / "t", known)
    assert found(tmp_path / "t", known) == 500
    assert found(tmp_path / "t", digests(500, 2)) == 0


def test_the_newest_place_counts(tmp_path: Path) -> None:
    (digest,) = digests(1)
    for volume in (1, 2):
        table = Table(tmp_path / "t", 4)
        table.learn(digest, volume, 0)
        table.close()
    table = Table(tmp_path / "t", 4)
    assert table.find(digest) == Place(2, 0)
    table.close()


def test_a_full_table_keeps_the_newest_and_its_size(tmp_path: Path) -> None:
    known = digests(12 * SLOTS)
    filled(tmp_path / "t", known[: 8 * SLOTS])
    filled(tmp_path / "t", known[8 * SLOTS :])
    assert (tmp_path / "t").stat().st_size == 5 * PAGE
    table = Table(tmp_path / "t", 4)
    last = [table.find(digest) is not None for digest in known[-2 * SLOTS :]]
    first = [table.find(digest) is not None for digest in known[: 2 * SLOTS]]
    everything = sum(table.find(digest) is not None for digest in known)
    table.close()
    assert sum(last) > 1.9 * SLOTS
    assert not any(first)
    assert everything == 4 * SLOTS


def test_a_table_grows_and_keeps_what_it_knows(tmp_path: Path) -> None:
    known = digests(3 * SLOTS)
    filled(tmp_path / "t", known)
    before = Table(tmp_path / "t", 4)
    key = before.key
    before.close()
    assert found(tmp_path / "t", known, 32) == 3 * SLOTS
    assert (tmp_path / "t").stat().st_size == 33 * PAGE
    assert found(tmp_path / "t", known, 8) == 3 * SLOTS  # and never shrinks
    after = Table(tmp_path / "t", 32)
    assert after.key == key
    after.close()
    assert [file.name for file in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize("seed", range(8))
def test_torn_and_rotten_pages_cost_only_what_they_held(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    known = digests(600)
    filled(tmp_path / "t", known, 16)
    raw = bytearray((tmp_path / "t").read_bytes())
    hurt = rng.sample(range(1, 17), 4)
    for page in hurt[:2]:
        raw[page * PAGE + rng.randrange(0, 1900)] ^= 1 << rng.randrange(8)
    raw[hurt[2] * PAGE + 512 : (hurt[2] + 1) * PAGE] = bytes(PAGE - 512)
    other = hurt[3]
    swap = other % 16 + 1
    raw[other * PAGE : (other + 1) * PAGE] = raw[swap * PAGE : (swap + 1) * PAGE]  # written astray
    (tmp_path / "t").write_bytes(raw)
    lost = {page - 1 for page in hurt}
    table = Table(tmp_path / "t", 16)
    for index, digest in enumerate(known):
        there = int.from_bytes(digest[:4], "little") % 16 not in lost
        assert table.find(digest) == (Place(index % 70_000, index * GRAIN) if there else None)
    table.close()


@pytest.mark.parametrize("damage", [b"", b"x", bytes(PAGE), b"WHRYDUP1" + bytes(100)])
def test_what_is_no_table_becomes_an_empty_one(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "t").write_bytes(damage)
    known = digests(5)
    assert found(tmp_path / "t", known) == 0
    filled(tmp_path / "t", known)
    assert found(tmp_path / "t", known) == 5


def test_a_file_that_fails_turns_the_table_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = digests(20)
    filled(tmp_path / "t", known)
    table = Table(tmp_path / "t", 4)

    def full(*_told: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tables, "WAITING", 3)
    monkeypatch.setattr(os, "pwrite", full)
    for digest in digests(3, 9):
        table.learn(digest, 1, 0)
    monkeypatch.undo()
    assert not any(table.find(digest) for digest in known)
    table.close()


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "WAITING", 100)
    table = Table(tmp_path / "t", 4)
    for index, digest in enumerate(digests(950)):
        table.learn(digest, 1, index * GRAIN)
        assert len(table._waiting) < 100
    table.close()


def test_many_threads_use_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "WAITING", 64)
    table = Table(tmp_path / "t", 16)
    wrong: list[bytes] = []

    def work(number: int) -> None:
        known = digests(500, number)
        for index, digest in enumerate(known):
            table.learn(digest, number, index * GRAIN)
            if table.find(known[index // 2]) != Place(number, index // 2 * GRAIN):
                wrong.append(digest)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    table.close()
    assert not wrong


def test_a_table_is_as_large_as_its_disks_ask_within_bounds() -> None:
    assert buckets_for(0) == 2**12
    assert buckets_for(100 * TIB) * SLOTS * 0.75 >= 100 * TIB / GRAIN
    assert buckets_for(10**6 * TIB) == 2**23


def test_names_survive_and_a_torn_line_does_not(tmp_path: Path) -> None:
    hostile = ["a", "b\n\x1b[31m\u202e", "c" * 512]
    volumes = Volumes(tmp_path / "v")
    assert [volumes.number(name) for name in (*hostile, "a")] == [0, 1, 2, 0]
    volumes.close()
    with (tmp_path / "v").open("ab") as file:
        file.write(b'"torn')
    again = Volumes(tmp_path / "v")
    assert [again.name(number) for number in range(4)] == [*hostile, ""]
    assert again.number("d") == 3
    again.close()
    assert again.number("e") is None  # closed: nothing is remembered any more
    last = Volumes(tmp_path / "v")
    assert last.number("d") == 3
    last.close()


def test_a_store_that_cannot_be_written_means_no_dedupe(tmp_path: Path) -> None:
    (tmp_path / "dedupe").write_text("in the way")
    assert Pools(tmp_path, lambda _volume: pytest.fail("opened")).of() is None
