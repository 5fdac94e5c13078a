"""The collector is kept away for as long as something is made, and is back afterwards whatever happens."""

from __future__ import annotations

import gc

import pytest

from planner.garbage import loading, uncollected


def test_the_collector_is_back_afterwards_and_stays_away_where_it_was_away() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled(), "who was first brings it back"
    assert gc.isenabled()

    @uncollected()
    def breaks() -> None:
        raise ValueError(str(gc.isenabled()))

    with pytest.raises(ValueError, match="False"):
        breaks()
    assert gc.isenabled()


def test_what_is_loaded_is_not_looked_through_again() -> None:
    before = gc.get_freeze_count()
    try:
        with loading():
            assert not gc.isenabled()
            loaded = [[number] for number in range(100)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(loaded)
    finally:
        gc.unfreeze()
