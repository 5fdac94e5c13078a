"""Looking for waves: effort and seed, the score card, a search that is ended, plans that cannot be."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, refused

KEYS = {
    *("waves", "waves_bound", "makespan_h", "makespan_bound_h", "cut_share", "stretch_gb", "peak_share"),
    *("hard_violations", "order_violations", "latency_violations"),
}


@pytest.fixture
def loose(planned: Wherry) -> Wherry:
    """A project whose settings were changed, so that the next plan is a new one."""
    planned.done("settings", "set", "link.rate_mbit", "321")
    return planned


def test_one_document_holds_plan_and_score_with_bounds_and_baseline(loose: Wherry) -> None:
    said = loose.done("plan", "--json").document
    score = said["score"]
    assert set(score) >= {*KEYS, "baseline"}
    assert set(score["baseline"]) == KEYS
    assert all(isinstance(score[name], int | float) for name in KEYS)
    assert (score["waves"], score["waves_bound"]) == (len(said["plan"]["waves"]), 2)
    assert score["hard_violations"] == score["order_violations"] == score["latency_violations"] == 0
    assert (said["plan"]["seed"], said["plan"]["effort"]) == (1, "normal")


def test_the_score_card_stands_beside_its_bounds_and_name_order(loose: Wherry) -> None:
    out = loose.done("plan").out
    rows = {row.split("  ")[0]: row for row in out.splitlines()}
    assert {"this plan", "bound", "name order"} <= set(rows)
    assert "what binds:" in out
    assert "makespan P50" in out
    assert "the makespan above counts waves without a window a week apart" in out
    assert "waves without a window as soon as they are copied" in out


def test_effort_and_seed_are_kept_in_the_plan_and_asking_twice_gives_the_same(loose: Wherry) -> None:
    first = loose.done("plan", "--effort", "quick", "--seed", "7", "--json").document
    assert (first["plan"]["seed"], first["plan"]["effort"]) == (7, "quick")
    again = loose.done("plan", "--effort", "quick", "--seed", "7", "--json").document
    assert (again["version"], again["fingerprint"]) == (first["version"], first["fingerprint"])


@pytest.mark.parametrize("wrong", [("--effort", "heroic"), ("--seed", "-1"), ("--seed", "x")])
def test_efforts_and_seeds_that_do_not_exist_are_refused(loose: Wherry, wrong: tuple[str, str]) -> None:
    before = loose.stored()
    assert loose("plan", *wrong).code == 2
    assert loose.stored() == before


def test_the_first_interrupt_keeps_the_best_plan_so_far(
    loose: Wherry, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    def interrupt(*_: object) -> None:
        if not heard:
            os.kill(os.getpid(), signal.SIGINT)
        heard.append(1)

    monkeypatch.setattr("tui.cli.progress.Bar.report", interrupt)
    usual = signal.getsignal(signal.SIGINT)
    ran = loose.done("plan", "--json")
    assert "stopped: this is the best plan until then" in ran.err
    assert any("stopped" in said for said in ran.document["plan"]["method"])
    assert ran.document["score"]["hard_violations"] == ran.document["score"]["order_violations"] == 0
    assert ran.document["version"] == 2
    assert signal.getsignal(signal.SIGINT) is usual


def test_the_second_interrupt_ends_it_and_nothing_is_stored(
    loose: Wherry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("tui.cli.progress.Bar.report", interrupt)
    before = loose.stored()
    usual = signal.getsignal(signal.SIGINT)
    assert loose("plan").code == 130
    assert loose.stored() == before
    assert signal.getsignal(signal.SIGINT) is usual


def test_a_plan_that_cannot_be_names_what_gives_way_and_is_not_stored(loose: Wherry) -> None:
    loose.done("settings", "set", "target.storage_tib", "0.000000001")
    before = loose.stored()
    refused(loose("plan"), 3, "no plan can keep every rule", "relax what is named")
    assert loose.stored() == before


def test_holidays_are_imported_once_and_close_their_windows(planned: Wherry, tmp_path: Path) -> None:
    calendar = tmp_path / "h.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Harvest\r\n"
        "DTSTART;VALUE=DATE:20991003\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    said = planned.done("settings", "import-holidays", str(calendar), "--json").document
    assert said["added"] == [{"day": "2099-10-03", "name": "Harvest"}]
    assert "0 holidays added" in planned.done("settings", "import-holidays", str(calendar)).err
    assert [item["day"] for item in planned.done("settings", "show", "--json").document["holidays"]] == [
        "2099-10-03"
    ]
    calendar.write_text("nonsense")
    before = planned.stored()
    refused(planned("settings", "import-holidays", str(calendar)), 2, "is no ics calendar")
    assert planned.stored() == before
