"""The progress log: what survives, what is torn, what is damaged."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode
from migrate.replication.progress import (
    WHOLE,
    CurrentPass,
    ProgressLog,
    VolumeState,
    _state_from,
    _state_to,
)
from migrate.sites.ports import Consistency, Extent
from tests.migrate.replication.model import MemoryLog


def filled(store: MemoryLog) -> list[tuple[bytes, VolumeState]]:
    """Write a pass into a log and return each step's content and state."""
    log = ProgressLog(store, "v")
    steps = []
    log.begin(CurrentPass("p1", Mode.SEED, 1000, "e/1", True), 3)
    steps.append((store.content, log.state))
    for at in range(0, 1000, 250):
        log.hold([Extent(at, 250)])
        steps.append((store.content, log.state))
    return steps


def test_it_reads_back_what_it_wrote() -> None:
    store = MemoryLog()
    for content, state in filled(store):
        copy = MemoryLog()
        copy.content = content
        assert ProgressLog(copy, "v").state == state
    log = ProgressLog(store, "v")
    assert log.state.current is not None
    assert log.state.current.held == (Extent(0, 1000),)
    log.finish(900, 500)
    again = ProgressLog(store, "v").state
    assert again == log.state
    assert again.base == "e/1"
    assert again.done is not None
    assert again.done.data_bytes == 900
    assert again.generation == 3


def test_what_a_pass_is_worth_is_kept_and_one_of_an_older_release_is_worth_a_crash() -> None:
    store = MemoryLog()
    log = ProgressLog(store, "v")
    for worth in Consistency:
        log.begin(CurrentPass("p", Mode.SEED, 10, "", True, cycle="c", consistency=worth), 1)
        assert ProgressLog(store, "v").state == log.state
        log.finish(10, 10)
        done = ProgressLog(store, "v").state.done
        assert done is not None
        assert (done.cycle, done.consistency) == ("c", worth)
    for left_out in (1, 2):
        log.begin(CurrentPass("p", Mode.SEED, 10, "", True, cycle="c", consistency=Consistency.FILESYSTEM), 1)
        body = _state_to(log.state)
        body["current"] = body["current"][:-left_out]
        state = _state_from(json.loads(json.dumps(body)))
        assert state.current is not None
        assert (state.current.cycle, state.current.consistency) == ("c" * (2 - left_out), Consistency.CRASH)


def test_every_torn_tail_is_ignored_and_can_be_written_after() -> None:
    store = MemoryLog()
    steps = filled(store)
    for (before, state), (after, _next) in pairwise(steps):
        for length in range(len(before), len(after)):
            torn = MemoryLog()
            torn.content = after[:length]
            log = ProgressLog(torn, "v")
            assert log.state == state
            log.hold([Extent(0, 999)])
            current = ProgressLog(torn, "v").state.current
            assert current is not None
            assert Extent(0, 999) in current.held or current.held[0].length >= 999


def test_damage_before_the_tail_makes_the_content_unknown() -> None:
    """Every byte of a log: a flip loses at most the last record, or is noticed."""
    store = MemoryLog()
    steps = filled(store)
    whole, last = steps[-1][0], len(steps[-2][0])
    for at in range(len(whole)):
        flipped = MemoryLog()
        flipped.content = whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
        state = ProgressLog(flipped, "v").state
        if at >= last:
            assert state == steps[-2][1]
        else:
            assert state.unknown
            assert state.suspects == WHOLE
            assert state.current is None
            assert flipped.aside


def test_a_log_of_another_volume_is_not_believed() -> None:
    store = MemoryLog()
    filled(store)
    assert ProgressLog(store, "other").state.unknown


def test_poison_survives_and_a_completed_pass_heals() -> None:
    store = MemoryLog()
    filled(store)
    log = ProgressLog(store, "v")
    log.poison([Extent(10, 10)])
    state = ProgressLog(store, "v").state
    assert (state.unknown, state.base, state.current) == (True, "", None)
    assert state.suspects == (Extent(10, 10),)
    log.begin(CurrentPass("p2", Mode.COMPARE, 1000, "e/2", False), 3)
    assert ProgressLog(store, "v").state.suspects == (Extent(10, 10),)
    log.finish(1, 1)
    state = ProgressLog(store, "v").state
    assert (state.unknown, state.suspects, state.base) == (False, (), "e/2")


def test_long_logs_are_compacted() -> None:
    store = MemoryLog()
    log = ProgressLog(store, "v")
    log.begin(CurrentPass("p", Mode.SEED, 2**40, "", True), 1)
    log._bytes = 2 * 1024 * 1024
    log.hold([Extent(0, 5)])
    assert len(store.content) < 1000
    assert ProgressLog(store, "v").state == log.state


def test_files(tmp_path: Path) -> None:
    volume = "../../etc/[bold]\n" + "x" * 300
    file = LogFile(tmp_path, volume)
    assert file.read() == b""
    log = ProgressLog(file, volume)
    log.begin(CurrentPass("p", Mode.SEED, 10, "", True), 1)
    log.hold([Extent(0, 5)])
    assert ProgressLog(LogFile(tmp_path, volume), volume).state == log.state
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == 1
    assert names[0].endswith(".progress")
    file.replace(random.Random(1).randbytes(100))
    assert ProgressLog(file, volume).state.unknown
    assert len(list(tmp_path.glob("*.damaged"))) == 1
    with pytest.raises(FileNotFoundError):
        LogFile(tmp_path, "never begun").append(b"x")
