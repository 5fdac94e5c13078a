"""Whatever a child does, its parent says one sentence and leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

import pytest

from planner.errors import BadInput, NoSpace, WherryError
from planner.sources.isolation import Bounds, run_isolated, staging_file
from planner.sources.rows import read_rows
from planner.units import MIB
from tests.planner.sources.workbooks import plain, write


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def refused(path: Path, bounds: Bounds | None = None) -> BadInput:
    with pytest.raises(BadInput) as caught, read_rows(path, bounds=bounds):
        pass
    error = caught.value
    assert error.hint
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    assert error.exit_code == 2
    assert list((path.parent / "tmp").iterdir()) == []
    return error


def with_first_cell(path: Path, place: bytes) -> Path:
    """Return a workbook whose first cell says it stands elsewhere."""
    plain(path.with_name("whole.xlsx"))
    with zipfile.ZipFile(path.with_name("whole.xlsx")) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                content = content.replace(b'r="A1"', place, 1)
                assert place in content
            new.writestr(entry, content)
    return path


def test_rows_come_back_with_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlsx", {"one": [["a", 1, True], [], ["=1+1", 0.5, False]], "two": []})
    seen: list[tuple[int, int]] = []
    with read_rows(path, report=lambda done, total: seen.append((done, total))) as table:
        assert table.sheets == ("one", "two")
        assert list(table.lines("one")) == [(1, ["a", 1.0, True]), (3, ["=1+1", 0.5, False])]
        assert list(table.lines("two")) == []
    assert seen[-1][0] == seen[-1][1] > 0
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "place", [b'r="XFD1048576"', b"r = 'xfd1048576'", b'r="ZZ999999"', b'r="XFD10000"', b'r="AAAAAAA1"']
)
def test_a_cell_far_out_is_refused_whatever_it_would_cost(tmp_path: Path, place: bytes) -> None:
    refused(with_first_cell(tmp_path / "x.xlsx", place))


def test_a_million_columns(tmp_path: Path) -> None:
    error = refused(with_first_cell(tmp_path / "x.xlsx", b'r="XFD1"'))
    assert "16,384 columns" in error.message


def test_the_memory_limit_is_a_sentence(tmp_path: Path) -> None:
    error = refused(with_first_cell(tmp_path / "x.xlsx", b'r="ZZ999999"'), Bounds(memory_bytes=900 * MIB))
    assert "takes more than 900 MiB of memory" in error.message


def test_the_limit_of_processor_time_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        for _ in range(600):
            file.write("a,b,c,d\n" * 20_000)
    assert "takes more than 1 s of processor time" in refused(path, Bounds(cpu_s=1)).message


def test_the_limit_of_the_staging_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b,c,d\n" * 200_000)
    with (
        pytest.raises(NoSpace, match=r"x\.csv cannot be staged"),
        read_rows(path, bounds=Bounds(file_bytes=MIB)),
    ):
        pass
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_table_that_does_not_begin_in_its_first_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlsx", {"one": [[], [], [None, "a"], [None, None, 5]]})
    with read_rows(path) as table:
        assert list(table.lines("one")) == [(3, ["", "a", ""]), (4, ["", "", 5.0])]


def test_a_bug_of_ours_is_no_silence(tmp_path: Path) -> None:
    with staging_file() as staging, pytest.raises(WherryError, match="TypeError") as caught:
        run_isolated("rows", plain(tmp_path / "x.xlsx"), staging, options={"no_such_limit": 1})
    assert caught.value.exit_code == 1


def test_a_name_that_is_no_text_is_shown_harmless(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\x1b[31m\xff.xlsx")
    path.write_bytes(b"")
    error = refused(path)
    assert "is empty" in error.message
    assert "\x1b" not in error.message


def test_the_child_runs_with_its_limits(tmp_path: Path) -> None:
    """Negative control: the same file passes when its limits allow it."""
    path = with_first_cell(tmp_path / "x.xlsx", b'r="ZZ9999"')
    refused(path, Bounds(memory_bytes=150 * MIB))
    with read_rows(path) as table:
        assert table.sheets == ("vInfo", "vDisk")
