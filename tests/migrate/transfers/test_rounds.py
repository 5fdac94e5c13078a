"""The record of verified parts: what is due next, and that only what was kept is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.transfers.rounds import Rounds, keep_rounds, read_rounds
from planner.errors import BadInput

AT = datetime(2026, 3, 1, 4, 5, tzinfo=UTC)


def test_the_part_due_is_the_one_never_or_longest_ago_verified(tmp_path: Path) -> None:
    file = tmp_path / "rounds.json"
    rounds = read_rounds(file, "v\u202e", 999, 3)
    assert (rounds.next(), rounds.oldest()) == (1, None)
    for number, part in enumerate((2, 1, 3)):
        rounds = rounds.noted(part, True, AT + timedelta(days=number))
        keep_rounds(file, rounds)
        assert read_rounds(file, "v\u202e", 999, 3) == rounds
    assert (rounds.next(), rounds.oldest()) == (2, AT)
    worse = rounds.noted(3, False, AT)
    assert (worse.next(), worse.oldest()) == (3, None)


def test_another_disks_record_is_refused_and_so_is_garbage(tmp_path: Path) -> None:
    file = tmp_path / "rounds.json"
    keep_rounds(file, Rounds("v", 999, 3, {1: AT}))
    for wrong in (("w", 999, 3), ("v", 998, 3), ("v", 999, 4)):
        with pytest.raises(BadInput, match="of another disk"):
            read_rounds(file, *wrong)
    text = file.read_text()
    for bad in ("", "[]", "null", "{}", text.replace('"1"', '"9"'), text.replace("+00:00", ""), "[" * 9999):
        file.write_text(bad)
        with pytest.raises(BadInput, match="no record of verified parts"):
            read_rounds(file, "v", 999, 3)
