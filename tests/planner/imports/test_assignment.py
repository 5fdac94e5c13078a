"""The assignment read back: what people moved becomes pins, what they broke is named row by row."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from planner.errors import BadInput
from planner.export.csv import render
from planner.export.handover import ASSIGNMENT
from planner.export.printout import Printout
from planner.imports.reread import Reread, reread
from planner.imports.tables import RowsRefused
from planner.settings import Settings
from tests.planner.sketch import estate, needs, plan, settings, vm

Rows = list[dict[str, str]]
WINDOWS = [{"start": f"2027-01-{day:02d}T22:00:00"} for day in (2, 9, 16, 23, 30)]


def printed(**more: Any) -> tuple[Printout, Settings]:
    """Six VMs: db and app move together, the others alone, two in a wave."""
    names = ("db", "app", "=x", "w1", "w2", "w3")
    inventory = estate(*(vm(name) for name in names), vm("gold", template=True), ties=(needs("app", "db"),))
    said = {"caps": {"vms": 2}, "windows": WINDOWS, **more}
    return Printout(plan(inventory, **said), inventory, settings=settings(**said)), settings(**said)


def edited(path: Path, printout: Printout, change: Callable[[Rows], None], delimiter: str = ",") -> Path:
    rows = list(csv.DictReader(StringIO(render(printout).decode())))
    change(rows)
    out = StringIO(newline="")
    writer = csv.DictWriter(out, ASSIGNMENT, delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8")
    return path


def read(tmp_path: Path, change: Callable[[Rows], None], **more: Any) -> Reread:
    printout, said = printed(**more)
    return reread(edited(tmp_path / "assignment.csv", printout, change), printout, said)


def of(rows: Rows, vm_id: str) -> dict[str, str]:
    return next(row for row in rows if row["vm_uuid"] == vm_id)


def elsewhere(row: dict[str, str]) -> str:
    return "W02" if row["wave_id"] != "W02" else "W03"


def test_an_untouched_table_changes_nothing(tmp_path: Path) -> None:
    told = read(tmp_path, lambda rows: None)
    assert (told.pins, told.lifted, told.moved, told.rows) == ((), (), (), 6)


def test_a_group_put_elsewhere_is_pinned_there_and_the_next_plan_obeys(tmp_path: Path) -> None:
    printout, said = printed()
    before = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    target = "W03" if before["id-db"] != "W03" else "W01"

    def change(rows: Rows) -> None:
        for name in ("id-db", "id-app"):
            of(rows, name)["wave_id"] = target.lower()

    told = reread(edited(tmp_path / "a.csv", printout, change), printout, said)
    assert [(item.vms, item.before, item.after) for item in told.moved] == [
        (("id-db", "id-app"), before["id-db"], target)
    ]
    (pin,) = told.pins
    assert (pin.what, pin.wave) == ("id-db", target)
    again = plan(
        printout.inventory, caps={"vms": 2}, windows=WINDOWS, pins=[pin.model_dump() for pin in told.pins]
    )
    assert {vm.id: wave.name for wave in again.waves for vm in wave.vms}["id-app"] == target


def test_a_group_needs_to_be_moved_in_one_of_its_rows_only_when_the_others_are_filtered_out(
    tmp_path: Path,
) -> None:
    def change(rows: Rows) -> None:
        row = of(rows, "id-app")
        row["wave_id"] = elsewhere(row)
        rows[:] = [row]

    told = read(tmp_path, change)
    assert [item.group for item in told.moved]
    assert told.rows == 1


def test_pins_are_set_and_lifted_by_their_column(tmp_path: Path) -> None:
    def pin(rows: Rows) -> None:
        of(rows, "id-w1")["pinned"] = "YES"

    (made,) = read(tmp_path, pin).pins
    assert made.what == "id-w1"

    def lift(rows: Rows) -> None:
        assert of(rows, "id-w1")["pinned"] == "yes"
        of(rows, "id-w1")["pinned"] = "no"

    kept = {"what": "id-w2", "wave": "W02"}
    told = read(tmp_path, lift, pins=[{"what": "w1", "wave": "W01"}, kept])
    assert [item.what for item in told.pins] == ["id-w2"]
    assert [item.what for item in told.lifted] == ["w1"]


def test_a_pinned_group_that_is_moved_has_one_pin_afterwards(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        of(rows, "id-w1")["wave_id"] = "W02"

    told = read(tmp_path, change, pins=[{"what": "w1", "wave": "W01"}])
    assert [(item.what, item.wave) for item in told.pins] == [("id-w1", "W02")]
    assert [(item.what, item.wave) for item in told.lifted] == [("w1", "W01")]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_what_spreadsheets_do_to_a_table_is_understood(tmp_path: Path, delimiter: str) -> None:
    printout, said = printed()

    def change(rows: Rows) -> None:
        of(rows, "id-=x")["vm"] = "=x"  # the apostrophe went on the way
        for row in rows:
            row["seed_start"], row["est_seed_h"] = "02.01.2027 22:00", "0,1"

    path = edited(tmp_path / "a.csv", printout, change, delimiter)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n\r\n")
    assert reread(path, printout, said).rows == 6


WRONG: list[tuple[str, Callable[[Rows], None], str]] = [
    ("unknown vm", lambda rows: rows[0].update(vm_uuid="nobody"), "row 2: nobody is no VM of the plan"),
    ("no vm", lambda rows: rows[0].update(vm_uuid=""), "row 2: vm_uuid is empty"),
    ("twice", lambda rows: rows.append(dict(rows[0])), "row 8: .* stands in row 2 already"),
    ("unplanned", lambda rows: rows[0].update(vm_uuid="id-gold", vm="gold"), "row 2: gold is in no wave"),
    ("other name", lambda rows: of(rows, "id-w1").update(vm="w2"), "vm says w2, id-w1 is w1"),
    ("other group", lambda rows: of(rows, "id-w1").update(group_id="db"), "group_id says db, w1 is in group"),
    ("no wave", lambda rows: of(rows, "id-w1").update(wave_id=""), "wave_id is empty"),
    ("unknown wave", lambda rows: of(rows, "id-w1").update(wave_id="W99"), "wave W99 does not exist"),
    ("torn", lambda rows: of(rows, "id-app").update(wave_id=elsewhere(of(rows, "id-app"))), "moves whole"),
    ("half pinned", lambda rows: of(rows, "id-app").update(pinned="yes"), "pinned differs from row"),
    ("odd pin", lambda rows: of(rows, "id-w1").update(pinned="maybe"), "pinned says maybe"),
    ("odd window", lambda rows: of(rows, "id-w1").update(window_id="w-1"), "window w-1 is none of the plan"),
    (
        "other window",
        lambda rows: of(rows, "id-w1").update(
            window_id=next(r["window_id"] for r in rows if r["wave_id"] != of(rows, "id-w1")["wave_id"])
        ),
        "wave_id says",
    ),
    ("escape", lambda rows: rows[0].update(vm_uuid="\x1b[31mx"), "row 2: ␛"),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_nonsense_is_named_by_its_row(tmp_path: Path, change: Callable[[Rows], None], said: str) -> None:
    with pytest.raises(RowsRefused, match=said) as caught:
        read(tmp_path, change)
    assert caught.value.exit_code == 2
    assert "nothing was changed" in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_a_method_of_its_own_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(RowsRefused, match="row 2: method says cold, and all VMs move warm"):
        read(tmp_path, lambda rows: rows[0].update(method="Cold"))
    with pytest.raises(RowsRefused, match=r"method says tele.\[1m"):
        read(tmp_path, lambda rows: rows[0].update(method="tele\x1b[1m"))
    assert read(tmp_path, lambda rows: rows[0].update(method=" WARM ")).moved == ()


def test_every_wrong_row_is_named_and_the_good_ones_change_nothing(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["vm_uuid"] = "a"
        rows[2]["wave_id"] = "W77"
        rows[4]["pinned"] = "?"

    with pytest.raises(RowsRefused) as caught:
        read(tmp_path, change)
    assert [row.partition(":")[0] for row in caught.value.rows] == ["row 2", "row 4", "row 6"]
    assert "3 rows cannot be applied" in caught.value.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"vm,wave\na,b\n", "has no column vm_uuid"),
        (b"vm_uuid,wave_id,wave_id\na,b,c\n", "column wave_id twice"),
        (b"vm_uuid,wave_id\nid-w1,W01,x\n", "more cells than headers"),
        (b"PK\x03\x04\0\0\0", "no csv file"),
        (b'vm_uuid,wave_id\n"id-w1,W01\n' + b"x" * 300_000, "does not end"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    printout, told = printed()
    path = tmp_path / "assignment.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said) as caught:
        reread(path, printout, told)
    assert caught.value.hint
    with pytest.raises(BadInput, match="no such file"):
        reread(tmp_path / "none.csv", printout, told)
