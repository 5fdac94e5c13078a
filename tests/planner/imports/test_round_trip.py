"""Any name survives the way out and back: a table that nobody edited changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.export.csv import render
from planner.export.printout import Printout
from planner.imports.reread import reread
from planner.imports.tables import RowsRefused
from planner.settings import Settings
from tests.planner.sketch import estate, plan, vm

_NASTY = st.sampled_from(
    ["=", "+", "-", "@", "'", '"', ",", ";", "\t", "\n", "\r", " ", "\x00", "\u202e", "＝", "é"]
)
_NAMES = st.lists(st.one_of(_NASTY, st.characters(exclude_categories=["Cs"])), min_size=1, max_size=12).map(
    "".join
)


@settings(max_examples=60, deadline=None)
@example(names=["'=", "=", " ", "'"])
@given(names=st.lists(_NAMES, min_size=1, max_size=4))
def test_a_table_that_nobody_edited_changes_nothing(names: list[str]) -> None:
    inventory = estate(*(vm(name, id=f"id-{at}") for at, name in enumerate(names)))
    printout = Printout(plan(inventory, caps={"vms": 2}), inventory)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "assignment.csv"
        path.write_bytes(render(printout))
        told = reread(path, printout, Settings())
    assert (told.rows, told.pins, told.moved) == (len(names), (), ())


def test_a_name_that_was_changed_is_noticed(tmp_path: Path) -> None:
    """The control: the round trip is not blind to names."""
    inventory = estate(vm("=a"))
    printout = Printout(plan(inventory), inventory)
    path = tmp_path / "assignment.csv"
    path.write_bytes(render(printout).replace(b"'=a", b"'=b"))
    with pytest.raises(RowsRefused, match="vm says '=b, id-=a is =a"):
        reread(path, printout, Settings())
