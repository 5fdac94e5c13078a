"""Work of its own process in a box: a real verb each time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.tui.dialogs.desk import SIZES, UNSAID, answer, fits, shown, words
from tests.tui.stage import until
from tui.dialogs.work import Work, describe_work
from tui.jobs.job import Job
from tui.jobs.state import Best, Failure, JobState

HOSTILE = "[bold]x[/]\x1b[31m\u202e"
BEGUN = datetime(2026, 3, 11, 14, 0, tzinfo=UTC)
STATE = JobState("Import", BEGUN, "rows", 40, 100, rate=2.0, left_s=30.0)


def told(state: JobState, width: int = 100) -> str:
    return describe_work(state, BEGUN + timedelta(seconds=20), width).plain


def test_work_says_how_far_it_is_and_how_long_still() -> None:
    assert "◐ rows   20 s so far" in told(STATE)
    assert "40 of 100, 30 s left" in told(STATE)
    in_bytes = replace(STATE, done=2**30, total=2**32, unit="bytes", rate=2.0 * 2**30)
    assert "2.0 GiB/s, 30 s left" in told(in_bytes)
    assert "1,234" in told(replace(STATE, done=1234, total=None))
    assert "ends with what it has" in told(replace(STATE, stopping=True))


def test_the_best_so_far_and_what_was_said_are_shown_the_newest_only() -> None:
    bests = tuple(Best(float(n), HOSTILE, f"phase {n}", 9, 7, 0.125, 1234.5) for n in range(20))
    shown_text = told(replace(STATE, best=bests, said=tuple(f"line {n} {HOSTILE}" for n in range(50))))
    assert "phase 19: 9 waves (at least 7), 12.5% of traffic cut" in shown_text
    assert "phase 11" not in shown_text
    assert "line 49 [bold]x[/]␛[31m<U+202E>" in shown_text
    assert "line 37 " not in shown_text
    assert not {"\x1b", "\u202e"} & set(shown_text)


def test_an_end_says_how_it_went() -> None:
    ended = replace(STATE, ended=BEGUN + timedelta(seconds=5))
    assert "✔ done   after 5.0 s" in told(replace(ended, exit_code=0))
    kept = told(replace(ended, exit_code=0, stopping=True))  # a search keeps the best so far
    assert "✔ stopped, what it had by then is kept   after 5.0 s" in kept
    assert "✖ stopped" in told(replace(ended, exit_code=130))
    failed = told(replace(ended, exit_code=2, error=Failure(f"bad {HOSTILE}", "mend it", "bad-input", 2)))
    assert "✖ ended with exit code 2" in failed
    assert "✖ bad [bold]x[/]␛[31m" in failed
    assert "hint: mend it" in failed


async def test_a_job_is_watched_to_its_end(tmp_path: Path) -> None:
    job = Job(("init", str(tmp_path / "new")), "Make a project")
    job.start()
    async with shown(Work(job)) as pilot:
        await until(lambda: "✔ done" in words(pilot))
        assert "enter closes" in words(pilot)
        assert (tmp_path / "new" / "project.db").is_file()
        await pilot.press("enter")
        await pilot.pause()
        assert answer(pilot) is None


@SIZES
async def test_a_failure_and_its_hint_fit_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    job = Job(("status", "--project", str(tmp_path / "none")), HOSTILE)
    job.start()
    assert job.wait(60)
    async with shown(Work(job), size) as pilot:
        fits(pilot)
        assert "[bold]x[/]␛[31m" in words(pilot)
        assert "✖ ended with exit code" in words(pilot)
        assert "hint: " in words(pilot)


async def test_x_stops_it_and_escape_lets_it_go_on(tmp_path: Path) -> None:
    job = Job(("synth", "--out", str(tmp_path / "big.json"), "--vms", "100000"), "Invent an estate")
    job.start()
    try:
        async with shown(Work(job)) as pilot:
            assert answer(pilot) is UNSAID
            assert "x stops it · esc leaves it going on" in words(pilot)
            await pilot.press("escape")
            await pilot.pause()
            assert job.state.running
        async with shown(Work(job)) as pilot:
            await pilot.press("K")  # not before it was asked to stop
            await pilot.pause()
            assert job.state.running
            await pilot.press("x")
            await until(lambda: not job.state.running)
            await until(lambda: "✖ stopped" in words(pilot))
        assert not (tmp_path / "big.json").exists()
    finally:
        job.close()
