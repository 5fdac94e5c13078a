"""Segments as files: what is appended is read, and a process that is killed loses nothing acknowledged."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.frames import JournalCorrupt, Sealer
from migrate.journal.log import JournalFailed, open_log
from migrate.journal.promotion import replay
from migrate.journal.recovery import recover
from migrate.journal.state import checkpoint_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from planner.units import MIB
from tests.migrate.disks.remembered import is_cached, is_memory

_WRITER = """
import sys
from pathlib import Path
from migrate.journal.directory import DirectoryFiles
from migrate.journal.log import open_log
from migrate.journal.writes import Write
log = open_log(DirectoryFiles(Path(sys.argv[1])), "group", segment_bytes=40_000)
for turn in range(100_000):
    log.append([Write(0, log.last * 512, 512, (b"%08d" % (log.last + 1)) * 64)])
    if turn % 3 == 0:
        print(log.commit(), flush=True)
"""


def test_a_journal_is_the_same_when_it_is_opened_anew(tmp_path: Path) -> None:
    files = DirectoryFiles(tmp_path)
    log = open_log(files, "group", segment_bytes=5000)
    written = []
    for turn in range(20):
        write = Write(turn % 3, turn * 4096, 700, random.Random(turn).randbytes(700))
        log.append([write])
        written.append((write.disk, write.offset, write.data))
        point = log.mark(checkpoint_mark(turn, Consistency.CRASH, "\x1b[31mpatch"))
        log.commit()
    files.close()
    (tmp_path / "notes.txt").write_text("not a segment")
    again = DirectoryFiles(tmp_path)
    found = recover(again, Sealer("group", again.key))
    rows = replay(again, found.frames, 0, found.last)
    assert [(row.disk, row.offset, data) for row, data in rows] == written
    assert found.state.checkpoints[point].name == "\x1b[31mpatch"
    assert len(again.numbers()) > 2
    again.close()


def test_a_writer_that_is_killed_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged = 0
    for wait in (1, 40, 150):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(wait):
                acknowledged = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
        files = DirectoryFiles(tmp_path)
        found = recover(files, Sealer("group", files.key))
        assert found.last >= acknowledged
        for row, data in replay(files, found.frames, 0, found.last):
            assert data == (b"%08d" % (row.offset // 512 + 1)) * 64
        files.close()


def test_a_failed_sync_is_never_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log(DirectoryFiles(tmp_path), "group")
    log.append([Write(0, 0, 3, b"one")])
    acknowledged = log.commit()
    log.append([Write(0, 0, 3, b"two")])
    syncs = []

    def failing(fd: int) -> None:
        syncs.append(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        with pytest.raises(OSError, match="Input/output"):
            log.commit()
    for call in (log.commit, log.trim, lambda: log.append([Write(0, 0, 1, b"x")])):
        with pytest.raises(JournalFailed, match="failed before"):
            call()
    assert len(syncs) == 1
    assert open_log(DirectoryFiles(tmp_path), "group").last > acknowledged


def test_a_full_disk_keeps_what_was_acknowledged_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(DirectoryFiles(tmp_path), "group", level=0)
    log.append([Write(0, 0, 3, b"one")])
    acknowledged = log.commit()
    write = os.writev

    def full(fd: int, parts: list[memoryview]) -> int:
        if sum(map(len, parts)) > 50:
            return write(fd, [memoryview(b"".join(parts))[:50]])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", full)
        with pytest.raises(OSError, match="No space"):
            log.append([Write(0, 0, 5000, bytes(5000))])
    again = open_log(DirectoryFiles(tmp_path), "group")
    assert again.last == acknowledged + 1  # the beginning of the new segment
    again.append([Write(0, 0, 5, b"three")])
    assert again.commit() == acknowledged + 2


def test_a_journal_may_have_more_segments_than_a_process_may_have_files_open(tmp_path: Path) -> None:
    files = DirectoryFiles(tmp_path)
    log = open_log(files, "group", segment_bytes=300, level=0)
    for turn in range(400):
        log.append([Write(0, 512 * turn, 512, b"%08d" % turn * 64)])
        log.commit()
    files.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    again = DirectoryFiles(tmp_path)
    assert len(again.numbers()) > 400
    highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 280, hard))
    try:
        log = open_log(again, "group", level=0)
        rows = [row.offset for row, _data in replay(again, log.frames(), 0, log.last)]
        log.append([Write(0, 0, 4, b"more")])
        log.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        again.close()
    assert rows == [512 * turn for turn in range(400)]


def test_much_that_is_durable_leaves_memory_and_little_stays(tmp_path: Path) -> None:
    files = DirectoryFiles(tmp_path)
    files.create(1)
    path = next(tmp_path.glob("*.segment"))
    parts = [os.urandom(4096), os.urandom(8 * MIB), os.urandom(4096)]
    for part, stays in zip(parts, (True, False, True), strict=True):
        begin = files.size(1)
        files.append(1, [part])
        files.sync(1)
        at = (begin + len(part) // 2) // 4096 * 4096
        if stays and not is_cached(path, at):
            pytest.skip("not run: this file system keeps nothing in memory")
        if not stays and is_memory(path):
            pytest.skip("not run: this file system is memory")
        assert is_cached(path, at) is stays
        assert files.read(1, begin, len(part)) == part
    files.close()


def test_a_segment_that_is_deleted_or_left_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    """Its open file is closed after the read, so that its number is not that of another file meanwhile."""
    files = DirectoryFiles(tmp_path)
    for number in range(1, 4):
        files.create(number)
        files.append(number, [b"%d" % number * 1000])
        files.sync(number)
    errors: list[BaseException] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            with contextlib.suppress(FileNotFoundError):
                found = files.read(3, 0, 1000)
                if found not in {b"3" * 1000, b"", b"3" * len(found)}:
                    errors.append(AssertionError(found[:10]))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(300):
        files.delete(3)
        files.delete(2)
        files.create(2)  # takes the number that was just given back
        files.append(2, [b"2" * 1000])
        files.create(3)
        files.append(3, [b"3" * 1000])
        files.close()
    over.set()
    reader.join()
    files.close()
    assert errors == []


def test_a_journal_keeps_its_key(tmp_path: Path) -> None:
    """One of its copies may break; when both did or it is gone, that is said, and no new journal begins."""
    files = DirectoryFiles(tmp_path)
    log = open_log(files, "group")
    log.append([Write(0, 0, 4, b"data")])
    point = log.checkpoint(1)
    files.close()
    path = tmp_path / "key"
    whole = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    for at in (3, 40, 4096 + 3, 4096 + 40):
        broken = bytearray(whole)
        broken[at] ^= 1
        path.write_bytes(broken)
        again = DirectoryFiles(tmp_path)
        assert open_log(again, "group").state.checkpoints == {point.record: point}
        again.close()
    path.write_bytes(bytes(len(whole)))
    with pytest.raises(JournalCorrupt, match="is broken"):
        open_log(DirectoryFiles(tmp_path), "group")
    path.unlink()
    with pytest.raises(JournalCorrupt, match="is gone"):
        open_log(DirectoryFiles(tmp_path), "group")
    other = tmp_path / "other"
    other.mkdir()
    assert DirectoryFiles(other).key != files.key
