"""Files that are wrong, damaged or hostile: one sentence, a bounded effort, and good rows are kept."""

from __future__ import annotations

import random
import string
import zipfile
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.evidence.records import Kind
from tests.planner.sources.flows.files import AZURE, NFDUMP, PLAIN, read, spoken, write


def refused(path: Path, kind: Kind | None = None, most: int = 1000) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(path, kind, most)
    assert caught.value.message.startswith(path.name[:40]) or str(path) in caught.value.message
    assert caught.value.hint
    assert not caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        (("hello", "world"), "has no header that wherry knows", "source,destination"),
        (("a,b,c", "1,2,3"), "has no header that wherry knows", "source,destination"),
        (("Quelle;Ziel;Port;Protokoll;Bytes", "a;b;1;tcp;5"), "has no header", "vm,application"),
        (("Quelle;Ziel;Port;Protokoll;Bytes", "a;b;1;tcp;5"), "has no header", "in English"),
        (("Server;Anwendung;Umgebung;Besitzer", "a;b;c;d"), "has no header", "vm,application"),
        (("vm,port", "a,1"), "has no header that wherry knows", "source,destination"),
        (("vm", "a", "b"), "names VMs and says nothing of them", "vm,application,tier"),
        (("server", "a"), "names VMs and says nothing of them", "vm,application,tier"),
        (("vm,cluster", "a,b"), "most like a file of kind applications", "vm,application,tier"),
        (("source,port,bytes", "a,1,2"), "most like a file of kind plain", "source,destination"),
        (
            ("Time slot,Source server name,Destination port", "x,y,1"),
            "most like a file of kind azure-migrate",
            "Time slot",
        ),
        ((PLAIN,), "has a header and no rows", "export it again"),
        ((PLAIN, ",b,1,,,,"), "row 2 has no source", "--kind"),
        ((PLAIN, "a,b,70000,,,,"), "row 2 has a port that cannot be read", "--kind"),
        ((PLAIN, "a,b,1,,much,,"), "row 2 has a size that cannot be read", "--kind"),
        ((PLAIN, "a,A,1,,,,", "127.0.0.1,b,1,,,,"), "has no row that says anything", "export"),
    ],
)
def test_files_without_one_usable_row(tmp_path: Path, lines: tuple[str, ...], said: str, hint: str) -> None:
    path = write(tmp_path / "x.csv", *lines)
    if "a,A,1,,,," in lines:
        path = write(tmp_path / "x.csv", PLAIN, "a,a,1,,,,", "127.0.0.1,b,1,,,,")
    error = refused(path)
    assert said in error.message
    assert hint in error.hint


def test_a_kind_that_the_header_is_not(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", PLAIN, "a,b,1,tcp,1,,")
    error = refused(path, Kind.AZURE)
    assert "has no header that wherry knows" in error.message
    assert "Time slot" in error.hint
    assert "no column for application" in refused(write(path, "vm,port", "a,1"), Kind.APPLICATIONS).message


def test_missing_empty_directory_and_binary(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nothing.csv").message
    (tmp_path / "empty.csv").touch()
    assert "is empty" in refused(tmp_path / "empty.csv").message
    assert "cannot be read" in refused(tmp_path).message
    (tmp_path / "disk.csv").write_bytes(b"source,destination\n" + bytes(range(256)) * 100)
    assert "is no csv file" in refused(tmp_path / "disk.csv").message
    (tmp_path / "bin.xlsx").write_bytes(bytes(range(256)) * 100)
    assert "is no workbook" in refused(tmp_path / "bin.xlsx").message
    with zipfile.ZipFile(tmp_path / "x.csv", "w") as archive:
        archive.writestr("a", "b")
    refused(tmp_path / "x.csv")


def test_bad_rows_are_named_and_counted_and_the_others_are_kept(tmp_path: Path) -> None:
    rows = (
        ["a,b,1,tcp,5,,"]
        + [f"a,b,port{n}x{n},tcp,5,," for n in range(8)]
        + ["a,,1,tcp,5,,", f"{'x' * 300},b,1,,,,"]
    )
    reading = read(write(tmp_path / "x.csv", PLAIN, *rows))
    assert reading.log.rows == 11
    assert reading.log.refused == 10
    assert reading.log.said[0] == "x.csv row 3 has a port that cannot be read"
    assert len(reading.log.said) == 5
    assert spoken(reading) == [("a", "b", 1, "tcp", 5, 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_code_pages(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "x.csv", PLAIN, "münchen-01,größe,1,tcp,5,,", encoding=encoding)
    reading = read(path)
    assert spoken(reading) == [("münchen-01", "größe", 1, "tcp", 5, 1)]
    assert bool(reading.notes) == (encoding == "cp1252")


def test_utf16_with_a_mark_of_either_order(tmp_path: Path) -> None:
    for encoding, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        (tmp_path / "x.csv").write_bytes(mark + f"{PLAIN}\na,b,1,tcp,5,,\n".encode(encoding))
        assert spoken(read(tmp_path / "x.csv")) == [("a", "b", 1, "tcp", 5, 1)]


def test_quotes_with_line_ends_and_separators_inside(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", PLAIN, '"a\r\nb","c,""d""",443,tcp,5,,', "e,f,1,tcp,6,,")
    reading = read(path)
    assert spoken(reading) == [("a\r\nb", 'c,"d"', 443, "tcp", 5, 1), ("e", "f", 1, "tcp", 6, 1)]


def test_a_quote_that_never_ends_costs_rows_and_not_the_file(tmp_path: Path) -> None:
    lines = [f"a{n},b,1,tcp,5,," for n in range(20_000)]
    lines[3] = 'a3,"b,1,tcp,5,,'
    reading = read(write(tmp_path / "x.csv", PLAIN, *lines), most=50_000)
    assert reading.log.refused == 1
    assert "row 5 cannot be cut into cells" in reading.log.said[0]
    assert len(reading.tally) > 10_000


def test_a_line_of_100_mb_is_refused_without_being_held(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(f"{PLAIN}\n".encode())
        for _ in range(100):
            file.write(b"a" * 1024**2)
    tracemalloc.start()
    try:
        error = refused(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "more than 1,048,576 characters in line 2" in error.message
    assert peak < 24 * 1024**2


def test_too_many_conversations_are_refused(tmp_path: Path) -> None:
    lines = [f"a{n},b,1,tcp,5,," for n in range(11)]
    assert len(read(write(tmp_path / "x.csv", PLAIN, *lines[:10]), most=10).tally) == 10
    assert (
        "more than 10 different conversations"
        in refused(write(tmp_path / "x.csv", PLAIN, *lines), most=10).message
    )


def test_names_that_are_never_a_conversation_are_bounded_too(tmp_path: Path) -> None:
    lines = [f"a,224.0.{n // 256}.{n % 256},1,udp,5,," for n in range(200)]
    assert "more than 10 different" in refused(write(tmp_path / "x.csv", PLAIN, *lines), most=10).message


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "\x1b[31mred", "a\u202eb", "'); DROP TABLE vm;--", "../../etc"]
)
def test_hostile_names_are_text(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "x.csv", PLAIN, f'"{name}",b,1,tcp,5,,')
    assert spoken(read(path)) == [(name, "b", 1, "tcp", 5, 1)]


def test_a_hostile_file_name_is_made_visible(tmp_path: Path) -> None:
    path = write(tmp_path / "a\x1b[31m.csv", PLAIN, ",b,1,tcp,5,,")
    with pytest.raises(BadInput) as caught:
        read(path)
    assert "\x1b" not in caught.value.message


def test_no_noise_makes_it_fail_otherwise(tmp_path: Path) -> None:
    """Random damage to a good file ends in a reading or in a refusal, never in another error."""
    body = "\r\n".join(
        [AZURE, *["7/28/2026 12:00-18:00,web-1,10.0.0.1,x,y,db,10.0.0.2,x,y,1433"] * 20]
    ).encode()
    other = "\r\n".join(
        [NFDUMP, *["2026-10-01 08:00:00,2026-10-01 08:00:10,1,10.0.0.1,10.0.0.2,5,443,TCP,,,,1,2,,"] * 20]
    )
    outcomes = set()
    for seed in range(150):
        random_source = random.Random(seed)
        damaged = bytearray(body if seed % 2 else other.encode())
        for _ in range(random_source.randrange(1, 40)):
            at = random_source.randrange(len(damaged))
            damaged[at] = random_source.choice(b'",;\n\r\t \xff\xe9' + string.digits.encode())
        path = tmp_path / "x.csv"
        path.write_bytes(bytes(damaged))
        try:
            outcomes.add(read(path).kind)
        except BadInput as error:
            outcomes.add(type(error).__name__)
    assert outcomes >= {Kind.AZURE, Kind.NETFLOW, "BadInput"}
