"""A person's way through the application, on a real terminal: from an empty directory to signed papers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from planner.store import approvals, inventories, plans, settings
from planner.store.project import Project
from tests.tui.tmux import Terminal, terminal

BIG, SMALL = (120, 35), (80, 24)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a workbook of 40 VMs and who talks to whom."""
    made = tmp_path_factory.mktemp("files") / "estate"
    subprocess.run(
        [sys.executable, "-m", "tui.cli.entry", "synth", "--vms", "40", "--seed", "3", "--trouble", "0.3",
         "--out", str(made), "--formats", "xlsx47"],
        check=True,
        capture_output=True,
        timeout=60,
    )  # fmt: skip
    return made


def begin(seen: Terminal, tmp_path: Path, size: tuple[int, int], files: Path) -> Path:
    """Make a project in a directory with nothing but the files, and import the workbook; returns it."""
    root = tmp_path / "dc1-exit"
    root.mkdir()
    (root / "estate.xlsx").write_bytes((files / "rvtools-4.7.xlsx").read_bytes())
    (root / "flows.csv").write_bytes((files / "flows.csv").read_bytes())
    seen.open(size, root, "ui")
    seen.sees("Make a project here", "There is no project in", "dc1-exit", "estate.xlsx, in this directory")
    seen.press("C-s")
    seen.sees("What came in", "inventory 1 of the source", "40 VMs")
    seen.press("Escape")
    seen.sees("▸ Overview", "First steps", "✔ 1 import an estate", "· 5 plan")
    return root


def import_flows(seen: Terminal) -> None:
    seen.press("i")
    seen.sees("What to import", "flows and application lists")
    seen.write("flows")
    seen.sees("What to import", "what talks to what", without="sample estate")
    seen.press("Enter")
    seen.sees("Flows or an application list", "flows.csv")
    seen.write("flows.csv")
    seen.press("Enter")
    seen.sees("Import flows.csv", "as its header says")
    seen.press("C-s")
    seen.sees("What came in", "155 conversations")
    seen.press("Escape")
    seen.sees("First steps", without="What came in")


def look_at_checks(seen: Terminal, *beside: str) -> None:
    seen.press("9")
    seen.sees("▸ Checks", "gravest first", "▲ warning", "disks.rdm.physical")
    seen.press("/")
    seen.write("check~rdm.physical")
    seen.sees("/ check~rdm.physical")
    seen.press("Enter")
    seen.sees("1 match", "disks.rdm.physical", *beside)


def confirm_services(seen: Terminal) -> None:
    seen.press("3")
    seen.sees("▸ Dependencies", "used by")
    seen.press("h")
    seen.sees("4 hubs", "○ found")
    for confirmed in range(1, 5):
        seen.press("a")
        seen.sees("✔ a hub", times=confirmed)
        seen.press("Down")


def add_windows(seen: Terminal) -> None:
    seen.press("0")
    seen.sees("▸ Settings", "Link", "Windows")
    seen.press("Down", "Down")
    seen.sees("no window yet, so no wave has a date: a adds one")
    seen.press("a")
    seen.sees("Add a window")
    seen.write("2027-01-09T22:00")
    seen.press("Tab", "Tab", "Tab")
    seen.write("6")
    seen.press("C-s")
    seen.sees("Windows · 1 window", "saturday 22:00 UTC", "6 times")
    seen.press("Down", "Down", "Down", "Down")
    seen.sees("▸  Caps of a wave")
    seen.press("Enter", "Enter")
    seen.sees("caps.vms")
    seen.write("16")
    seen.press("C-s")
    seen.sees("vms                16", "version 2")


def make_a_plan(seen: Terminal) -> None:
    seen.press("4")
    seen.sees("no plan yet: press p to make one")
    seen.press("p")
    seen.sees("How long to look for better waves")
    seen.press("C-s")
    seen.sees("best so far", "first fit")
    seen.sees("✔ done")
    seen.press("Escape")
    seen.sees("▸ Waves ▸ W01", "plan 1", without="best so far")


def test_from_an_empty_directory_to_signed_papers(tmp_path: Path, files: Path) -> None:
    with terminal() as seen:
        root = begin(seen, tmp_path, BIG, files)
        import_flows(seen)
        look_at_checks(seen, "→ ")  # what helps stands beside it
        confirm_services(seen)
        add_windows(seen)
        make_a_plan(seen)
        with Project.open(root) as project:
            before = {vm.name: wave.name for wave in plans.latest(project).plan.waves for vm in wave.vms}
        # by hand: a group of the second wave a wave earlier
        seen.press("Down")
        seen.sees("▸ Waves ▸ W02", "W02: ")
        seen.press("Tab")
        seen.press("[")
        seen.sees("● not saved: ^s saves it", "✔ move ")
        seen.press("C-s")
        seen.sees("1 edit saved as plan 2")
        # signed
        seen.press("C-a")
        seen.sees("Approve 4 waves?", "plan 2")
        seen.press("BTab", "Enter")
        seen.sees("approved", without="Approve 4 waves?")
        # on paper
        seen.press("e")
        seen.sees("✔ xlsx", "workbook with all tables", "^s writes")
        seen.press("C-s")
        seen.sees("files written", "plan.xlsx")
        seen.press("Escape")
        seen.sees("▸ Waves", without="files written")
        seen.press("1")
        seen.sees("▸ Overview", "approved         40")
        seen.press("q")
        seen.ends()
    kept = {path.name for path in (root / "exports").iterdir()}
    assert {"plan.xlsx", "plan.md", "plan.json"} <= kept
    with Project.open(root) as project:
        stored = plans.latest(project)
        after = {vm.name: wave.name for wave in stored.plan.waves for vm in wave.vms}
        moved = {name for name in before if before[name] != after[name]}
        assert stored.version == 2
        assert len(moved) == 1
        assert [(before[name], after[name]) for name in moved] == [("W02", "W01")]
        assert len(approvals.valid(project, stored.plan)) == len(stored.plan.waves) == 4
        assert inventories.latest(project).inventory.dependencies
        assert settings.load(project).caps.vms == 16
        changed = "SELECT act FROM audit WHERE effect != 'view' ORDER BY seq"
        acts = [row["act"] for row in project.rows(changed)]
    assert acts == [
        "init", "discover", "flows import", *["deps hub"] * 4, *["settings set"] * 2, "plan", "plan move",
        *["approve"] * 4,
    ]  # fmt: skip


def test_the_first_half_on_a_small_terminal(tmp_path: Path, files: Path) -> None:
    with terminal() as seen:
        root = begin(seen, tmp_path, SMALL, files)
        look_at_checks(seen)
        make_a_plan(seen)
        seen.press("q")
        seen.ends()
    with Project.open(root) as project:
        assert plans.latest(project).version == 1
