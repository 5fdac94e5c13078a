"""Where a site's receiver is, as a mover's machine knows it and as the engine told it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.daemons.away import Away, forget_away, keep_away
from migrate.daemons.lock import ServerLock
from migrate.daemons.reaching import address_of, must_be_at
from migrate.daemons.receiver import ON_NETWORK, must_be_beside, run_of, start_receiver
from planner.errors import SiteRefused

_THERE = "10.0.0.5:7643"


def test_a_mover_that_knows_another_receiver_than_the_engine_writes_nothing(tmp_path: Path) -> None:
    where = f"vcenter:{tmp_path}/dc2"
    (tmp_path / "dc2").mkdir()
    must_be_at(where, "")
    with pytest.raises(SiteRefused, match=f"dc2 is at {_THERE} for the engine and beside it for a mover"):
        must_be_at(where, _THERE)
    keep_away(where, Away(_THERE, "dc2"), b"keys")
    assert address_of(where) == _THERE
    must_be_at(where, _THERE)
    for other in ("", "10.0.0.6:7643"):
        with pytest.raises(SiteRefused, match="for a mover"):
            must_be_at(where, other)
    forget_away(where)
    must_be_at(where, "")


def test_none_is_started_beside_one_that_serves_a_network(tmp_path: Path) -> None:
    where = f"lab:{tmp_path}/dc2\x1b"
    with ServerLock(run_of(where), ON_NETWORK):
        with pytest.raises(SiteRefused, match="serves a network") as refused:
            start_receiver(where)
        assert "\x1b" not in refused.value.message + refused.value.hint
    must_be_beside(where)
