"""Scratch: what is written over a disk is read, what is below stays, and the limit holds."""

from __future__ import annotations

import errno
import random
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.journal.pages import PAGE, Pages
from migrate.journal.scratch import Scratch

SIZE = 3 * 1024 * 1024 + 700


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "disk.img"
    target.write_bytes(random.Random(1).randbytes(SIZE - 2 * 1024 * 1024) + bytes(2 * 1024 * 1024))
    return target


def test_writes_of_all_shapes_are_read_and_what_is_below_stays(path: Path, tmp_path: Path) -> None:
    below = path.read_bytes()
    content = bytearray(below)
    scratch = Scratch(FlatDisk(path), tmp_path)
    rng = random.Random(2)
    for _ in range(300):
        offset = rng.randrange(SIZE)
        length = min(rng.choice([0, 1, 511, PAGE, 3 * PAGE + 1, 300_000]), SIZE - offset)
        if rng.random() < 0.3:
            scratch.zero(offset, length)
            content[offset : offset + length] = bytes(length)
        else:
            data = rng.randbytes(length)
            scratch.write(data, offset)
            content[offset : offset + length] = data
        low = rng.randrange(SIZE)
        part = bytearray(min(rng.randrange(20_000), SIZE - low))
        scratch.read_into(memoryview(part), low)
        assert part == content[low : low + len(part)]
    held = bytearray(SIZE)
    for offset, length in scratch.allocated():
        held[offset : offset + length] = b"\1" * length
    assert not any(byte and not there for byte, there in zip(content, held, strict=True))
    scratch.flush()
    scratch.close()
    assert path.read_bytes() == below
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_a_write_beyond_the_limit_fails_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    scratch = Scratch(FlatDisk(path), tmp_path, limit_bytes=4 * PAGE)
    scratch.write(b"x" * PAGE, PAGE + 1)  # two pages
    scratch.write(b"y" * PAGE, PAGE + 7)  # the same ones
    assert scratch.used_bytes == 2 * PAGE
    for change in (
        lambda: scratch.write(bytes(3 * PAGE), 8 * PAGE),
        lambda: scratch.zero(8 * PAGE, 3 * PAGE),
    ):
        with pytest.raises(OSError, match="full") as told:
            change()
        assert told.value.errno == errno.ENOSPC
    found = bytearray(3 * PAGE)
    scratch.read_into(memoryview(found), 8 * PAGE)
    assert found == path.read_bytes()[8 * PAGE : 11 * PAGE]
    scratch.write(bytes(2 * PAGE), 8 * PAGE)
    with pytest.raises(OSError, match="outside"):
        scratch.write(b"ab", SIZE - 1)
    scratch.close()


def test_pages_are_a_set() -> None:
    rng = random.Random(3)
    pages, known = Pages(), set[int]()
    for _ in range(200):
        first = rng.randrange(2000)
        last = first + rng.randrange(600)
        assert pages.missing(first, last) == len(set(range(first, last + 1)) - known)
        if rng.random() < 0.3:
            pages.add(first, last)
            known |= set(range(first, last + 1))
        assert pages.count == len(known)
        runs = {page: held for low, high, held in pages.runs(first, last) for page in range(low, high + 1)}
        assert runs == {page: page in known for page in range(first, last + 1)}
    assert {page for low, high in pages.held() for page in range(low, high + 1)} == known
