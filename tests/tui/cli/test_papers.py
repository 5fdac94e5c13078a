"""Exports as typed: tables that come back, LUN requests before plans, help that lists every format."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from planner.export.formats import FORMATS
from tests.tui.cli.command import Wherry, refused, wherry


def assignment(cli: Wherry) -> tuple[Path, list[dict[str, str]]]:
    cli.done("export", "csv")
    path = cli.root / "exports" / "assignment.csv"
    return path, list(csv.DictReader(path.read_text("utf-8").splitlines()))


def write(path: Path, rows: list[dict[str, str]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def pins(cli: Wherry) -> Any:
    return cli.done("settings", "show", "--json").document["pins"]


def test_help_lists_every_format() -> None:
    out = wherry("export", "--help").out
    for name, item in FORMATS.items():
        assert f"  {name} " in out, name
        assert name == "csv" or " ".join(item.title.split()[:3]) in " ".join(out.split()), name


def test_csv_is_five_tables(planned: Wherry) -> None:
    written = planned.done("export", "csv", "csv-deps", "--json").document
    assert [Path(path).name for path in written] == [
        "assignment.csv", "groups.csv", "waves.csv", "deps.csv", "exceptions.csv",
    ]  # fmt: skip


def test_an_assignment_that_comes_back_untouched_changes_nothing(planned: Wherry) -> None:
    path, rows = assignment(planned)
    before = planned.stored()
    told = planned.done("plan", "import-csv", str(path), "--json").document
    empty: dict[str, list[str]] = {key: [] for key in ("moved", "dated", "pins", "lifted", "ignored")}
    assert told == {"table": "assignment", "rows": len(rows), "applied": False, "unread": "", **empty}
    assert planned.stored() == before


def test_a_moved_group_is_pinned_and_the_next_plan_obeys(planned: Wherry) -> None:
    path, rows = assignment(planned)
    wave = {row["vm"]: row["wave_id"] for row in rows}
    assert wave["solo"] != wave["db-1"]
    swapped = {wave["solo"]: wave["db-1"], wave["db-1"]: wave["solo"]}
    for row in rows:
        row["wave_id"] = swapped[row["wave_id"]]
    file = write(path, rows)
    before = planned.stored()
    looked = planned.done("plan", "import-csv", file, "--check")
    assert "2 groups moved" in looked.out
    assert planned.stored() == before
    told = planned.done("plan", "import-csv", file, "--json").document
    assert told["applied"] is True
    assert len(told["moved"]) == len(pins(planned)) == 2
    planned.done("plan")
    _, again = assignment(planned)
    assert {row["vm"]: row["wave_id"] for row in again} == {row["vm"]: row["wave_id"] for row in rows}
    assert {row["pinned"] for row in again} == {"yes"}


def test_groups_and_dates_come_back_too_and_the_next_plan_obeys(planned: Wherry) -> None:
    planned.done("export", "csv")
    folder = planned.root / "exports"
    lines = (folder / "groups.csv").read_text("utf-8").splitlines()
    swap = {",W01,": ",W02,", ",W02,": ",W01,"}
    edited = [lines[0] + ",mood"]
    for text in lines[1:]:
        (wave,) = [mark for mark in swap if mark in text]
        edited.append(text.replace(wave, swap[wave], 1) + ",=fine")
    (folder / "groups.csv").write_text("\n".join(edited), "utf-8")
    ran = planned.done("plan", "import-csv", str(folder / "groups.csv"))
    assert "2 rows read, 2 groups moved" in ran.out
    assert "not looked at, as no table of the plan has them: mood" in ran.err
    planned.done("plan")
    planned.done("export", "csv-groups")
    assert [row.split(",")[2] for row in (folder / "groups.csv").read_text("utf-8").splitlines()[1:]] == [
        "W01",
        "W02",
    ]

    dates = (folder / "waves.csv").read_text("utf-8").splitlines()
    for at in (1, 2):
        cells = dates[at].split(",")
        assert cells[4:6] == ["", ""]
        cells[4:6] = f"2099-03-0{at}T22:00Z", f"2099-03-0{at + 1}T02:00Z"
        cells[11] = "approved"
        dates[at] = ",".join(cells)
    (folder / "waves.csv").write_text("\n".join(dates), "utf-8")
    before = planned.stored()
    looked = planned.done("plan", "import-csv", str(folder / "waves.csv"), "--check")
    assert "W01: no window → 2099-03-01 22:00 to 2099-03-02 02:00 UTC" in looked.out
    assert "status of W01 says approved, and is planned, and 1 more cell; approve waves with" in looked.err
    assert planned.stored() == before
    assert planned.done("plan", "import-csv", str(folder / "waves.csv"), "--json").document["applied"] is True
    found = planned.done("plan", "--json").document["plan"]["waves"]
    assert [wave["window"]["start"][:10] for wave in found] == ["2099-03-01", "2099-03-02"]
    (folder / "waves.csv").write_text("\n".join([*dates, "W07" + dates[1][3:]]), "utf-8")
    before = planned.stored()
    refused(planned("plan", "import-csv", str(folder / "waves.csv")), 2, "row 4: wave W07 does not exist")
    assert planned.stored() == before


def test_nonsense_is_named_row_by_row_and_nothing_is_applied(planned: Wherry) -> None:
    path, rows = assignment(planned)
    rows[0]["wave_id"] = "W99"
    rows[-1]["vm_uuid"] = "nobody"
    before = planned.stored()
    ran = planned("plan", "import-csv", write(path, rows))
    refused(ran, 2, "row 2: wave W99 does not exist", f"row {len(rows) + 1}: nobody is no VM of the plan")
    refused(planned("plan", "import-csv", str(path.with_name("none.csv"))), 2, "no such file")
    assert planned.stored() == before


def test_what_no_plan_can_obey_is_not_applied(planned: Wherry) -> None:
    path, rows = assignment(planned)
    for row in rows:
        row["wave_id"], row["pinned"] = "W01", "yes"  # three VMs, and a cap of two
    before = planned.stored()
    ran = planned("plan", "import-csv", write(path, rows))
    assert ran.code in {2, 3}, ran.text
    assert "hint" in ran.text
    assert planned.stored() == before


def test_luns_are_asked_for_before_there_is_a_plan(planned: Wherry, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    planned.done("settings", "set", "policies.physical_rdm", "keep")
    refused(planned("plan"), 3, "needs a LUN")
    (with_plan,) = planned.done("export", "luns", "--json").document
    bare = Wherry(tmp_path / "bare")
    wherry("init", str(bare.root))
    inventory = tmp_path / "inventory.json"
    from tests.tui.cli.estate import document

    inventory.write_text(json.dumps(document()), "utf-8")
    bare.done("discover", str(inventory))
    bare.done("settings", "set", "policies.physical_rdm", "keep")
    (without,) = bare.done("export", "luns", "--json").document
    for path in (with_plan, without):
        sheet = openpyxl.load_workbook(path)["LUN request"]
        head, row = ([cell.value for cell in cells] for cells in sheet.iter_rows())
        said = dict(zip(head, row, strict=True))
        assert (said["State"], said["For disk"], said["Sectors at least"]) == (
            "to be made",
            "db-1/Hard disk 2",
            4096,
        )
    refused(bare("export"), 2, "no plan yet")


def test_a_wave_alone_is_written_where_a_format_may_hold_it(planned: Wherry) -> None:
    (path,) = planned.done("export", "--wave", "w01", "--json").document
    assert path.endswith("plan-W01.ics")
    (path,) = planned.done("export", "markdown", "--wave", "W01", "--json").document
    assert path.endswith("plan-W01.md")
    assert "# Migration plan" not in Path(path).read_text("utf-8")
    refused(planned("export", "csv", "--wave", "W01"), 2, "csv is of a whole plan")
    refused(planned("export", "hcx", "--wave", "W77"), 2, "wave W77 is not in the plan")
