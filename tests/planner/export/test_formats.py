"""Exports: files that are whole, tables that agree with the plan, names that stay names."""

from __future__ import annotations

import csv
import html
import json
import re
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path

import pytest

from planner.checks.check import Check, Work
from planner.errors import BadInput, NotFound
from planner.export.csv import harmless
from planner.export.escaping import escaped
from planner.export.formats import BUNDLES, FORMATS, export_plan
from planner.export.printout import show_window
from planner.model import Dependency, Finding, Inventory, Nic, Severity, Tie
from planner.names import visible
from planner.plan import Plan
from planner.plan_file import load_plan
from planner.settings import Window
from tests.planner.sketch import check, disk, estate, plan, rdm, vm

HOSTILE = (
    "=1+1",
    "=HYPERLINK(\"http://x\",\"y\")",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1",
    "http://example.invalid/x",
    "www.example.invalid",
    "<script>alert(1)</script>",
    "[link](javascript:alert(1))",
    "![img](http://x/y.png)",
    "| a | b |",
    "`code` **bold** _em_ ~~no~~",
    "# heading",
    "1. list",
    "line\nbreak\x1b[31m",
    "&amp; \\| &lt;",
    "\u202egnp.exe",
    "12345",
    "x" * 80,
)  # fmt: skip


def hostile() -> tuple[Inventory, tuple[Finding, ...], Plan]:
    vms = [
        vm(
            name,
            disk(label=name),
            rdm("=lun" + name, "2001"),
            id=f"i{at}",
            application=name,
            owner=name,
            nics=(Nic(name, name),),
        )
        for at, name in enumerate(HOSTILE)
    ]
    template = vm("=gold", template=True)
    tie = Dependency("i0", "i1", Tie.HARD, "=reason|[x](y)")
    inventory = estate(*vms, template, ties=(tie,))
    findings = tuple(
        Finding(f"=check{at}", Severity.BLOCKER, f"i{at}", name, f"{name} is odd", f"=fix {name}")
        for at, name in enumerate(HOSTILE)
    )
    checks = tuple(
        Check(item.check, item.check, {}, "", f"=mend {item.subject_name}", work=Work(30))
        for item in findings
    )
    return inventory, findings, plan(inventory, findings, checks)


def export(name: str, folder: Path, **more: object) -> Path:
    inventory, findings, found = hostile()
    fields = {"approvals": {"W01": ("=evil()", "2026-10-01T00:00:00+00:00")}, **more}
    return export_plan(found, inventory=inventory, findings=findings, format=name, target=folder, **fields)  # type: ignore[arg-type]


def test_the_workbook_holds_no_formula_no_link_and_no_control_character(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    book = openpyxl.load_workbook(export("xlsx", tmp_path))
    assert book.sheetnames == [
        "Summary", "Score card", "Waves", "Calendar", "Assignment", "Groups", "Dependencies",
        "Disks and remaps", "LUN request", "Findings", "Tasks", "Risks", "Roles", "Runbook W01",
        "Not known", "Unplanned", "Approvals",
    ]  # fmt: skip
    seen = set()
    for sheet in book:
        assert sheet.freeze_panes == ("D2" if sheet.title == "Calendar" else "B2")
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.auto_filter.ref
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}, (sheet.title, cell.coordinate, cell.value)
                assert cell.hyperlink is None
                if isinstance(cell.value, str):
                    seen.add(cell.value)
                    assert all(ord(char) >= 0x20 and char != "\u202e" for char in cell.value)
    assert {"=1+1", "@SUM(A1)", "12345", "␉=1+1", "x" * 80, "=evil()", "=gold"} <= seen
    assert type(book["Assignment"]["M2"].value) is int or type(book["Assignment"]["M2"].value) is float


def test_the_workbook_agrees_with_the_plan(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    _, findings, found = hostile()
    book = openpyxl.load_workbook(export("xlsx", tmp_path))
    assert book["Assignment"].max_row - 1 == sum(len(wave.vms) for wave in found.waves) == len(HOSTILE)
    assert book["Findings"].max_row - 1 == len(findings)
    assert book["Disks and remaps"].max_row - 1 == 2 * len(HOSTILE)
    summary = {row[0].value: row[1].value for row in book["Summary"].iter_rows()}
    assert summary["Plan fingerprint"] == found.fingerprint
    approvals = [[cell.value for cell in row] for row in book["Approvals"].iter_rows(min_row=2)]
    assert approvals[0][2:4] == ["approved", "=evil()"]
    assert approvals[0][5] == found.waves[0].fingerprint


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in FORMATS:
        first = export(name, tmp_path).read_bytes()
        assert export(name, tmp_path).read_bytes() == first, name


def test_csv_cells_are_no_formulas_and_read_back(tmp_path: Path) -> None:
    text = export("csv", tmp_path).read_text("utf-8")
    rows = list(csv.DictReader(StringIO(text)))
    assert len(rows) == len(HOSTILE)
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]
    names = {row["vm"] for row in rows}
    assert {"'=1+1", "'-2+3", "12345", "| a | b |"} <= names
    assert {row["wave_id"] for row in rows} == {"W01"}
    for name in BUNDLES["csv"]:
        for row in csv.reader(StringIO(export(name, tmp_path).read_text("utf-8"))):
            assert not [cell for cell in row if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}], name


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "'="])
def test_what_starts_a_formula_gets_an_apostrophe(start: str) -> None:
    assert harmless(f"{start}1") == f"'{start}1"
    assert harmless("plain=1") == "plain=1"
    assert harmless(-5) == -5


def test_json_is_the_plan_file(tmp_path: Path) -> None:
    path = export("json", tmp_path)
    assert load_plan(path) == hostile()[2]
    assert json.loads(path.read_text("utf-8"))["fingerprint"] == hostile()[2].fingerprint


def test_markdown_has_a_runbook_for_each_wave_and_no_markup_from_names(tmp_path: Path) -> None:
    text = export("markdown", tmp_path).read_text("utf-8")
    assert "<" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "420.0" in text or "420 GiB" in text
    assert "http:" not in text
    assert "\x1b" not in text
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len([line for line in headings if line.startswith("## W01")]) == 1
    assert {"### Members", "### Boot order", "### Disks", "### Findings", "### Steps"} <= set(headings)
    assert "heading" not in "".join(line for line in headings if not line.startswith("## W01"))


def test_a_markdown_reader_shows_the_names_as_they_are_written(tmp_path: Path) -> None:
    reader = pytest.importorskip("markdown_it", reason="not run: markdown-it is not installed")
    parser = reader.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    page = parser.render(export("markdown", tmp_path).read_text("utf-8"))
    for tag in ("<a", "<img", "<script", "<b>", "<em", "<s>", "<h4"):
        assert tag not in page, tag
    assert page.count("<h1") == 1
    shown = html.unescape(page)
    for name in HOSTILE:
        assert f"<td>{visible(name)}</td>" in shown, name


def test_markdown_tables_keep_their_shape_whatever_the_names(tmp_path: Path) -> None:
    text = export("markdown", tmp_path).read_text("utf-8")
    width = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\\\", "").replace("\\|", "").count("|")
        width = width or cells
        assert cells == width, line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain-01.example 22:00", "plain-01.example 22:00"),
        ("- item", "&#45; item"),
        ("1. item", "&#49;. item"),
        ("1.5 GiB", "1.5 GiB"),
        ("---", "&#45;--"),
        ("a_b|c", "a\\_b\\|c"),
        ("http://x", "http\\://x"),
        ("www.x", "www\\.x"),
        ("<b>&", "&lt;b&gt;&amp;"),
    ],
)
def test_escaping(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_a_folder_gets_a_file_and_a_file_is_replaced_whole(tmp_path: Path) -> None:
    assert export("csv", tmp_path) == tmp_path / "assignment.csv"
    mine = tmp_path / "mine.md"
    mine.write_text("old")
    assert export("markdown", mine) == mine
    assert mine.read_text("utf-8").startswith("# Migration plan: test\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["assignment.csv", "mine.md"]


def test_a_failed_export_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = export("csv", tmp_path)
    before = old.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    from planner.errors import NoSpace

    with pytest.raises(NoSpace):
        export("csv", tmp_path)
    assert old.read_bytes() == before
    assert list(tmp_path.iterdir()) == [old]


def test_bad_formats_and_bad_targets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        export("pdf", tmp_path)
    assert "xlsx" in caught.value.hint
    with pytest.raises(BadInput):
        export("csv", tmp_path / "missing" / "assignment.csv")


def test_the_door_loads_no_writer() -> None:
    code = (
        "import sys, planner.export.formats; "
        "sys.exit(any(name in sys.modules for name in ('xlsxwriter', 'networkx', 'openpyxl')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_empty_plan_exports_in_every_format(tmp_path: Path) -> None:
    inventory = estate()
    for name in FORMATS:
        assert export_plan(plan(inventory), inventory=inventory, format=name, target=tmp_path).stat().st_size
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    openpyxl.load_workbook(BytesIO((tmp_path / "plan.xlsx").read_bytes()))


def test_what_is_not_known_is_in_the_papers_that_are_signed(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    inventory = estate(vm("a"), notes=("vSnapshot is missing: snapshots are unknown",))
    fields = {"inventory": inventory, "unknown": {"snapshots.old": 1}}
    book = openpyxl.load_workbook(export_plan(plan(inventory), format="xlsx", target=tmp_path, **fields))
    assert [[cell.value for cell in row] for row in book["Not known"].iter_rows(min_row=2)] == [
        ["Inventory", "vSnapshot is missing: snapshots are unknown", ""],
        ["Check", "snapshots.old: Snapshot older than 7 days", 1],
    ]
    said = export_plan(plan(inventory), format="markdown", target=tmp_path, **fields).read_text()
    assert "## Not known" in said
    assert "| Inventory | vSnapshot is missing: snapshots are unknown |  |" in said
    assert "| Checks that could not be decided everywhere | 1 |" in said


def test_a_wave_can_be_signed_and_says_the_way_back(tmp_path: Path) -> None:
    inventory = estate(vm("a"))
    said = export_plan(plan(inventory), inventory=inventory, format="markdown", target=tmp_path).read_text()
    assert "| Role | Name | Date | Signature |" in said
    assert "After commit there is no rollback." in said
    assert "## Not known" not in said


def test_a_window_shows_its_end_in_its_zone_after_the_clocks_went_back() -> None:
    window = Window.model_validate({"start": "2026-10-24T23:00:00", "hours": 6, "zone": "Europe/Berlin"})
    assert show_window(window) == (
        "2026-10-24 23:00 to 2026-10-25 04:00 Europe/Berlin (2026-10-24 21:00 to 2026-10-25 03:00 UTC)"
    )


def test_tasks_stand_in_workbook_and_runbook_with_totals_and_state(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="not run: openpyxl is not installed")
    inventory = estate(vm("a", owner="ann"), vm("b", id="id-b"))
    found = (
        Finding("own.cbt", Severity.WARNING, "id-a", "a", "a is not tracked", "track it"),
        Finding("own.old", Severity.WARNING, "id-b", "b", "b is old", "upgrade it"),
    )
    checks = (check("own.cbt", Work(10, fix="enable-cbt")), check("own.old", Work(80, True)))
    made = plan(inventory, found, checks, windows=[{"start": "2027-01-09T22:00:00"}])
    cbt, old = made.waves[0].tasks
    fields = {"inventory": inventory, "states": {old.id: "done by ann"}, "target": tmp_path}
    book = openpyxl.load_workbook(export_plan(made, format="xlsx", **fields))  # type: ignore[arg-type]
    rows = [[cell.value for cell in row] for row in book["Tasks"].iter_rows(min_row=2)]
    assert [(row[2], row[4], row[5], row[6], row[7], row[10]) for row in rows] == [
        ("a", "ann", 10, "wherry: enable-cbt", "open", cbt.id),
        ("b", "nobody named", 80, "by hand, with an outage", "done by ann", old.id),
    ]
    head = [cell.value for cell in book["Waves"][1]]
    first = dict(zip(head, [cell.value for cell in book["Waves"][2]], strict=True))
    assert (first["Tasks before"], first["Task hours"], first["Task outages"]) == (2, 1.5, 1)
    said = export_plan(made, format="markdown", **fields).read_text()  # type: ignore[arg-type]
    assert "2 tasks, 1.5 h of work, 1 VM with an outage." in said
    assert "| b | own.old is odd | nobody named | 80 | by hand, with an outage | done by ann |" in said
