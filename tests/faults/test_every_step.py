"""Every kind of step of a wave's runbook, struck by every fault at its begin, in its middle and at its end.

A field that fails names itself and its seed: ``Matrix(SEED)`` plays it again, move for move.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.faults.matrix import Field, Matrix
from tests.faults.nights.estate import KINDS
from tests.faults.nights.mutants import MUTANTS
from tests.faults.nights.night import Way
from tests.faults.nights.strikes import LONG_S, Fault, Moment

SEED = int(os.environ.get("WHERRY_SEED", "1"))


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return Matrix(SEED)


def test_a_step_of_each_kind_is_struck_and_the_wave_ends_as_if_it_had_not_been(matrix: Matrix) -> None:
    fields = list(matrix.fields())
    assert {one.span.kind for one in fields} == KINDS
    for one in matrix.slice(fields):
        matrix.play(one)
    matrix.covered.say(SEED)
    assert matrix.covered.wrong == {}
    assert matrix.covered.kinds == KINDS
    assert {fault for _kind, fault in matrix.covered.fields} == set(Fault)


def test_a_frozen_mover_is_taken_over_and_writes_nothing_after_it() -> None:
    matrix = Matrix(SEED)  # its own: what is struck hangs on the seed alone, not on what was played before
    frozen = [
        Field(way, span, Fault.FREEZE, Moment.MIDDLE)
        for way in (Way.OUT, Way.HOME)
        for span in matrix.calm(way, fleet=False).spans
        if span.kind == "transfer"
    ]
    before = matrix.covered.met["tasks taken over"]
    wrong = [said for one in frozen for said in (*matrix.play(one), *matrix.play(one, freeze_s=LONG_S))]
    taken = matrix.covered.met["tasks taken over"] - before
    print(f"{2 * len(frozen)} movers frozen for 10 and 30 s, {taken} tasks taken over")
    assert wrong == []
    assert taken > len(frozen)


def test_a_seed_tells_the_same_night_twice() -> None:
    told = []
    for _ in range(2):
        each = Matrix(7)
        span = next(span for span in each.calm(Way.OUT, fleet=False).spans if span.kind == "transfer")
        each.play(Field(Way.OUT, span, Fault.RECEIVER, Moment.MIDDLE))
        told.append((span, each.covered))
    assert told[0] == told[1]


@pytest.mark.parametrize("name", MUTANTS)
def test_negative_control(matrix: Matrix, name: str) -> None:
    mutant = MUTANTS[name]
    spans = [span for span in matrix.calm(mutant.way, fleet=False).spans if span.kind == mutant.kind]
    fields = (Field(mutant.way, span, mutant.fault, mutant.moment) for span in spans)
    said = (one for field in fields for one in matrix.play(field, mutant.product(), LONG_S))
    assert any(mutant.shows in one for one in said), "nobody notices"


@pytest.mark.soak
@pytest.mark.parametrize("part", range(3))
def test_every_kind_of_step_by_every_fault_by_every_moment(part: int) -> None:
    seed = int(os.environ.get("WHERRY_SEED", random.SystemRandom().randrange(10**9))) + part
    whole = Matrix(seed)
    for one in whole.fields():
        whole.play(one)
    whole.covered.say(seed)
    assert whole.covered.wrong == {}
    assert whole.covered.fields == {(kind, fault) for kind in KINDS for fault in Fault}
