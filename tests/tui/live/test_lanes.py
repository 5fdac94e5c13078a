"""Lanes: what a person reads off documents, without any screen or store of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from planner.store.project import Project
from tests.tui.estate import NOW
from tests.tui.running import GIB, running
from tui.live.document import EngineState, Live
from tui.live.lanes import Lane, Sent, lanes, sums
from tui.live.reader import Reader
from tui.live.words import engine_trouble, runner_words
from tui.screens.replicate_rows import Age, age_words, lane_rows


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    root: Path = tmp_path_factory.mktemp("live") / "move"
    with running(root), Project.open(root) as project:
        return Reader(project).look()


def of(live: Live, key: str) -> Lane:
    return next(lane for lane in lanes(live, NOW) if lane.key == key)


def test_what_moves_is_summed_up_to_the_wave(live: Live) -> None:
    for key in ("W02", "W02/g0", "W02/g0/v0"):
        lane = of(live, key)
        assert (lane.done_bytes, lane.total_bytes) == (16 * GIB, 40 * GIB)
        assert lane.rate_bytes_s == 92e6
        assert lane.left_s == (3600.0, 5400.0)
    assert of(live, "W02/g0/v1").done_bytes is None
    assert sums(live).moving == 1


def test_a_copy_is_too_old_only_against_a_target(live: Live) -> None:
    lane = of(live, "W01/g0")
    assert (lane.age_s, lane.target_s, lane.over, lane.ill) == (22 * 60.0, 15 * 60.0, True, True)
    assert not replace(lane, target_s=0.0).over
    fresh = next(one for one in lanes(live, NOW - timedelta(minutes=10)) if one.key == "W01/g0")
    assert (fresh.over, fresh.ill, fresh.note) == (False, False, "")
    assert age_words(Age.of(lane)) == "22 m ▲"
    assert age_words(Age.of(fresh)) == "12 m"


@pytest.mark.parametrize("state", [EngineState.DEAD, EngineState.STOPPED, EngineState.NONE])
def test_without_an_engine_nobody_knows_a_rate(live: Live, state: EngineState) -> None:
    gone = replace(live, engine=replace(live.engine, state=state, pid=None))
    lane = of(gone, "W02/g0/v0")
    assert (lane.done_bytes, lane.rate_bytes_s, lane.left_s) == (16 * GIB, None, None)
    assert of(gone, "W02").ill
    assert engine_trouble(gone)
    assert runner_words(gone)[0].startswith("engine")


def test_with_one_there_is_nothing_to_be_said(live: Live) -> None:
    assert engine_trouble(live) == ""
    assert runner_words(live) == ("runner ● 1 moving", "")


def test_silence_is_said_and_makes_a_rate_unknown(live: Live) -> None:
    quiet = replace(live, waves=tuple(replace(one, quiet_s=7 * (one.name == "W02")) for one in live.waves))
    assert engine_trouble(quiet) == "nobody said anything of the disks of W02 for 7 s"
    assert of(quiet, "W02/g0/v0").rate_bytes_s is None


def test_rows_are_folded_and_sifted(live: Live) -> None:
    found = lanes(live, NOW)
    keys = [row[0] for row in lane_rows(found, {"W01", "W02/g0"}, False)]
    assert keys == ["W01", "W02", "W02/g0", "W03"]
    ill = [row[0] for row in lane_rows(found, {"W01"}, True)]
    assert ill == ["W01", "W01/g0", "W01/g0/v0", "W01/g1", "W01/g1/v0"], "what is wrong is not folded away"


def test_the_rate_of_the_line_is_what_was_seen(live: Live) -> None:
    sent = Sent()
    sent.saw(live, 10.0)

    def grown(wire: int) -> Live:
        waves = tuple(
            replace(wave, moving={volume: replace(one, wire_bytes=one.wire_bytes + wire)
                                  for volume, one in wave.moving.items()})
            for wave in live.waves
        )  # fmt: skip
        return replace(live, waves=waves)

    sent.saw(grown(500), 10.5)
    assert list(sent.rates) == [], "a second is not over"
    sent.saw(grown(3000), 12.0)
    assert list(sent.rates) == [1500.0]
    sent.saw(live, 13.0)
    assert list(sent.rates) == [1500.0, 0.0], "a disk that begins anew takes nothing back"
