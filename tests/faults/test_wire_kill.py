"""Both sides of a pass killed at each moment that matters, and each call that touches a disk or a log failed.

Processes are real, over TLS, in memory where there is room. ``make soak`` takes every point in every way.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import in_memory

# What may not be missing from the points: where either side makes a promise, or keeps one.
_AT_RANDOM = 4  # deaths at a random moment, besides one at a point of each kind
NEEDED = {
    "pwrite disk", "zero disk", "fdatasync disk", "open disk", "preadv disk",
    "open progress", "write progress", "fdatasync progress",
    "write progress beside", "fsync progress beside", "rename progress", "fsync store",
    "ftruncate dedupe table", "pwrite dedupe table", "write dedupe names",
    "write conversations", "fdatasync conversations",
    "write revocations beside", "fsync revocations beside", "rename revocations",
    "send HELLO", "hear HELLO", "send WELCOME", "hear WELCOME", "send OFFER", "send WANT", "hear WANT",
    "send DATA", "hear DATA", "send ZERO", "send KEEP", "send HELD", "send ASK_DIGESTS", "send DIGESTS",
    "send COMMIT", "hear COMMIT", "send ACK", "hear ACK", "send BYE", "hear BYE",
    "open source", "preadv source",
}  # fmt: skip


def play(root: Path, rng: random.Random, **asked: object) -> dict[str, Any]:
    """Play stories in a process of their own and return what came of them."""
    asked["seed"] = rng.randrange(2**32)
    with in_memory(root) as folder:
        ran = subprocess.run(
            [sys.executable, "-m", "tests.faults.theatre", str(folder), json.dumps(asked)],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    told: dict[str, Any] = json.loads(ran.stdout)
    struck = {what: number for what, number in told["struck"].items() if what != "not reached"}
    missed = told["struck"].get("not reached", 0)
    print(
        f"{told['trials']:,} stories, {told['points']} points of {len(told['kinds'])} kinds, "
        f"{told['kills']:,} kills, {sum(struck.values()):,} deaths and failures of {len(struck)} sorts, "
        f"{missed} points not reached, {told['resumed']:,} passes resumed, {told['compared']} compared "
        f"instead, {told['deduped']:,} deduped, {len(told['wrong'])} wrong"
    )
    told["missed"] = missed
    return told


def test_a_death_at_half_of_the_kinds_of_points_and_at_random(tmp_path: Path, rng: random.Random) -> None:
    told = play(tmp_path, rng, kills="half", random=_AT_RANDOM)
    assert told["wrong"] == []
    assert NEEDED - set(told["kinds"]) == set()
    assert told["missed"] <= 6  # connections may have divided the work otherwise
    assert told["kills"] >= len(told["kinds"]) // 2 + _AT_RANDOM - 6
    assert told["resumed"] > 0
    assert told["deduped"] > 0


@pytest.mark.soak  # test_nth_failure has the calls of one side in every run
def test_a_failure_of_each_kind_of_call(tmp_path: Path, rng: random.Random) -> None:
    told = play(tmp_path, rng, failures="kinds")
    assert told["wrong"] == []
    assert told["missed"] <= 6


def test_negative_control_a_receiver_whose_last_write_waits_is_seen(
    tmp_path: Path, rng: random.Random
) -> None:
    told = play(tmp_path, rng, mutant="late")
    assert any("though pass 1 is done" in wrong for wrong in told["wrong"])


def test_negative_control_a_short_write_that_is_not_gone_on_with_is_seen(
    tmp_path: Path, rng: random.Random
) -> None:
    told = play(tmp_path, rng, mutant="careless")
    assert told["wrong"]


@pytest.mark.soak
def test_a_thousand_deaths_at_random_and_one_at_every_point(tmp_path: Path, rng: random.Random) -> None:
    told = play(tmp_path, rng, kills="all", random=1000)
    assert told["wrong"] == []
    assert told["kills"] > 2000
    assert told["missed"] < told["points"] // 20


@pytest.mark.soak
def test_every_call_fails_once_and_for_ever(tmp_path: Path, rng: random.Random) -> None:
    told = play(tmp_path, rng, failures="all")
    assert told["wrong"] == []
    assert told["compared"] > 0  # after a flush that failed
    assert told["missed"] < told["points"] // 20
