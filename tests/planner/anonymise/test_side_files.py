"""Flow files, application lists and key files."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from planner.anonymise.keys import kept_key
from planner.anonymise.mask import Mask
from planner.anonymise.tables import anonymise_csv
from planner.errors import BadInput

KEY = bytes(range(32))


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_endpoints_are_masked_and_figures_stay(tmp_path: Path) -> None:
    plain = tmp_path / "deps.csv"
    plain.write_text(
        "Source server name;Source IP;Destination IP;Destination port;bytes;Time slot;Team Sobotka\n"
        "fastus-db-01;10.1.2.3;203.0.113.9;1433;99999;2026-09-01T10:00:00Z;Halle7\n"
        "vm-1042;;;443;12345;2026/09/01 10:00:00;77419\n",
        "utf-8-sig",
    )
    mask = Mask(KEY)
    assert anonymise_csv(plain, tmp_path / "out.csv", mask) == 2
    head, first, second = _rows(tmp_path / "out.csv")
    assert head[:6] == [
        "Source server name",
        "Source IP",
        "Destination IP",
        "Destination port",
        "bytes",
        "Time slot",
    ]
    assert "Sobotka" not in head[6]
    assert first[:3] == [mask.text("fastus-db-01"), mask.text("10.1.2.3"), mask.text("203.0.113.9")]
    assert first[3:6] == ["1433", "99999", "2026-09-01T10:00:00Z"]
    assert second[0] == mask.identifier("vm-1042")
    assert second[3:6] == ["443", "12345", "2026/09/01 10:00:00"]
    assert second[6] != "77419", "a number in a column of names is a name"


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04rest of a workbook"])
def test_what_is_no_csv_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(body)
    with pytest.raises(BadInput) as caught:
        anonymise_csv(path, tmp_path / "out.csv", Mask(KEY))
    assert caught.value.hint
    assert "x.csv" in caught.value.message


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "my.key"
    key = kept_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_key(path) == key
    assert kept_key(tmp_path / "other.key") != key


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.key"
    kept_key(path)
    path.chmod(0o644)
    with pytest.raises(BadInput, match="read by others"):
        kept_key(path)


@pytest.mark.parametrize("body", ["", "no key", "00" * 31, "ü" * 64])
def test_what_is_no_key_is_refused(tmp_path: Path, body: str) -> None:
    path = tmp_path / "my.key"
    path.write_text(body, "utf-8")
    path.chmod(0o600)
    with pytest.raises(BadInput, match="holds no key"):
        kept_key(path)
