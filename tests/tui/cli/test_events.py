"""``WHERRY_PROGRESS=json``: one object a line on stderr, nothing else there, stdout as it always is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from tests.tui.cli.command import Ran, Wherry, wherry
from tests.tui.cli.estate import write
from tui.cli import events
from tui.cli.progress import Bar


def told(ran: Ran) -> list[dict[str, Any]]:
    """Return what was told; a line that is no event fails here."""
    found = [json.loads(line) for line in ran.err.splitlines()]
    assert all(isinstance(item, dict) and "event" in item for item in found)
    assert [item["event"] for item in found].count("end") == 1
    assert found[-1] == {"event": "end", "exit_code": ran.code}
    return found


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERRY_PROGRESS", "json")


@pytest.mark.usefixtures("listening")
def test_an_import_tells_how_far_it_is_and_how_it_ended(planned: Wherry, tmp_path: Path) -> None:
    ran = planned.done("discover", str(write(tmp_path / "again.json")), "--json")
    found = told(ran)
    assert ran.document["vms"] == 3
    assert [item["title"] for item in found if item["event"] == "begin"][-1] == "storing the snapshot"
    last = [item for item in found if item["event"] == "progress"][-1]
    assert set(last) == {"event", "title", "done", "total", "unit", "rate", "left_s"}
    assert (last["done"], last["unit"], last["left_s"]) == (last["total"], "bytes", 0.0)


@pytest.mark.usefixtures("listening")
def test_an_error_is_an_event_and_stays_a_document_on_stdout(planned: Wherry) -> None:
    for more in ((), ("--json",)):
        ran = planned("plan", "show", "W99", *more)
        error = told(ran)[-2]
        assert (error["event"], error["exit_code"], error["code"]) == ("error", ran.code, "not-found")
        assert "W99" in error["message"]
        assert error["hint"]
        assert bool(ran.out) is bool(more)
    assert ran.document["message"] == error["message"]


@pytest.mark.usefixtures("listening")
def test_a_usage_error_is_an_event() -> None:
    ran = wherry("no-such-verb")
    assert ran.code == 2
    assert [item["event"] for item in told(ran)] == ["error", "end"]


def test_without_the_wish_stderr_holds_words(planned: Wherry, tmp_path: Path) -> None:
    ran = planned.done("discover", str(write(tmp_path / "again.json")))
    assert ran.err.startswith("reading ")
    assert "{" not in ran.err


def test_another_wish_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERRY_PROGRESS", "xml\x1b[2J")
    ran = wherry("status")
    assert ran.code == 2
    assert "WHERRY_PROGRESS" in ran.err
    assert "\x1b" not in ran.err


def test_progress_is_told_ten_times_a_second_at_most_and_the_last_count_always(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work() -> int:
        with Bar(in_bytes=False) as bar:
            bar.begin("counting \x1b[31mred")
            for done in range(5001):
                bar.report(done, 5000)
            bar.count("things", 7)
        return 0

    begun = time.monotonic()
    assert events.telling(work) == 0
    passed = time.monotonic() - begun
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    counted = [item for item in found if item["event"] == "progress" and item["total"] == 5000]
    assert 2 <= len(counted) <= passed / 0.1 + 2
    assert (counted[0]["done"], counted[-1]["done"], counted[-1]["unit"]) == (0, 5000, "pieces")
    assert counted[0]["title"] == "counting ␛[31mred"
    things = [item for item in found if item.get("title") == "things"]
    assert [item["event"] for item in things] == ["begin", "progress"]
    assert (things[1]["done"], things[1]["total"], things[1]["left_s"]) == (7, None, None)


def test_whatever_is_written_to_stderr_becomes_an_event(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("WHERRY_DEBUG", raising=False)

    def work() -> int:
        sys.stderr.write("half a ")
        sys.stderr.write("line\nand \x1b]0;title\x07")
        sys.stderr.flush()
        click.echo(click.style("old thing", fg="red"), err=True)
        raise ValueError("broke \ud800")

    assert events.telling(work) == 1
    found = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    said = [item["text"] for item in found if item["event"] == "said"]
    assert said[:2] == ["half a line", "and ␛]0;title␇"]
    assert said[2] == "old thing"
    assert said[3:] == [], "the traceback is kept, not told"
    log = tmp_path / "wherry" / "logs" / "wherry.log"
    assert "in work" in log.read_text("utf-8")
    assert str(log) in found[-2]["hint"]
    assert [item["event"] for item in found[-2:]] == ["error", "end"]
    assert "ValueError: broke <U+D800>" in found[-2]["message"]


def test_a_reader_that_goes_away_ends_nothing(planned: Wherry) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", "check", "--json", "--project", str(planned.root)],
        env=os.environ | {"WHERRY_PROGRESS": "json"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout
    assert child.stderr
    child.stderr.close()
    assert json.loads(child.stdout.read())
    assert child.wait(timeout=120) in (0, 3)


def test_an_interruption_while_it_still_loads_is_told() -> None:
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop)\n"
        "from tui.cli.entry import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "status"],
        env=os.environ | {"WHERRY_PROGRESS": "json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert told(Ran(130, done.stdout, done.stderr))[0]["text"] == "interrupted; nothing was stored"


def test_a_second_stretch_under_one_title_goes_at_its_own_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr("tui.cli.progress.time.monotonic", lambda: now[0])

    def work() -> int:
        with Bar(in_bytes=False) as bar:
            bar.begin("looking")
            for at, done, total in ((101.0, 50, 100), (110.0, 100, 900), (120.0, 140, 900)):
                now[0] = at
                bar.report(done, total)
        return 0

    assert events.telling(work) == 0
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    left = [event["left_s"] for event in told if event["event"] == "progress"]
    assert left == [1.0, None, 190.0]
