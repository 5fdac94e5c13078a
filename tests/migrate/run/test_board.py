"""Limits count over all crews of a process."""

from __future__ import annotations

from migrate.claims import Claim, Rank
from migrate.run.board import Board
from migrate.run.lanes import Lane


def lane(name: str, most: int, host: str = "") -> Lane:
    return Lane(name, 1, claims=(Claim("disks", most), *((Claim("of a host", 1, host),) if host else ())))


def test_what_another_crew_copies_takes_room() -> None:
    board = Board()
    assert [one.step for one in board.take(1, [lane("a", 3), lane("b", 3)])] == ["a", "b"]
    assert [one.step for one in board.take(2, [lane("a", 3), lane("b", 3)])] == ["a"]
    assert board.take(2, [lane("b", 3)]) == []
    board.leave(1, "a")
    assert [one.step for one in board.take(2, [lane("b", 3)])] == ["b"]


def test_a_host_is_spared_over_all_crews() -> None:
    board = Board()
    assert board.take(1, [lane("a", 8, "esx1")])
    assert [one.step for one in board.take(2, [lane("b", 8, "esx1"), lane("c", 8, "esx2")])] == ["c"]


def test_a_crew_is_held_up_by_others_only() -> None:
    board = Board()
    board.take(1, [lane("a", 1)])
    assert not board.elsewhere(1)
    assert board.elsewhere(2)
    board.leave(1, "a")
    assert not board.elsewhere(2)


def test_what_a_cutover_waits_for_no_other_crew_takes_until_it_goes() -> None:
    board = Board()
    first = Lane("final", claims=(Claim("disks", 1),), rank=Rank.FIRST)
    assert board.take(1, [lane("a", 1)])
    assert board.would_take(2, [first]) == []
    board.leave(1, "a")
    assert board.would_take(1, [lane("b", 1)]) == []
    assert board.elsewhere(1), "who waits for it is told so"
    assert board.take(2, [first]) == [first]
    board.leave(2, "final")
    assert board.would_take(1, [lane("b", 1)])
    assert board.take(1, [lane("c", 1)])
    assert board.would_take(2, [first]) == []
    board.leave(1, "c")
    board.go(2)  # it was paused
    assert board.take(1, [lane("b", 1)])
