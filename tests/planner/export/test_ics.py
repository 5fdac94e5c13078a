"""The calendar as others read it: whole, in its zones, with entries that keep their identity."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from planner.export.ics import render
from planner.export.milestones import MILESTONES
from planner.export.printout import Printout
from planner.export.seeding import busy_days, latest_seeds
from planner.names import visible
from tests.planner.export.paper import NASTY, nasty, paper

icalendar = pytest.importorskip("icalendar", reason="not run: icalendar is not installed")


def _read(printout: Printout) -> Any:
    return icalendar.Calendar.from_ical(render(printout))


def _events(printout: Printout) -> dict[str, Any]:
    return {str(event["SUMMARY"]): event for event in _read(printout).walk("VEVENT")}


def test_windows_stand_in_their_own_zone_and_last_their_hours() -> None:
    printout = paper()
    cutovers = {name[:3]: event for name, event in _events(printout).items() if " cutover" in name}
    assert set(cutovers) == {wave.name for wave in printout.plan.waves}
    first = cutovers["W01"]
    assert first["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert first["DTSTART"].dt.astimezone(UTC) == datetime(2027, 1, 9, 21, tzinfo=UTC)
    # The clocks go forward inside the second window: six hours end at 6, not at 5.
    assert f"{cutovers['W02']['DTEND'].dt:%Y-%m-%d %H:%M}" == "2027-03-28 06:00"
    start, end = (cutovers["W02"][key].dt.astimezone(UTC) for key in ("DTSTART", "DTEND"))
    assert end - start == timedelta(hours=6)


def test_an_hour_shown_twice_is_said_in_utc() -> None:
    windows = [{"start": "2026-10-24T22:00:00", "hours": 5, "zone": "Europe/Berlin"}]
    event = next(event for name, event in _events(paper(windows=windows)).items() if " cutover" in name)
    assert event["DTEND"].dt == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert "TZID" not in event["DTEND"].params


def test_alarms_ring_a_day_and_an_hour_before() -> None:
    event = next(event for name, event in _events(paper()).items() if name.startswith("W01 cutover"))
    assert [alarm["TRIGGER"].dt for alarm in event.walk("VALARM")] == [
        timedelta(days=-1),
        timedelta(hours=-1),
    ]
    assert {str(alarm["ACTION"]) for alarm in event.walk("VALARM")} == {"DISPLAY"}


def test_milestones_are_counted_from_the_day_of_the_window() -> None:
    events = _events(paper())
    for offset, words in MILESTONES:
        event = events[f"W01 T{offset:+d}: {words}"]
        assert event["DTSTART"].dt == date(2027, 1, 9) + timedelta(days=offset)
        assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(days=1)


def test_freezes_are_whole_days_where_they_are_said() -> None:
    events = _events(paper())
    close = events["Freeze: quarter <close>"]  # midnight to midnight in Tokyo
    assert (close["DTSTART"].dt, close["DTEND"].dt) == (date(2027, 1, 28), date(2027, 2, 2))
    hours = events["Freeze: no reason given"]
    assert (hours["DTSTART"].dt, hours["DTEND"].dt) == (date(2027, 2, 10), date(2027, 2, 11))


def test_holidays_are_whole_days() -> None:
    event = _events(paper(holidays=[{"day": "2027-01-06", "name": "Epiphany"}]))["Holiday: Epiphany"]
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2027, 1, 6), date(2027, 1, 7))
    assert str(event["TRANSP"]) == "TRANSPARENT"


def test_seeds_end_before_their_window_and_never_share_the_link() -> None:
    printout = paper()
    seeds = latest_seeds(printout.plan)
    for wave in printout.plan.waves:
        assert wave.window
        assert seeds[wave.name].end <= wave.window.start_utc
        assert (seeds[wave.name].end - seeds[wave.name].start) / timedelta(hours=1) == pytest.approx(
            wave.estimate.seed_h.p95
        )
    spans = sorted((seed.start, seed.end) for seed in seeds.values())
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert sum(busy_days(seeds.values()).values()) * 24 == pytest.approx(
        sum(wave.estimate.seed_h.p95 for wave in printout.plan.waves)
    )


def test_seeds_that_do_not_fit_between_two_windows_begin_before_the_first() -> None:
    windows = [{"start": f"2027-01-09T{hour}:00:00", "hours": 1} for hour in (10, 11)]
    plan = paper(windows=windows, link={"rate_mbit": 10}).plan
    seeds = latest_seeds(plan)
    assert seeds["W01"].end == seeds["W02"].start < datetime(2027, 1, 9, 10, tzinfo=UTC)


def test_entries_keep_their_uid_and_a_newer_plan_wins() -> None:
    printout = paper()
    events = _events(printout)
    later = printout.plan.model_copy(update={"created_at": "2026-11-01T08:00:00+00:00"})
    again = {str(event["SUMMARY"]): event for event in icalendar.Calendar.from_ical(
        render(Printout(later, printout.inventory, settings=printout.settings))).walk("VEVENT")}  # fmt: skip
    uids = {name: str(event["UID"]) for name, event in events.items()}
    assert uids == {name: str(event["UID"]) for name, event in again.items()}
    assert len(set(uids.values())) == len(uids)
    assert all(again[name]["SEQUENCE"] > events[name]["SEQUENCE"] for name in events)


def test_the_file_obeys_the_rules_of_rfc_5545() -> None:
    for printout in (paper(), nasty(), paper(windows=(), freezes=())):
        data = render(printout)
        calendar = icalendar.Calendar.from_ical(data)
        assert not list(calendar.errors)
        assert data.endswith(b"END:VCALENDAR\r\n")
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", data)
        assert max(len(line) for line in data.split(b"\r\n")) <= 75
        assert str(calendar["VERSION"]) == "2.0"
        assert calendar["PRODID"]
        assert calendar.subcomponents
        used = {item.params["TZID"] for event in calendar.walk("VEVENT")
                for item in (event["DTSTART"], event["DTEND"]) if "TZID" in item.params}  # fmt: skip
        assert used == {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
        for event in calendar.walk("VEVENT"):
            assert event["UID"]
            assert event["DTSTAMP"].dt.utcoffset() == timedelta()
            assert event["DTEND"].dt > event["DTSTART"].dt


def test_no_name_begins_an_entry_of_its_own() -> None:
    printout = nasty()
    events = _read(printout).walk("VEVENT")
    plain = paper()
    per_wave = len(_read(plain).walk("VEVENT")) - 2  # two freezes
    assert len(events) == per_wave // 2 * len(printout.plan.waves) + 1
    text = "".join(str(event["DESCRIPTION"]) for event in events)
    assert "line␊break␍␊BEGIN:VEVENT" in text
    assert f"Group {visible(NASTY[-4])}" in text


def test_waves_without_a_window_are_in_a_journal() -> None:
    (journal,) = _read(paper(windows=())).walk("VJOURNAL")
    assert str(journal["DESCRIPTION"]) == "These waves have no window yet: W01, W02"
    assert not _read(paper()).walk("VJOURNAL")
