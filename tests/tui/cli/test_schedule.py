"""The calendar on the command line: an appointment is a word for one plan, checked before it is stored."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate.audit import person
from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import SETTINGS

SOON = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=30)
WHEN = f"{SOON:%Y-%m-%d %H:%M}"
WINDOWS = f"""
[[windows]]
start = {SOON:%Y-%m-%dT%H:%M:%SZ}
hours = 6
[[windows]]
start = {SOON + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}
hours = 6
"""


@pytest.fixture(scope="module")
def calendar(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan whose waves have windows, W01 approved; copy it, don't change it."""
    cli = Wherry(shutil.copytree(template, tmp_path_factory.mktemp("calendar") / "move"))
    settings = cli.root.parent / "settings.toml"
    settings.write_text(SETTINGS + WINDOWS, "utf-8")
    cli.done("settings", "import", str(settings))
    cli.done("plan")
    cli.done("plan", "approve", "W01")
    return cli.root


@pytest.fixture
def dated(calendar: Path, tmp_path: Path) -> Wherry:
    """Return a project of its own with such a plan."""
    return Wherry(shutil.copytree(calendar, tmp_path / "move"))


def appointments(cli: Wherry, *more: str) -> list[dict[str, Any]]:
    return list(cli.done("schedule", "list", *more, "--json").document["appointments"])


def test_an_appointment_is_dry_then_a_word_with_name_and_plan(dated: Wherry) -> None:
    before = dated.stored()
    dry = dated.done("schedule", "add", "W01", "window")
    assert f"W01   cutover  {WHEN} UTC" in dry.out
    assert "dry: nothing was stored" in dry.err
    assert dated.stored() == before
    assert dated("schedule", "add", "W01", "window", "--live").code == 2
    assert dated.stored() == before
    made = dated.done("schedule", "add", "W01", WHEN, "--live", "--confirm", "W01", "--json").document
    (one,) = made["appointments"]
    assert (one["who"], one["uid"]) == (person(), os.getuid())
    assert one["due"] == f"{SOON:%Y-%m-%dT%H:%M:%SZ}"
    assert len(one["fingerprint"]) == 64
    last = dated.done("log", "--json").document["lines"][-1]
    assert (last["act"], last["subject"]) == ("schedule cutover", "W01")
    again = dated("schedule", "add", "W01", WHEN, "--live", "--confirm", "W01")
    refused(again, 3, "has an appointment for cutover already", "wherry schedule remove 1")


def test_outside_the_window_a_reason_is_needed_and_stays(dated: Wherry) -> None:
    late = f"{SOON + timedelta(days=2):%Y-%m-%d %H:%M}"
    before = dated.stored()
    refused(dated("schedule", "add", "W01", late), 3, "its window is from")
    refused(dated("schedule", "add", "W01", "2020-01-01 00:00"), 2, "is over")
    refused(dated("schedule", "add", "W02", "window"), 3, "W02 is not approved")
    refused(dated("schedule", "add", "W07", "window"), 2, "W07")
    assert dated.stored() == before
    live = ("--live", "--confirm", "W01", "--reason", "the vendor comes")
    dated.done("schedule", "add", "W01", late, *live)
    detail = json.loads(dated.done("log", "--json").document["lines"][-1]["detail"])
    assert detail["reason"].startswith("the vendor comes (against: its window is from")


def test_what_is_taken_back_is_kept_with_the_reason(dated: Wherry) -> None:
    dated.done("schedule", "add", "W01", "window", "--live", "--confirm", "W01")
    dated.done("schedule", "remove", "1")
    assert appointments(dated) == []
    assert [one["ended_why"] for one in appointments(dated, "--all")] == [f"taken back by {person()}"]
    refused(dated("schedule", "remove", "1"), 3, "appointment 1 is over: taken back by")
    refused(dated("schedule", "remove", "9"), 2, "there is no appointment 9")


def test_from_plan_takes_the_approved_waves_and_says_what_it_leaves(dated: Wherry) -> None:
    before = dated.stored()
    dry = dated.done("schedule", "from-plan", "--json").document
    assert [one["wave"] for one in dry["appointments"]] == ["W01"]
    assert dry["left"] == ["W02 is not approved as it stands in plan 2"]
    assert dated.stored() == before
    assert dated("schedule", "from-plan", "--live", "--confirm", "another").code == 2
    dated.done("schedule", "from-plan", "--live", "--confirm", "move")
    assert [one["wave"] for one in appointments(dated)] == ["W01"]
    assert dated.done("schedule", "from-plan", "--json").document["left"][0] == "W01 has an appointment"


def test_an_appointment_for_a_changed_plan_is_shown_as_void(dated: Wherry) -> None:
    dated.done("schedule", "add", "W01", "window", "--live", "--confirm", "W01")
    assert [one["void"] for one in appointments(dated)] == [""]
    with sqlite3.connect(dated.root / "project.db") as db:
        db.execute("UPDATE appointment SET fingerprint = 'another', who = 'eve' || char(27)")
    (one,) = appointments(dated)
    assert one["void"].endswith("was for another plan of the wave")
    assert "\x1b" not in dated.done("schedule", "list").out
