"""Settings: defaults that hold, borders that refuse, times that know their zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from planner import settings
from planner.settings import Freeze, Settings, Window


def test_a_window_without_offset_is_read_in_its_zone() -> None:
    summer = Window.model_validate({"start": "2026-07-04T22:00:00", "zone": "Europe/Berlin"})
    winter = Window.model_validate({"start": "2026-12-05T22:00:00", "zone": "Europe/Berlin"})
    assert summer.start_utc == datetime(2026, 7, 4, 20, tzinfo=UTC)
    assert winter.start_utc == datetime(2026, 12, 5, 21, tzinfo=UTC)


def test_an_offset_is_stronger_than_the_zone() -> None:
    window = Window.model_validate({"start": "2026-07-04T22:00:00+00:00", "zone": "Europe/Berlin"})
    assert window.start_utc == datetime(2026, 7, 4, 22, tzinfo=UTC)


@pytest.mark.parametrize("end", ["2026-12-31", date(2026, 12, 31), " 20261231 "])
def test_a_freeze_that_ends_on_a_day_holds_for_all_of_it(end: object) -> None:
    freeze = Freeze.model_validate({"start": "2026-12-31", "end": end, "zone": "Europe/Paris"})
    assert freeze.start_utc.isoformat() == "2026-12-30T23:00:00+00:00"
    assert freeze.end_utc.isoformat() == "2026-12-31T23:00:00+00:00"
    again = Freeze.model_validate(freeze.model_dump(mode="json"))
    assert again == freeze, "as it is stored it has a time, and stays"


def test_a_freeze_goes_forward_also_across_zones() -> None:
    times = {"start": "2026-07-04T22:00:00+00:00", "end": "2026-07-04T23:00:00", "zone": "Europe/Berlin"}
    with pytest.raises(ValidationError, match="ends before it starts"):
        Freeze.model_validate(times)


def parts() -> list[type[BaseModel]]:
    return [
        item for item in vars(settings).values() if isinstance(item, type) and issubclass(item, BaseModel)
    ]


def test_nothing_unknown_is_accepted_and_nothing_can_be_changed() -> None:
    for part in parts():
        if part is not BaseModel:
            assert part.model_config.get("extra") == "forbid", part
            assert part.model_config.get("frozen") is True, part


@pytest.mark.parametrize(
    "wrong",
    [
        {"caps": {"vms": 0}},
        {"caps": {"tib": -1}},
        {"link": {"share": 1.5}},
        {"link": {"rate_mbit": 0}},
        {"policies": {"delta_cycles": 0}},
        {"policies": {"block_kib": 100}},
        {"policies": {"commit_window_h": 200}},
        {"windows": [{"start": "2026-07-04T22:00:00", "zone": "../../etc/passwd"}]},
        {"windows": [{"start": "2026-07-04T22:00:00", "hours": 0}]},
        {"sites": {"a": {"url": "ftp://x", "role": "source"}}},
        {"sites": {"a": {"url": "lab:x", "role": "both"}}},
        {"luns": [{"name": "naa.1", "size_bytes": 0}]},
        {"password": "x"},
        {"recurring": [{"every": "saturday", "first": "2026-10-02", "until": "2026-10-01"}]},
        {"recurring": [{"every": "saturday", "first": "2026-10-02", "until": "2099-10-01"}]},
        {"recurring": [{"every": "caturday", "first": "2026-10-02", "until": "2026-12-01"}]},
        {
            "recurring": [
                {"every": "monday", "at": "22:00+02:00", "first": "2026-10-02", "until": "2026-12-01"}
            ]
        },
        {"link": {"hours": [{"first": 9, "until": 9, "share": 0.1}]}},
        {"link": {"rate_mbit": 100, "reserve_mbit": 100}},
        {"link": {"zone": "Mars/Base"}},
        {"caps": {"cutovers": 0}},
        {"waves": {"environments": ["dev", "Dev"]}},
        {"waves": {"starts": "2026-10-01", "exit": "2026-10-01"}},
        {"apart": [{"a": "x", "b": "x"}]},
        {"pins": [{"what": "x", "wave": "W01"}, {"what": "x", "wave": "W02"}]},
        {"pins": [{"what": "", "wave": "W01"}]},
        {"holidays": [{"day": "2026-02-30"}]},
    ],
)
def test_what_is_out_of_bounds_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_fingerprint_is_of_what_shapes_a_plan() -> None:
    plain = Settings()
    moved = Settings.model_validate({"sites": {"a": {"url": "lab:x", "role": "source"}}})
    smaller = Settings.model_validate({"caps": {"vms": 3}})
    assert plain.fingerprint == moved.fingerprint != smaller.fingerprint


def test_no_setting_holds_a_password() -> None:
    schema = str(Settings.model_json_schema()).casefold()
    assert "password" not in schema
    assert "secret" not in schema


def test_entries_that_came_later_count_only_once_they_are_set() -> None:
    """Plans made before there were any name their settings by these digests.

    They had no reverse protection and no folder of fenced sources; that these are the usual now is another
    setting.
    """
    off = {"conduct": {"ending": {"reverse": False, "folder": ""}}}
    caps = {"caps": {"vms": 3}, "freezes": [{"start": "2026-12-20T00:00:00", "end": "2027-01-04T00:00:00"}]}
    old = Settings.model_validate({**caps, **off})
    assert old.fingerprint == "77d58bb29e49bc9d790b1141fb87ed98bc18513f36a1113acca5c0134aece98c"
    assert Settings().fingerprint != Settings.model_validate(off).fingerprint
    assert (
        Settings.model_validate(off).fingerprint
        == "38e0af33575e598065bcf93165d70f1bee00206d7ac77894448be1701144d78b"
    )
    for more in (
        {"caps": {"cutovers": 3}},
        {"link": {"reserve_mbit": 3}},
        {"waves": {"soak_days": 3}},
        {"holidays": [{"day": "2026-12-25"}]},
        {"pins": [{"what": "a", "wave": "W01"}]},
        {"teams": {"a": "b"}},
    ):
        assert Settings.model_validate(more).fingerprint != Settings().fingerprint, more
