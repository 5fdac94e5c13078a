"""The collector is kept away for as long as something is made, and is back afterwards whatever happens."""

from __future__ import annotations

import gc

import pytest

from planner.garbage import uncollected


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
