"""What people call a VM's own fields, whichever source they say it in."""

from __future__ import annotations

import pytest

from planner.sources.spoken import spoken_field


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Application", "application"),
        ("App", "application"),
        ("application_name", "application"),
        ("Tags: Owner", "owner"),
        ("Business Criticality", "criticality"),
        ("Maintenance window", "window"),
        ("LAST BACKUP", "last_backup"),
        ("Cost centre", None),
        ("", None),
        ("\x1b[31m", None),
    ],
)
def test_spoken(name: str, field: str | None) -> None:
    assert spoken_field(name) == field
