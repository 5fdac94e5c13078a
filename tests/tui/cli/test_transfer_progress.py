"""What a live run tells of its transfers, and that the settings hold it to its share of the line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.driver import Told
from migrate.run.history import Event
from migrate.transfers.ports import Moving, Packing
from planner.store.project import Project
from tests.migrate.estate import small_wave
from tui.cli.progress import Bar
from tui.cli.transfers import Transfers, known

MIB = 1024**2


def test_a_run_is_held_to_the_line_and_tells_what_binds(
    with_lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = with_lab()
    cli.done("settings", "set", "link.rate_mbit", "1")
    monkeypatch.setenv("WHERRY_PROGRESS", "json")
    ran = cli.live("replicate", "W01", "--json")
    assert ran.code == 0, ran.text
    told = [json.loads(line) for line in ran.err.splitlines()]
    seeds = [one for one in told if one["event"] == "progress" and "seed" in one["title"]]
    assert seeds
    assert all(one["level"] in range(-5, 13) and one["volume"] for one in seeds)
    assert {one["binds"] for one in seeds} <= {binds.value for binds in Binds}
    with Project.open(cli.root) as project:
        run = runs.latest(project, "W01")
        assert run is not None
        (seed,) = (
            result for step, result in runs.history(project, run).results.items() if step.endswith("/seed")
        )
    last = seeds[-1]
    assert last["wire_bytes"] == pytest.approx(seed["wire_bytes"], abs=1000)
    assert last["ratio"] == pytest.approx(seed["data_bytes"] / seed["wire_bytes"], rel=0.01)
    # a bucket holds 64 KiB; the rest comes at the line's share
    assert seed["seconds"] >= (seed["wire_bytes"] - 65536) / (0.7 * 1e6 / 8)


def test_several_disks_at_once_are_told_one_by_one_and_as_a_sum(
    with_lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = with_lab()
    for name, value in (("link.rate_mbit", "2"), ("transfers.disks", "4")):
        cli.done("settings", "set", name, value)
    monkeypatch.setenv("WHERRY_PROGRESS", "json")
    ran = cli.live("replicate", "W02", "--json")
    assert ran.code == 0, ran.text
    assert ran.document["state"] == "in sync, waits for its cutover"
    told = [json.loads(line) for line in ran.err.splitlines()]
    several = [one for one in told if one["event"] == "progress" and "disks" in one]
    assert several, "W02 has two disks with snapshots, held to one line"
    for one in several:
        assert one["title"] == "2 disks"
        assert one["done"] == sum(disk["done"] for disk in one["disks"])
        assert one["total"] == sum(disk["total"] for disk in one["disks"])
    names = {disk["title"].partition(":")[0] for one in several for disk in one["disks"]}
    assert names <= {"db-1 Hard disk 1", "app-1 Hard disk 1"}


def test_a_run_that_is_ended_among_several_seeds_goes_on(with_lab: Any) -> None:
    cli = with_lab()
    for name, value in (("link.rate_mbit", "1"), ("transfers.disks", "4")):
        cli.done("settings", "set", name, value)
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        before = _intents(cli.root)
        child = subprocess.Popen(
            [sys.executable, "-m", "tui.cli.entry", "replicate", "W02", "--live", "--confirm", "W02",
             "--project", str(cli.root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while _intents(cli.root) < before + 2:
            assert child.poll() is None, child.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(child.pid, number)
        _out, err = child.communicate(timeout=120)
        assert child.returncode == code, err
        assert "Traceback" not in err
    cli.done("settings", "set", "transfers.throttle", "false")
    ran = cli.live("replicate", "W02")
    assert ran.code == 0, ran.text
    assert "2 replicas proven equal" in ran.err


def _intents(root: Path) -> int:
    with Project.open(root) as project:
        return len(project.rows("SELECT 1 FROM step_record WHERE step LIKE 'g0/d%/seed' AND kind = 'intent'"))


def test_the_sum_ends_with_the_last_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    wave = small_wave()
    seeds = [step for step in compose(wave).steps if step.id.endswith("/seed")]
    with Bar() as bar:
        shown = Transfers(bar)

        def report(moving: Moving) -> None:
            shown.report(moving)  # another title begins another bar
            bar._said = 0.0
            shown.report(moving)

        for step in seeds:
            shown.told(Told(step, Event.INTENT, {}))
        packing = Packing(3, 2.0, Binds.LINK)
        for number, step in enumerate(seeds, 1):
            left = Left(10.0 * number, 12.0 * number)
            report(Moving(step.subject, 256 * MIB, 512 * MIB, 1, 20.0 * MIB, packing, left))
        shown.told(Told(seeds[0], Event.DONE, {}))
        report(Moving(seeds[1].subject, 512 * MIB, 512 * MIB, 1, 20.0 * MIB, None, Left(0.0, 0.0)))
    first, both, alone = capsys.readouterr().err.strip().splitlines()
    assert "2 disks: 256 MiB of 512 MiB, 20.0 MiB/s · link binds, " in first
    assert "2 disks: 512 MiB of 1.0 GiB, 40.0 MiB/s · link binds, 20 s to 24 s left" in both
    assert f"{seeds[1].title}: 512 MiB of 512 MiB, 20.0 MiB/s, 0.0 s left" in alone


def spoken(moving: Moving, capsys: pytest.CaptureFixture[str]) -> str:
    with Bar() as bar:
        bar.begin("db-1 Hard disk 1: seed")
        bar._said = 0.0  # as if the last line was long ago
        bar.report(moving.done_bytes, moving.total_bytes, known(moving))
    return capsys.readouterr().err.strip()


def test_the_line_says_rate_level_what_binds_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    packing = Packing(3, 2.5, Binds.LINK)
    moving = Moving("v", 512 * MIB, 1024 * MIB, 200 * MIB, 112 * MIB, packing, Left(40.0, 65.0))
    assert spoken(moving, capsys) == (
        "… db-1 Hard disk 1: seed: 512 MiB of 1.0 GiB, 112 MiB/s · zstd 3 · link binds, 40 s to 1 m 5 s left"
    )


def test_the_line_says_what_did_not_travel(capsys: pytest.CaptureFixture[str]) -> None:
    packing = Packing(3, 2.5, Binds.LINK)
    moving = Moving("v", 512 * MIB, 1024 * MIB, 200 * MIB, 112 * MIB, packing, deduped_bytes=300 * MIB)
    assert "zstd 3 · dedupe 300 MiB · link binds" in spoken(moving, capsys)
    assert known(moving).fields["deduped_bytes"] == 300 * MIB


@pytest.mark.parametrize(
    ("packing", "words"),
    [
        (Packing(0, 1.0, Binds.PROCESSOR), " · not packed · processor binds, "),
        (Packing(-5, 1.0, Binds.NOTHING), "/s · zstd -5, "),
        (Packing(1, 1.0, Binds.SOURCE), " · zstd 1 · source disk binds, "),
        (None, "/s, "),
    ],
)
def test_what_is_not_known_is_not_said(
    packing: Packing | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in spoken(Moving("v", 512 * MIB, 1024 * MIB, 0, 112.0 * MIB, packing), capsys)
