"""Csv files in every code page, with every delimiter, and those that never end."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.sources.books import Limits, open_book
from planner.sources.csvfiles import delimiter_of


def rows_of(path: Path, limits: Limits | None = None) -> tuple[list[list[object]], list[str]]:
    with open_book(path, limits) as book:
        found = [list(row) for name in book.weights for row in book.rows(name)]
        return found, list(book.notes)


TEXT = 'VM;Größe\r\n"a;1";1.234,5\r\nžluť;2\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_with_and_without_marks(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.csv"
    body = TEXT if encoding != "utf-16-be" else TEXT.replace("ž", "z")
    path.write_bytes(body.encode(encoding))
    rows, notes = rows_of(path)
    assert rows[:2] == [["VM", "Größe"], ["a;1", "1.234,5"]]
    assert rows[2][0] in ("žluť", "zluť")
    assert notes == []


def test_windows_1252_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("VM;Größe\r\nMünchen;€ 5\r\n".encode("cp1252"))
    rows, notes = rows_of(path)
    assert rows == [["VM", "Größe"], ["München", "€ 5"]]
    assert notes == ["x.csv is not in Unicode: it was read as Windows-1252"]


@pytest.mark.parametrize(
    ("line", "sign"), [("a,b;c,d", ","), ("a;b;c", ";"), ("a\tb", "\t"), ('"a,b,c";d', ";"), ("a", ",")]
)
def test_the_delimiter_is_that_of_the_headers(line: str, sign: str) -> None:
    assert delimiter_of(line) == sign


def test_excels_own_word_for_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("sep=|\na,b|c\n1|2\n")
    assert rows_of(path)[0] == [["a,b", "c"], ["1", "2"]]


def test_rows_with_more_cells_than_headers_are_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n1,2,\n1,2,3\n4,5\n")
    rows, notes = rows_of(path)
    assert rows == [["a", "b"], ["1", "2"], ["1", "2", ""], ["4", "5"]]
    assert notes == ["x.csv has 1 row with more cells than headers (row 4): left out"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a,b\n" + "x" * 3000, "has a line of more than 2,000 characters"),
        ("a,b\n" + '"' + "x,\n" * 3000, "has a cell that does not end"),
        (",".join("abcdefghij" * 20) + "\n", "has 200 columns"),
        ("a\0b,c", "is no csv file"),
    ],
)
def test_what_never_ends_is_one_sentence(tmp_path: Path, body: str, said: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(body)
    with pytest.raises(BadInput) as caught:
        rows_of(path, Limits(line_chars=2000, cell_chars=1500, columns=100))
    assert said in caught.value.message
    assert caught.value.hint


def test_a_folder_is_a_book_of_its_csv_files(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("x\n1\n")
    (tmp_path / "a.CSV").write_text("y\n2\n")
    (tmp_path / "readme.txt").write_text("no")
    with open_book(tmp_path) as book:
        assert list(book.weights) == ["a", "b"]
        assert list(book.rows("b")) == [["x"], ["1"]]


def test_a_folder_without_csv_files(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no csv files"), open_book(tmp_path):
        pass
