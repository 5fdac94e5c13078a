"""Reasons that people give with a decision are kept on one line, and have an end."""

from __future__ import annotations

import pytest

from planner.errors import BadInput
from tui.acts.deciding import reason_of


def test_a_reason_is_kept_on_one_line() -> None:
    assert reason_of("  they\nshare\t a licence ") == "they share a licence"
    assert reason_of("x" * 500) == "x" * 500


def test_a_reason_longer_than_a_sentence_is_refused() -> None:
    with pytest.raises(BadInput, match="--why has more than 500 characters"):
        reason_of("x" * 501)
