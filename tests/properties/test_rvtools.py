"""Headers, numbers and dates in any spelling, cells of any content: read right or unknown, never wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.workbook import headers
from planner.errors import BadInput
from planner.model import Inventory
from planner.sources.books import Limits, open_book
from planner.sources.cells import flag, mebibytes, moment, number, text, whole
from planner.sources.rvtools.export import SPELLED, Export
from planner.sources.rvtools.headers import header_key, read_sheet, sheet_key
from planner.sources.rvtools.reading import read_export

WRITTEN = [(sheet, header) for sheet, names in headers().items() for header in names]
QUICK = settings(max_examples=150, deadline=None)
# What a person or another program puts into a cell.
CELLS = st.one_of(
    st.none(),
    st.just(""),
    st.just(" "),
    st.just("VM"),
    st.booleans(),
    st.floats(),
    st.integers(-(2**70), 2**70).map(float),
    st.text(max_size=12),
    st.sampled_from(
        ["True", "vm-1", "poweredOn", "physicalMode", "2", "1.234,5", "2026/01/02 03:04:05", "[ds]"]
    ),
    st.datetimes(),
)


@st.composite
def spellings(draw: st.DrawFn, header: str) -> str:
    """Return a header as versions, options and people may spell it."""
    found = header
    if draw(st.booleans()):
        found = found.replace("MiB", "MB").replace("KiB", "KB")
    blanks = draw(st.sampled_from([" ", "  ", "\n", "\u00a0"]))
    found = found.replace(" ", blanks)
    case = draw(st.sampled_from([str.lower, str.upper, str.title, str]))
    return draw(st.sampled_from(["", " "])) + case(found) + draw(st.sampled_from(["", " ", "\t"]))


@QUICK
@given(st.data(), st.sampled_from(WRITTEN))
def test_a_header_has_one_key_in_every_spelling(data: st.DataObject, written: tuple[str, str]) -> None:
    _, header = written
    assert header_key(data.draw(spellings(header))) == header_key(header)


def test_a_database_name_is_the_header_it_stands_for() -> None:
    wrong = set()
    for sheet, header in WRITTEN:
        bare = "".join(char for char in header if char.isalnum())
        if header_key(sheet + bare, sheet_key(sheet)) != header_key(bare):
            wrong.add(bare)
    # In the database these are names of other columns; the cores of a cluster are not read.
    assert wrong == {"UUID", "Consumed", "NumCpuCores"}


def test_no_two_headers_of_a_sheet_share_a_key_but_counts_and_their_lists() -> None:
    for sheet, names in headers().items():
        keys = [header_key(name) for name in names]
        doubled = {name for name, key in zip(names, keys, strict=True) if keys.count(key) > 1}
        assert doubled <= {"# Hosts", "Hosts"}, sheet


@QUICK
@given(st.sampled_from(list(SPELLED.items())), st.sampled_from(["", "tab", "RVTools_tab", "RVTOOLS_TAB"]))
def test_a_sheet_has_one_key_in_every_spelling(sheet: tuple[str, str], before: str) -> None:
    assert sheet_key(before + sheet[1]) == sheet[0]


@QUICK
@given(st.permutations(range(6)), st.lists(st.sampled_from(["", "x", "None"]), max_size=3))
def test_columns_are_found_wherever_they_stand(order: Sequence[int], strange: list[str]) -> None:
    names = ["VM", "Powerstate", "VM ID", "In Use MiB", "CBT", "Host"]
    cells: list[object] = ["a", "poweredOn", "vm-1", 5.0, "True", "esx"]
    heads = [*strange, *(names[at] for at in order)]
    row = [*("lost" for _ in strange), *(cells[at] for at in order)]
    sheet, _ = read_sheet("vInfo", [heads, row])
    assert sheet.texts("vm") == ["a"]
    assert sheet.texts("vmid") == ["vm-1"]
    assert sheet.sizes("inusemb") == [5 * 1024**2]
    assert sheet.flags("cbt") == [True]


def _written(value: int, thousands: str, decimal: str, places: int) -> str:
    whole_part, rest = divmod(value, 10**places)
    grouped = f"{whole_part:,}".replace(",", thousands)
    return grouped + (f"{decimal}{rest:0{places}d}" if places else "")


@QUICK
@given(
    st.integers(0, 10**14),
    st.sampled_from([("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("'", "."), ("\u00a0", ",")]),
    st.sampled_from([0, 1, 2, 4]),
)
def test_numbers_in_every_locale(value: int, signs: tuple[str, str], places: int) -> None:
    said = number(_written(value, *signs, places))
    assert said is not None
    assert abs(said - value / 10**places) <= abs(said) * 1e-12


@QUICK
@given(st.datetimes(datetime(1970, 1, 2), datetime(2099, 1, 1)))  # noqa: DTZ001 - Excel knows no zones
def test_dates_in_every_form(at: datetime) -> None:
    at = at.replace(microsecond=0)
    expected = at.replace(tzinfo=UTC).isoformat(timespec="seconds")
    for cell in (
        at,
        at.strftime("%Y/%m/%d %H:%M:%S"),
        at.strftime("%d.%m.%Y %H:%M:%S"),
        at.isoformat(),
        (at - datetime(1899, 12, 30)) / timedelta(days=1),  # noqa: DTZ001
    ):
        assert moment(cell) == expected, cell


@QUICK
@given(CELLS)
def test_any_cell_is_a_value_or_unknown(cell: object) -> None:
    assert isinstance(text(cell), str)
    assert flag(cell) in (True, False, None)
    assert isinstance(moment(cell), str)
    size, count = mebibytes(cell), whole(cell)
    assert size is None or 0 <= size < 2**80
    assert count is None or isinstance(count, int)


class _Book:
    def __init__(self, sheets: dict[str, list[list[object]]]) -> None:
        self.weights = dict.fromkeys(sheets, 1)
        self.notes: list[str] = []
        self._sheets = sheets

    def rows(self, name: str) -> list[list[object]]:
        return self._sheets[name]


@st.composite
def exports(draw: st.DrawFn) -> dict[str, list[list[object]]]:
    """Return an export with every sheet of 4.7 and anything in its cells."""
    found: dict[str, list[list[object]]] = {}
    for sheet in draw(st.sets(st.sampled_from(sorted(set(headers()) - {"vInfo"})), max_size=4)):
        names = draw(st.lists(st.sampled_from(headers()[sheet]), min_size=1, max_size=8))
        rows = draw(st.lists(st.lists(CELLS, max_size=len(names)), max_size=3))
        found[sheet] = [[*names], *(["" if cell is None else cell for cell in row] for row in rows)]
    more = draw(st.lists(st.sampled_from(headers()["vInfo"][2:]), max_size=10))
    rows = draw(st.lists(st.lists(CELLS, max_size=2 + len(more)), min_size=1, max_size=4))
    cells = [["" if cell is None else cell for cell in row] for row in rows]
    return found | {"vInfo": [["VM", "Powerstate", *more], *cells]}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(exports())
def test_any_export_is_an_inventory_or_one_sentence(sheets: dict[str, list[list[object]]]) -> None:
    from planner.codec import decode, encode
    from planner.model import VM

    refusal: BadInput | None = None
    try:
        inventory = read_export(Export(_Book(sheets), Path(__file__)))
    except BadInput as error:
        refusal = error
    if refusal is not None:
        assert refusal.hint
        assert "\n" not in refusal.message
        return
    assert isinstance(inventory, Inventory)
    assert len({vm.id for vm in inventory.vms}) == len(inventory.vms)
    for vm in inventory.vms:
        assert len({disk.key for disk in vm.disks}) == len(vm.disks)
        try:
            body = encode(vm)
        except BadInput:
            continue  # a lone surrogate
        assert decode(body, VM) == vm


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=8), min_size=2,
                 max_size=2),
        min_size=1, max_size=5,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)  # fmt: skip
def test_what_csv_holds_comes_back(tmp_path: Path, rows: list[list[str]], sign: str, encoding: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=sign, quoting=csv.QUOTE_ALL).writerows([["one", "two"], *rows])
    body = out.getvalue().encode(encoding)
    path = tmp_path / "x.csv"
    path.write_bytes(body)
    with open_book(path, Limits()) as book:
        found = [list(row) for row in book.rows("x")]
    assert found[0] == ["one", "two"]
    if encoding != "cp1252" or not body.isascii():
        # Bytes of Windows-1252 that are UTF-8 as well cannot be told apart from it.
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            assert found[1:] == rows
        else:
            assert encoding == "cp1252" or found[1:] == rows
