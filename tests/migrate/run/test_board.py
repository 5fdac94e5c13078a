"""Limits count over all crews of a process."""

from __future__ import annotations

from migrate.run.board import Board
from migrate.run.lanes import Lane, Limits


def lane(name: str, host: str = "") -> Lane:
    return Lane(name, 1, host=host)


def test_what_another_crew_copies_takes_room() -> None:
    board = Board()
    assert [one.step for one in board.take(1, [lane("a"), lane("b")], Limits(3))] == ["a", "b"]
    assert [one.step for one in board.take(2, [lane("a"), lane("b")], Limits(3))] == ["a"]
    assert board.take(2, [lane("b")], Limits(3)) == []
    board.leave(1, "a")
    assert [one.step for one in board.take(2, [lane("b")], Limits(3))] == ["b"]


def test_a_host_is_spared_over_all_crews() -> None:
    board = Board()
    limits = Limits(8, per_host=1)
    assert board.take(1, [lane("a", "esx1")], limits)
    assert [one.step for one in board.take(2, [lane("b", "esx1"), lane("c", "esx2")], limits)] == ["c"]


def test_a_crew_is_held_up_by_others_only() -> None:
    board = Board()
    board.take(1, [lane("a")], Limits(1))
    assert not board.elsewhere(1)
    assert board.elsewhere(2)
    board.leave(1, "a")
    assert not board.elsewhere(2)
