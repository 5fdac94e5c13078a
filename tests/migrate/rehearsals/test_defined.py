"""A vCenter is asked how its VMs are defined; one that is away holds no rehearsal up."""

from __future__ import annotations

from pathlib import Path

from migrate.rehearsals.defined import by_plan, definitions
from planner.settings import Settings


def _settings(url: str) -> Settings:
    return Settings.model_validate({"sites": {"dc1": {"url": url, "role": "source"}}})


def test_of_a_lab_the_plan_says_all(tmp_path: Path) -> None:
    told: list[str] = []
    with definitions(_settings("lab:nowhere"), tmp_path, told.append) as define:
        assert define is by_plan
    assert told == []


def test_a_source_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with definitions(_settings("vcenter://kim@127.0.0.1:1"), tmp_path, told.append) as define:
        assert define("vm-7") is None
    assert told == [
        "copies are built as the plan says, not as the source has its VMs: no login is kept of site dc1"
    ]
