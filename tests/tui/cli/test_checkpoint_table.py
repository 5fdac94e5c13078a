"""The list of checkpoints: what is unusual, near a limit or broken is seen at a glance, and no name acts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from planner.units import GIB, MIB
from tui.cli.checkpoints import show

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def point(record: int, age_s: int, **more: Any) -> dict[str, Any]:
    """Return a checkpoint as it is told."""
    told = {"record": record, "at_ms": int((NOW.timestamp() - age_s) * 1000), "consistency": "crash",
            "name": "", "pinned": False, "written_bytes": MIB, "packed_bytes": MIB // 4, "results": [],
            "unusual": ""}  # fmt: skip
    return told | more


def group(*points: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a group as it is told."""
    told = {"group": "crm", "volumes": ["a", "b"], "unrest": "", "trouble": "", "health": None,
            "error": None, "checkpoints": list(points)}  # fmt: skip
    return told | more


def test_a_person_sees_where_data_went_bad(capsys: pytest.CaptureFixture[str]) -> None:
    show(
        group(
            point(5, 7200, written_bytes=0, packed_bytes=0, proven=False),
            point(9, 3600, proven=True, pinned=True, name="\x1b[2Jok\u202e", results=["boots", "[red]"]),
            point(14, 60, written_bytes=80 * MIB, packed_bytes=79 * MIB, unusual="80 times the usual change"),
        ),
        NOW,
    )
    title, head, first, second, third = capsys.readouterr().out.splitlines()
    assert title == "crm: 3 checkpoints of 2 disks, back to 2026-03-14 10:00:00 UTC"
    assert head.split()[0] == "NUMBER"
    assert first.split() == ["5", "2026-03-14", "10:00:00", "2", "h", "crash", "0", "B", "–"]
    assert second.endswith("▏         25%       pinned  \u241b[2Jok<U+202E>; ✔ compared, equal; boots; [red]")
    assert "████████" in third
    assert third.endswith("▲ unusual: 80 times the usual change")


def test_how_a_journal_stands_is_said_before_its_checkpoints(capsys: pytest.CaptureFixture[str]) -> None:
    health = {"grade": "bad", "history_s": 600, "wanted_s": 86_400, "size_bytes": GIB, "limit_bytes": GIB,
              "said": ["writes are refused\x1b[0m"]}  # fmt: skip
    show(group(point(5, 60), health=health, unrest="a pass of \x07 is under way", trouble="no\x1b disk"), NOW)
    said = capsys.readouterr().out.splitlines()[1:5]
    assert said == [
        "✖ history 10 m of 1 d, journal 1.0 GiB of 1.0 GiB",
        "    writes are refused\u241b[0m",
        "▲ how it is kept cannot be told: no\u241b disk",
        "▲ no checkpoint can be made just now: a pass of \u2407 is under way",
    ]


def test_a_broken_group_is_said_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    show({"group": "a\u202e", "error": {"message": "it is broken", "hint": "mend it"}}, NOW)
    assert capsys.readouterr().out == "a<U+202E>: ✖ it is broken\n    → mend it\n"
