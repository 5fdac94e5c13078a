"""waves.csv read back: windows of the settings move with it, or every wrong row is named."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from planner.export.csv import waves
from planner.export.handover import WAVES
from planner.export.printout import Printout
from planner.imports.reread import Reread, reread
from planner.imports.tables import RowsRefused
from planner.settings import Settings
from tests.planner.imports.test_assignment import printed
from tests.planner.sketch import plan

Rows = list[dict[str, str]]


def edited(path: Path, printout: Printout, change: Callable[[Rows], None]) -> Path:
    rows = list(csv.DictReader(StringIO(waves(printout).decode())))
    change(rows)
    out = StringIO(newline="")
    writer = csv.DictWriter(out, WAVES)
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8")
    return path


def read(
    tmp_path: Path, change: Callable[[Rows], None], frozen: tuple[str, ...] = (), **more: Any
) -> tuple[Reread, Printout, Settings]:
    printout, said = printed(**more)
    return reread(edited(tmp_path / "waves.csv", printout, change), printout, said, frozen), printout, said


def of(rows: Rows, wave: str) -> dict[str, str]:
    return next(row for row in rows if row["wave_id"] == wave)


def later(rows: Rows) -> None:
    of(rows, "W02").update(start_utc="2027-01-10T20:00Z", end_utc="2027-01-11 02:30")


def test_an_untouched_table_changes_nothing(tmp_path: Path) -> None:
    told, _, said = read(tmp_path, lambda rows: None)
    assert (told.table, told.rows, told.dated) == ("waves", 3, ())
    assert Settings.model_validate(told.onto(said)) == said
    assert told.unread == ""


def test_a_window_that_was_moved_is_the_waves_in_the_next_plan(tmp_path: Path) -> None:
    told, printout, said = read(tmp_path, later)
    (changed,) = told.dated
    assert (changed.wave, changed.before) == ("W02", printout.plan.wave("W02").window)
    after = Settings.model_validate(told.onto(said))
    assert len(after.windows) == len(said.windows), "its old window is gone"
    found = plan(printout.inventory, **after.model_dump(mode="json"))
    window = found.wave("W02").window
    assert window is not None
    assert (f"{window.start_utc:%Y-%m-%dT%H:%M}", window.hours) == ("2027-01-10T20:00", 6.5)
    others = [(wave.name, wave.window) for wave in printout.plan.waves if wave.name != "W02"]
    assert [(wave.name, wave.window) for wave in found.waves if wave.name != "W02"] == others


def test_waves_without_windows_get_those_of_the_table(tmp_path: Path) -> None:
    def date(rows: Rows) -> None:
        for at, row in enumerate(rows, 1):
            row.update(start_utc=f"2027-02-0{at}T22:00Z", end_utc=f"2027-02-0{at + 1}T04:00Z")

    told, printout, said = read(tmp_path, date, windows=[])
    assert [(item.wave, item.before) for item in told.dated] == [("W01", None), ("W02", None), ("W03", None)]
    found = plan(printout.inventory, **Settings.model_validate(told.onto(said)).model_dump(mode="json"))
    assert [wave.window.start_utc.day for wave in found.waves if wave.window] == [1, 2, 3]


def test_states_that_were_edited_change_nothing_and_are_told(tmp_path: Path) -> None:
    def approve(rows: Rows) -> None:
        of(rows, "W02").update(status="Done\x1b[2J")
        of(rows, "W03").update(approver="mia")
        of(rows, "W01").update(status="PLANNED")

    told, _, said = read(tmp_path, approve)
    assert told.unread == (
        "not read back: status of W02 says Done␛[2J, and is planned, and 1 more cell; "
        "approve waves with 'wherry plan approve'"
    )
    assert Settings.model_validate(told.onto(said)) == said
    printout, _ = printed()
    given = replace(printout, approvals={"W02": ("=mia", "2027-01-01T00:00:00Z")})
    path = edited(tmp_path / "given.csv", given, lambda rows: None)
    assert reread(path, given, said).unread == "", "as it was exported"
    assert reread(path, printout, said).unread.startswith(
        "not read back: status of W02 says approved, and is planned, and 1 more cell"
    )


def test_the_zone_of_a_window_stays(tmp_path: Path) -> None:
    windows = [{"start": f"2027-01-{day:02d}T22:00:00", "zone": "Europe/Paris"} for day in (2, 9, 16)]
    told, _, _ = read(tmp_path, later, windows=windows)
    assert told.dated[0].after.zone == "Europe/Paris"
    assert f"{told.dated[0].after.start_utc:%H:%M}" == "20:00"


WRONG: list[tuple[str, Callable[[Rows], None], str]] = [
    ("no wave", lambda rows: rows[1].update(wave_id=""), "row 3: wave_id is empty"),
    ("unknown", lambda rows: rows[1].update(wave_id="W9\x1b"), "row 3: wave W9␛ does not exist"),
    ("twice", lambda rows: rows.append(dict(rows[0])), "row 5: W01 stands in row 2 already"),
    ("no start", lambda rows: of(rows, "W02").update(start_utc=""), "start_utc is empty"),
    ("neither", lambda rows: of(rows, "W02").update(start_utc="", end_utc=""), "stays out of a window by a"),
    (
        "no time",
        lambda rows: of(rows, "W02").update(start_utc="soon"),
        "start_utc says soon, which is no time",
    ),
    ("german", lambda rows: of(rows, "W02").update(end_utc="10.01.2027 22:00"), "end_utc says 10.01.2027"),
    ("far", lambda rows: of(rows, "W02").update(start_utc="0001-01-01T00:00+14:00"), "start_utc says 0001"),
    (
        "ends first",
        lambda rows: of(rows, "W02").update(end_utc="2027-01-01T00:00Z"),
        "is not after start_utc",
    ),
    ("too long", lambda rows: of(rows, "W02").update(end_utc="2027-02-09T00:00Z"), "72 h at the most"),
    ("window_id", lambda rows: of(rows, "W02").update(window_id="w-1"), "window_id says w-1, W02 has w-2027"),
    (
        "before the first",
        lambda rows: of(rows, "W02").update(start_utc="2027-01-01T22:00Z", end_utc="2027-01-02T02:00Z"),
        "row 3: W02 cannot have its window: waves are numbered in the order .* would be W01's",
    ),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_nonsense_is_named_by_its_row(tmp_path: Path, change: Callable[[Rows], None], said: str) -> None:
    with pytest.raises(RowsRefused, match=said) as caught:
        read(tmp_path, change)
    assert "\x1b" not in caught.value.message
    assert "nothing was changed" in caught.value.hint


def test_a_window_in_a_freeze_or_under_way_or_that_comes_back_by_a_rule_is_refused(tmp_path: Path) -> None:
    freeze = {"start": "2027-01-10T00:00:00", "end": "2027-01-12T00:00:00", "why": "stock\x1b taking"}
    with pytest.raises(
        RowsRefused, match=r"row 3: W02 cannot have its window: .* overlaps a freeze"
    ) as caught:
        read(tmp_path, later, freezes=[freeze])
    assert "\x1b" not in caught.value.message
    with pytest.raises(RowsRefused, match="row 3: W02 is under way, its window stays"):
        read(tmp_path, later, frozen=("W02",))
    rule = {"every": "saturday", "first": "2027-01-02", "until": "2027-03-01"}
    with pytest.raises(RowsRefused, match="row 3: the window of W02 comes back by a rule"):
        read(tmp_path, later, windows=[], recurring=[rule])


def test_a_wave_that_has_no_row_counts_too(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[:] = [of(rows, "W01")]
        rows[0].update(start_utc="2027-01-12T22:00Z", end_utc="2027-01-13T02:00Z")

    with pytest.raises(RowsRefused, match="row 2: W02 cannot have its window"):
        read(tmp_path, change)
