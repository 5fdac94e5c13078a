"""Limits count over all crews of a process."""

from __future__ import annotations

from migrate.claims import Claim
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
