"""Runs that stay: one frame for those that follow each other."""

from __future__ import annotations

import random

from migrate.replication.blocks import Piece
from migrate.replication.keeping import Keeping
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.wire import Kind
from planner.units import MIB
from tests.migrate.replication.model import MemoryDisk, World


def keep(offset: int, length: int) -> Piece:
    return Piece(Kind.KEEP, offset, length)


def test_what_follows_is_one_and_the_order_stays() -> None:
    keeping = Keeping()
    data = Piece(Kind.DATA, 5, 1, b"x")
    assert keeping.joined([keep(0, 2)]) == []
    assert keeping.joined([keep(2, 3), data, keep(6, 1)]) == [keep(0, 5), data]
    assert keeping.joined([keep(9, 1)]) == [keep(6, 1)]
    assert keeping.last() == [keep(9, 1)]
    assert keeping.last() == []


def test_a_run_does_not_grow_for_ever() -> None:
    keeping = Keeping()
    sent = [piece for at in range(200) for piece in keeping.joined([keep(at * MIB, MIB)])] + keeping.last()
    assert [piece.length // MIB for piece in sent] == [64, 64, 64, 8]


def test_the_last_run_arrives_and_a_stopped_pass_keeps_what_it_compared() -> None:
    content = random.Random(1).randbytes(4 * MIB)
    world = World(MemoryDisk(content))
    asked = iter([False] * 3)
    spec = PassSpec("v", "p", len(content))
    stopped = world.send(
        MemoryDisk(content), spec, Mode.COMPARE, block_bytes=MIB, stop=lambda: next(asked, True)
    )
    assert isinstance(stopped, PassResult)
    assert not stopped.complete
    whole = world.send(MemoryDisk(content), spec, Mode.COMPARE, block_bytes=MIB)
    assert isinstance(whole, PassResult)
    assert (whole.complete, whole.resumed_bytes, whole.sent_bytes) == (True, 3 * MIB, 0)
