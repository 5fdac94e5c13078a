"""Papers say what they rest on: which inventory was judged, and that a size nobody said is unknown."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from tests.tui.cli.command import Wherry
from tests.tui.cli.estate import document, write


def _without_disks(cli: Wherry, gap: bool) -> None:
    """Plan the estate with no disks for solo: not listed by its source, or listed and none."""
    vms: list[dict[str, Any]] = document()["vms"]
    vms[2] |= {"disks": [], "gaps": ["disks"] if gap else []}
    cli.done("discover", str(write(cli.root / "bare.json", vms=vms)))
    cli.done("plan")


def _row(text: str, wave: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.split()[:1] == [wave]]
    return found.split()


def test_a_wave_whose_disks_nobody_listed_has_no_size_and_no_times(planned: Wherry) -> None:
    _without_disks(planned, gap=True)
    shown = planned.done("plan", "show").out
    assert _row(shown, "W01").count("unknown") == 2
    assert "unknown" not in _row(shown, "W02")
    assert planned.done("plan", "show", "--json").document["unknown_size"] == ["W01"]
    assert "size and times of this wave are unknown" in planned.done("plan", "show", "W01").out
    assert "unknown" not in planned.done("plan", "show", "W02").out
    whys = [wave["why"] for wave in planned.done("plan", "show", "--json").document["plan"]["waves"]]
    assert whys[0].startswith("1 of 2 VMs, of unknown size")
    assert "MiB of 8.0 TiB" in whys[1]
    planned.done("export", "markdown", "csv")
    text = (planned.root / "exports" / "plan.md").read_text("utf-8")
    assert "- Seed and downtime: unknown" in text
    (first,) = [line for line in text.splitlines() if line.startswith("| W01 ") and "no window" in line]
    assert "| unknown | unknown | unknown | unknown | unknown |" in first
    assert "of unknown size" in text
    solo = [
        line
        for line in (planned.root / "exports" / "assignment.csv").read_text("utf-8").splitlines()
        if "solo" in line
    ]
    assert ",unknown,unknown," in solo[0]


def test_a_wave_of_which_some_disks_are_known_has_a_least_size(planned: Wherry) -> None:
    planned.done("settings", "set", "caps.vms", "3")
    _without_disks(planned, gap=True)
    (wave,) = planned.done("plan", "show", "--json").document["plan"]["waves"]
    assert wave["why"].startswith("3 of 3 VMs, at least 9.0 MiB of 8.0 TiB: not all disks are known")
    shown = planned.done("plan", "show").out
    assert "at least 9.0 MiB" in shown
    assert _row(shown, "W01").count("unknown") == 1
    planned.done("export", "html", "ics", "csv")
    folder = planned.root / "exports"
    page = (folder / "plan.html").read_text("utf-8")
    assert page.count("at least 9.0 MiB") == 4  # in the head, a row, its section, why it is here
    assert "<dt>Downtime</dt><dd>unknown</dd>" in page
    rows = list(csv.DictReader((folder / "waves.csv").read_text("utf-8").splitlines()))
    assert rows[0]["tib"] == "unknown"


def test_a_vm_that_is_known_to_have_no_disk_leaves_the_size_known(planned: Wherry) -> None:
    _without_disks(planned, gap=False)
    assert "unknown" not in _row(planned.done("plan", "show").out, "W01")
    planned.done("export", "markdown")
    text = (planned.root / "exports" / "plan.md").read_text("utf-8")
    assert "of unknown size" not in text
    assert "- Seed and downtime: unknown" not in text


def test_papers_name_the_inventory_that_was_judged_where_the_plan_has_another(planned: Wherry) -> None:
    planned.done("export", "markdown")
    paper = planned.root / "exports" / "plan.md"
    assert "Findings are of another inventory" not in paper.read_text("utf-8")
    _newer(planned.root / "newer.json")
    planned.done("discover", str(planned.root / "newer.json"))
    planned.done("export", "markdown", "xlsx")
    said = (
        "findings are of inventory 2, taken 2026-12-01T08:00:00Z; "
        "the plan was made on inventory 1, taken 2026-11-02T08:00:00Z"
    )
    head = paper.read_text("utf-8").partition("## ")[0].replace("\\", "")
    assert f"| Findings are of another inventory | {said} |" in head

    import openpyxl

    sheet = openpyxl.load_workbook(planned.root / "exports" / "plan.xlsx")["Summary"]
    assert said in [row[1].value for row in sheet.iter_rows(max_col=2)]
    planned.done("plan")
    planned.done("export", "markdown")
    assert "Findings are of another inventory" not in paper.read_text("utf-8")


def _newer(path: Path) -> None:
    vms = document()["vms"]
    vms[2]["memory_bytes"] *= 2
    path.write_text(json.dumps(document(vms=vms, taken_at="2026-12-01T08:00:00Z")), "utf-8")
