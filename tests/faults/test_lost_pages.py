"""Pages that a failed flush left in memory, really: no comparison may take them for what is on the medium.

A file system lies on a loop device over a sparse file in memory. When that memory is full, what is written
into holes of the file is lost: the kernel says so once, calls the pages clean, and goes on showing them.
Skipped where nothing may be mounted.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.disks.stamp import file_system
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from planner.errors import WherryError
from planner.units import KIB, MIB
from tests.migrate.replication.model import Crash, MemoryDisk, MemoryLog, pipe

SIZE = 2 * MIB
AT, LENGTH = MIB, 256 * KIB  # of zeros, so that nothing lies under it


class Medium:
    """A disk on a file system whose medium can be full for a while."""

    def __init__(self, ram: Path, mounted: Path) -> None:
        self._ram = ram
        self.target = mounted / "target.img"
        self.target.write_bytes(os.urandom(SIZE))
        self.target.chmod(0o600)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Have no room for anything new while the block lasts."""
        subprocess.run(["fallocate", "--dig-holes", self._ram / "backing"], check=True)
        ballast = self._ram / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(MIB)):
                pass
        try:
            yield
        finally:
            ballast.unlink()

    def shown(self) -> bytes:
        """Return what is read, from memory where it is there."""
        return self.target.read_bytes()

    def durable(self) -> bytes:
        """Return what is on the medium."""
        fd = os.open(self.target, os.O_RDONLY)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
        return self.shown()


@pytest.fixture
def medium(tmp_path: Path) -> Iterator[Medium]:
    ram, mounted = tmp_path / "ram", tmp_path / "mounted"
    undo: list[Path] = []

    def mount(*how: object) -> None:
        done = subprocess.run(["mount", *map(str, how)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"not run: nothing may be mounted here ({done.stderr.strip()})")
        undo.insert(0, Path(str(how[-1])))

    if not (shutil.which("mkfs.ext4") and shutil.which("fallocate") and shutil.which("mount")):
        pytest.skip("not run: mkfs.ext4, fallocate or mount is missing")
    try:
        ram.mkdir()
        mounted.mkdir()
        mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", ram)
        with (ram / "backing").open("wb") as file:
            file.truncate(16 * MIB)
        subprocess.run(
            ["mkfs.ext4", "-q", "-F", "-b", "4096", "-O", "^has_journal", ram / "backing"], check=True
        )
        mount("-o", "loop", ram / "backing", mounted)
        yield Medium(ram, mounted)
    finally:
        for place in undo:
            subprocess.run(["umount", place], check=True)


class Noting(FlatDisk):
    """A disk as the product has it, that notes whether memory was trusted."""

    def __init__(self, path: Path, told: list[bool]) -> None:
        super().__init__(path, True, spares=True)
        self._told = told

    def trust(self, stamp: str) -> bool:
        trusted = super().trust(stamp)
        self._told.append(trusted)
        return trusted


class Credulous(FlatDisk):
    """One that trusts memory whatever happened since."""

    def trust(self, stamp: str) -> bool:
        self._doubted = False
        return True


def receiver(log: MemoryLog, opens: Callable[[], FlatDisk], kind: type[Receiver] = Receiver) -> Receiver:
    return kind(lambda _volume: opens(), lambda volume: ProgressLog(log, volume))


def send(to: Receiver, content: bytes, pass_id: str, mode: Mode) -> PassResult | WherryError:
    near, far = pipe()

    def serve() -> None:
        try:
            with suppress(Crash, WherryError):
                to.serve(far)
        finally:
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return send_pass(MemoryDisk(content), near, PassSpec("v", pass_id, SIZE), mode=mode, workers=0)
    except WherryError as error:
        return error
    finally:
        near.close()
        thread.join(120)


def must_be_complete(found: PassResult | WherryError) -> None:
    assert isinstance(found, PassResult), found
    assert found.complete


def contents() -> tuple[bytes, bytes]:
    """Return a content with zeros in it, and the same with something there."""
    rng = random.Random(5)
    first = bytearray(rng.randbytes(SIZE))
    first[AT : AT + LENGTH] = bytes(LENGTH)
    newer = bytearray(first)
    newer[AT : AT + LENGTH] = rng.randbytes(LENGTH)
    return bytes(first), bytes(newer)


def written_and_lost(path: Path, content: bytes) -> None:
    """Write as another program does, and be told once that it was lost."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(fd, content[AT : AT + LENGTH], AT)
        with pytest.raises(OSError):
            os.fsync(fd)
        os.fsync(fd)  # told once, and never again
    finally:
        os.close(fd)


@pytest.mark.parametrize("trusting", [False, True], ids=["product", "negative control"])
def test_what_another_writer_lost_between_two_passes_is_sent(medium: Medium, trusting: bool) -> None:
    first, newer = contents()
    told: list[bool] = []

    def opens() -> FlatDisk:
        return Credulous(medium.target, True, spares=True) if trusting else Noting(medium.target, told)

    there = receiver(MemoryLog(), opens)
    must_be_complete(send(there, first, "1", Mode.SEED))
    _write_zeros(medium.target)
    must_be_complete(send(there, first, "2", Mode.COMPARE))
    must_be_complete(send(there, first, "3", Mode.COMPARE))
    assert trusting or told == [False, False, True]
    with medium.full():
        written_and_lost(medium.target, newer)
    if medium.shown() != newer:
        pytest.skip("not run: this kernel does not show what it lost")
    must_be_complete(send(there, newer, "4", Mode.COMPARE))
    assert (medium.durable() == newer) is not trusting
    assert trusting or told == [False, False, True, False]


class _Dying(Receiver):
    """One whose process ends when a flush failed, before it can record that."""

    def _poison(self, volume: str, log: ProgressLog, suspects: object) -> None:
        raise Crash


@pytest.mark.parametrize("trusting", [False, True], ids=["product", "negative control"])
def test_what_a_receiver_lost_that_died_of_it_is_sent_by_the_next(medium: Medium, trusting: bool) -> None:
    first, newer = contents()
    log = MemoryLog()

    def opens() -> FlatDisk:
        return (Credulous if trusting else FlatDisk)(medium.target, True, spares=True)

    dying = receiver(log, opens, _Dying)
    must_be_complete(send(dying, first, "1", Mode.SEED))
    _write_zeros(medium.target)
    must_be_complete(send(dying, first, "2", Mode.COMPARE))
    with medium.full():
        assert isinstance(send(dying, newer, "3", Mode.COMPARE), WherryError)
    if medium.shown() != newer:
        pytest.skip("not run: this kernel does not show what it lost")
    must_be_complete(send(receiver(log, opens), newer, "3", Mode.COMPARE))
    assert (medium.durable() == newer) is not trusting


def _write_zeros(path: Path) -> None:
    """Have blocks where the disk is zeros: a hole has no place that could be lost."""
    fd = os.open(path, os.O_WRONLY)
    try:
        assert file_system(os.fstat(fd).st_dev) == "ext4"
        os.pwrite(fd, bytes(LENGTH), AT)
        os.fsync(fd)
    finally:
        os.close(fd)
