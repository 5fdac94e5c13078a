"""Lanes: what a person reads off documents, without any screen or store of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from planner.store.project import Project
from tests.tui.estate import NOW
from tests.tui.running import GIB, running
from tui.live.document import EngineState, Live, WaveNow
from tui.live.lanes import Lane, Lanes
from tui.live.reader import Reader
from tui.live.sums import Sent, sums
from tui.live.words import engine_trouble, runner_words
from tui.screens.replicate_rows import Age, age_words, lane_rows


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    root: Path = tmp_path_factory.mktemp("live") / "move"
    with running(root), Project.open(root) as project:
        return Reader(project).look()


def of(live: Live, key: str) -> Lane:
    return next(lane for lane in Lanes(live, NOW) if lane.key == key)


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
    fresh = next(one for one in Lanes(live, NOW - timedelta(minutes=10)) if one.key == "W01/g0")
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
    found = Lanes(live, NOW)
    keys = [row[0] for row in lane_rows(found, {"W01", "W02/g0"}, False)]
    assert keys == ["W01", "W02", "W02/g0", "W03"]
    ill = [row[0] for row in lane_rows(found, {"W01"}, True)]
    assert ill == ["W01", "W01/g0", "W01/g0/v0", "W01/g1", "W01/g1/v0"], "what is wrong is not folded away"


def test_the_rate_of_the_line_is_what_was_seen(live: Live) -> None:
    sent = Sent()
    sent.saw(live, 10.0)

    def grown(wire: int) -> Live:
        waves = tuple(
            replace(wave, moving={volume: one._replace(wire_bytes=one.wire_bytes + wire)
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


def moved_on(live: Live, by: int) -> Live:
    waves = tuple(
        replace(wave, moving={volume: one._replace(done_bytes=one.done_bytes + by)
                              for volume, one in wave.moving.items()})
        for wave in live.waves
    )  # fmt: skip
    return replace(live, waves=waves)


def test_lanes_of_which_only_bytes_are_others_are_the_same_but_for_these(live: Live) -> None:
    before = Lanes(live, NOW)
    later = moved_on(live, GIB)
    after = Lanes(later, NOW, before)
    assert list(after) == list(Lanes(later, NOW))
    assert all(old is new for old, new in zip(before.still, after.still, strict=True))
    assert before.find("W02/g0/v0") != after.find("W02/g0/v0")
    assert after.find("W09") is None
    assert after[1:3] == list(after)[1:3]


@pytest.mark.parametrize("what", ["engine", "driven", "status", "moving", "quiet", "time"])
def test_nothing_old_is_kept_of_a_wave_that_changed(live: Live, what: str) -> None:
    before = Lanes(live, NOW)
    second = next(wave for wave in live.waves if wave.name == "W02")
    dead = replace(live.engine, state=EngineState.DEAD, pid=None)
    changed = {
        "engine": replace(live, engine=dead),
        "driven": of_second(live, replace(second, driven=False)),
        "status": of_second(live, replace(second, status=replace(second.status, flags=("failed",)))),
        "moving": of_second(live, replace(second, moving={})),
        "quiet": of_second(live, replace(second, quiet_s=9)),
        "time": live,
    }[what]
    now = NOW + timedelta(minutes=30) if what == "time" else NOW
    assert list(Lanes(changed, now, before)) == list(Lanes(changed, now))
    assert list(Lanes(changed, now)) != list(before)


def of_second(live: Live, wave: WaveNow) -> Live:
    return replace(live, waves=tuple(wave if one.name == wave.name else one for one in live.waves))


def test_a_row_is_made_when_it_is_looked_at(live: Live) -> None:
    rows = lane_rows(Lanes(live, NOW), frozenset(), False)
    assert rows[0] is rows[0]
    assert [row[0] for row in rows[1:3]] == [rows[1][0], rows[2][0]]
    assert len(list(rows)) == len(rows)
