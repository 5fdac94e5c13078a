"""Workbooks of large plans: the same cells through temporary files, and rows that no sheet can hold."""

from __future__ import annotations

import tempfile
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest

from planner.errors import NoSpace
from planner.export import xlsx
from planner.export.printout import Table
from planner.export.sheets import tables
from planner.export.xlsx import workbook_of
from tests.planner.export.test_papers import printed

_AT = datetime(2027, 1, 1)  # noqa: DTZ001 - a workbook's times carry no zone


def _read(made: bytes) -> dict[str, list[tuple[object, ...]]]:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    book = openpyxl.load_workbook(BytesIO(made))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def test_a_large_workbook_holds_the_same_cells_in_the_same_bytes_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    small = workbook_of("t", _AT, tables(printed()))
    large = [workbook_of("t", _AT, tables(printed()), large=True) for _ in range(2)]
    assert large[0] == large[1]
    assert _read(small) == _read(large[0])
    assert list(tmp_path.iterdir()) == []


def test_tables_are_taken_one_by_one_and_rows_that_do_not_fit_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xlsx, "_MOST_ROWS", 10)
    rows = tuple((f"r{at}", at) for at in range(30))
    made = workbook_of("t", _AT, iter([Table("A", ("a", "b"), rows)]))
    found = _read(made)["A"]
    assert len(found) == 11
    assert found[-1][0] == "21 more rows do not fit into a sheet"
    assert found[-2] == ("r8", 8)


def test_no_room_for_temporary_files_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(NoSpace, match="folder of temporary files takes no more") as caught:
        workbook_of("t", _AT, [Table("A", ("a",), ())], large=True)
    assert "TMPDIR" in caught.value.hint


@pytest.mark.parametrize("large", [False, True])
def test_text_that_looks_like_a_rich_string_of_the_library_is_no_xml(large: bool) -> None:
    names = ("<r><t>forged</t></r>", "<r></c><c>&</r>", "<r>", "x</r>")
    made = workbook_of("t", _AT, [Table("A", ("a",), tuple((name,) for name in names))], large=large)
    assert [row[0] for row in _read(made)["A"][1:]] == list(names)
