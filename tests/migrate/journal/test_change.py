"""Which checkpoints are pointed out: much more change than usual, and none of it packs."""

from __future__ import annotations

from migrate.journal.change import unusual
from migrate.journal.state import Checkpoint
from planner.units import MIB


def points(*written: tuple[int, float]) -> list[Checkpoint]:
    """Return checkpoints of so many MiB, packed to that share."""
    return [
        Checkpoint(number, number, written_bytes=size * MIB, packed_bytes=int(size * MIB * left))
        for number, (size, left) in enumerate(written, 1)
    ]


def test_much_that_does_not_pack_is_pointed_out_for_as_long_as_it_goes_on() -> None:
    quiet = [(10, 0.4)] * 4
    assert unusual(points(*quiet, (12, 0.42))) == {}
    attack = unusual(points(*quiet, (80, 0.99), (90, 1.0), (95, 0.98), (11, 0.4)))
    assert list(attack) == [5, 6, 7]
    assert attack[5] == "8 times the usual change, and it hardly packs: to 99%, 40% before"


def test_neither_alone_is_pointed_out() -> None:
    quiet = [(10, 0.4)] * 4
    assert unusual(points(*quiet, (80, 0.5))) == {}  # a restore, a patch
    assert unusual(points(*quiet, (30, 1.0))) == {}  # a few photographs
    assert unusual(points(*quiet, (50, 1.0))) == {}  # five times is not more than five times
    assert list(unusual(points(*quiet, (51, 1.0)))) == [5]


def test_nothing_is_out_of_the_ordinary_before_something_is_ordinary() -> None:
    assert unusual(points((10, 0.4), (10, 0.4), (500, 1.0))) == {}
    assert unusual([]) == {}


def test_little_is_never_much_and_nothing_written_packs_to_nothing() -> None:
    idle = [(0, 0.0)] * 5
    assert unusual(points(*idle, (5, 1.0))) == {}
    found = unusual(points(*idle, (6, 1.0), (0, 0.0)))
    assert found == {6: "6 times the usual change, and it hardly packs: to 100%"}
