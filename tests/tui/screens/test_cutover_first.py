"""Which wave 7 Cutover begins with: on the night nobody should have to look for the one that matters."""

from __future__ import annotations

import pytest

from migrate.wave_status import WaveStatus
from tui.live.document import Live, WaveNow
from tui.screens.cutover_watching import begins_with


def _wave(name: str, stage: str, state: str = "", driven: bool = False, since: str = "") -> WaveNow:
    status = WaveStatus(name, "", 1, 1, 0, "", "ada", state or stage, stage=stage, since=since)
    return WaveNow(status, None if stage == "planned" else 1, driven)


@pytest.mark.parametrize(
    ("waves", "first"),
    [
        ((), ""),
        ((_wave("W1", "planned"), _wave("W2", "planned")), "W1"),
        ((_wave("W1", "committed", since="2026-01-01"), _wave("W2", "committed", since="2026-01-02")), "W2"),
        ((_wave("W1", "committed"), _wave("W2", "in sync")), "W2"),
        ((_wave("W1", "in sync"), _wave("W2", "seeding", "failed")), "W2"),
        ((_wave("W1", "seeding", "failed"), _wave("W2", "before commit")), "W2"),
        ((_wave("W1", "before commit"), _wave("W2", "cutting over", "failed")), "W2"),
        ((_wave("W1", "cutting over", "failed"), _wave("W2", "seeding", driven=True)), "W2"),
    ],
)
def test_the_wave_that_matters_is_there_at_once(waves: tuple[WaveNow, ...], first: str) -> None:
    assert begins_with(Live(waves=waves)) == first
