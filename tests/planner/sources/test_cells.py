"""One cell to one value."""

from __future__ import annotations

import pytest

from planner.sources.cells import flag, mebibytes, moment, number, text, whole
from planner.sources.rvtools.headers import header_key, sheet_key


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (True, True),
        ("True", True),
        ("TRUE", True),
        (1.0, True),
        ("yes", True),
        ("Wahr", True),
        ("False", False),
        (0.0, False),
        (False, False),
        ("", None),
        (None, None),
        (" ", None),
        ("perhaps", None),
    ],
)
def test_flag(cell: object, value: bool | None) -> None:
    assert flag(cell) is value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (12.0, 12.0),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234", 1234.0),
        ("40.960", 40960.0),
        ("1.234.567", 1234567.0),
        ("0.500", 0.5),
        ("12.50", 12.5),
        ("12,5", 12.5),
        ("1 234", 1234.0),
        ("-3", -3.0),
        ("", None),
        ("n/a", None),
        (True, None),
        (float("inf"), None),
        (float("nan"), None),
        ("9" * 400, None),
    ],
)
def test_number(cell: object, value: float | None) -> None:
    assert number(cell) == value


def test_sizes_and_counts() -> None:
    assert mebibytes(2.0) == 2 * 1024**2
    assert mebibytes(-1.0) is None
    assert mebibytes("") is None
    assert whole("7") == 7
    assert text(16.0) == "16"


@pytest.mark.parametrize(
    "cell",
    ["2026/05/06 07:08:09", "2026-05-06T07:08:09Z", "2026-05-06T09:08:09+02:00", 46148.297326388885],
)
def test_moment(cell: object) -> None:
    assert moment(cell) == "2026-05-06T07:08:09+00:00"


@pytest.mark.parametrize("cell", ["", None, "yesterday", 3.0, float("nan")])
def test_no_moment(cell: object) -> None:
    assert moment(cell) == ""


def test_header_and_sheet_keys() -> None:
    assert header_key("Free % ") == "free"
    assert header_key("Capacity MiB") == header_key("capacity  MB") == "capacitymb"
    assert header_key("vInfoGuestHostName", "vinfo") == header_key("DNS Name", "vinfo")
    assert sheet_key("tabvInfo") == sheet_key("RVTools_tabvInfo") == "vinfo"
    assert sheet_key("vSC_VMK") == "vscvmk"
    assert sheet_key("Sheet1") == ""


def test_a_time_before_all_time_is_unknown() -> None:
    assert moment("0001-01-01T00:00:00+14:00") == ""
