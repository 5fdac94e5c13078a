"""groups.csv read back: whole groups go to other waves, or every wrong row is named."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.export.csv import deps, exceptions, groups
from planner.export.handover import GROUPS
from planner.export.printout import Printout
from planner.imports.reread import Reread, reread
from planner.imports.tables import RowsRefused
from planner.settings import Settings
from tests.planner.imports.test_assignment import printed

Rows = list[dict[str, str]]


def edited(path: Path, printout: Printout, change: Callable[[Rows], None], *more: str) -> Path:
    rows = list(csv.DictReader(StringIO(groups(printout).decode())))
    change(rows)
    out = StringIO(newline="")
    writer = csv.DictWriter(out, [*GROUPS, *more])
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8")
    return path


def read(tmp_path: Path, change: Callable[[Rows], None], *more: str) -> Reread:
    printout, said = printed()
    return reread(edited(tmp_path / "any.csv", printout, change, *more), printout, said)


def pair(rows: Rows) -> dict[str, str]:
    return next(row for row in rows if row["vm_count"] == "2")


def test_an_untouched_table_changes_nothing(tmp_path: Path) -> None:
    told = read(tmp_path, lambda rows: None)
    assert (told.table, told.rows, told.pins, told.moved, told.ignored) == ("groups", 5, (), (), ())


def test_a_group_moves_whole_and_is_pinned_there(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        row = pair(rows)
        row["wave_id"] = "w03" if row["wave_id"] != "W03" else "w01"
        rows[:] = [row]  # the others were filtered out

    told = read(tmp_path, change)
    (group,) = told.moved
    assert set(group.vms) == {"id-db", "id-app"}
    assert [(pin.what, pin.wave) for pin in told.pins] == [(group.vms[0], group.after)]
    body = told.onto(Settings())
    assert Settings.model_validate(body).pins == told.pins
    assert body["windows"] == []


def test_columns_that_no_table_has_are_ignored_and_said(tmp_path: Path) -> None:
    told = read(tmp_path, lambda rows: rows[0].update(comment="=x"), "comment", "\u202eodd")
    assert told.ignored[0] == "comment"
    assert len(told.ignored) == 2
    assert "\u202e" not in told.ignored[1]
    assert told.moved == ()


WRONG: list[tuple[str, Callable[[Rows], None], str]] = [
    ("unknown", lambda rows: rows[0].update(group_id="x\x1b[2J"), "row 2: x␛.* is no move group"),
    ("empty", lambda rows: rows[0].update(group_id=""), "row 2: group_id is empty"),
    ("no wave", lambda rows: rows[0].update(wave_id=""), "row 2: wave_id is empty"),
    ("other wave", lambda rows: rows[0].update(wave_id="W99"), "row 2: wave W99 does not exist"),
    ("twice", lambda rows: rows.append(dict(rows[0])), "row 7: .* stands in row 2 already"),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_nonsense_is_named_by_its_row(tmp_path: Path, change: Callable[[Rows], None], said: str) -> None:
    with pytest.raises(RowsRefused, match=said) as caught:
        read(tmp_path, change)
    assert "\x1b" not in caught.value.message


def test_every_wrong_row_is_named(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["group_id"], rows[3]["wave_id"] = "a", "b"

    with pytest.raises(RowsRefused) as caught:
        read(tmp_path, change)
    assert [row.partition(":")[0] for row in caught.value.rows] == ["row 2", "row 5"]


def test_tables_that_only_tell_say_what_to_use_instead(tmp_path: Path) -> None:
    printout, said = printed()
    for name, render, hint in (("deps", deps, "wherry deps"), ("exceptions", exceptions, "wherry waive")):
        path = tmp_path / "any.csv"
        path.write_bytes(render(printout))
        with pytest.raises(BadInput, match=f"is {name}.csv, which is not read back") as caught:
            reread(path, printout, said)
        assert hint in caught.value.hint
