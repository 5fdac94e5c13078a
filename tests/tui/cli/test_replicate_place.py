"""6 Replicate on a lab that runs: a wave is copied, kept, verified and held, by keys alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.cli.command import Wherry
from tests.tui.screens.test_replicate import confirmed, go, key
from tests.tui.stage import opened, reached, text, until
from tui.dialogs.form import Form
from tui.dialogs.reader import Reader
from tui.live.document import EngineState
from tui.session import Session


async def test_a_wave_is_copied_and_kept_by_keys_alone(
    with_lab: Callable[[], Wherry], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = with_lab()
    monkeypatch.delenv("WHERRY_IN_PROCESS")
    try:
        async with opened(cli.root, session=Session(cli.root, judges=False)) as pilot:
            place = await go(pilot, "W02")
            seen = set()

            def is_in_sync() -> bool:
                wave = place.live.wave("W02")
                seen.add(place.live.engine.state)
                return wave is not None and wave.status.state == "in sync" and wave.order is None

            await key(pilot, "n")
            await confirmed(pilot, "W02")
            await until(is_in_sync, 240.0)
            assert EngineState.WORKING in seen
            wave = place.live.wave("W02")
            assert wave is not None
            assert wave.copies is not None
            assert all(wave.copies.copied_at.values())
            group = next(lane.key for lane in place._lanes if lane.wave == "W02" and lane.depth == 1)
            assert place.table.move_to(group)
            await key(pilot, "c")
            await reached(pilot, Form)
            await key(pilot, *"before it", "ctrl+s")
            await until(lambda: "'before it'" in text(pilot) and "consistent" in text(pilot), 120.0)
            kept = cli.done("checkpoints", "W02", "--json").document
            found = kept if isinstance(kept, list) else [kept]
            assert "before it" in {point["name"] for one in found for point in one["checkpoints"]}
            await key(pilot, "V")
            await confirmed(pilot)
            await reached(pilot, Reader, 120.0)
            await until(lambda: "differs from the record" in text(pilot))
            assert "✖" not in text(pilot)
            await key(pilot, "escape", "p")
            await confirmed(pilot)
            await until(lambda: "paused" in cli.state("W02")["flags"])
            await until(lambda: "○ paused" in text(pilot))
    finally:
        cli("engine", "stop")
