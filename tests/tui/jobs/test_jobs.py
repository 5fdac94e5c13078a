"""The list of jobs: one of a kind at a time, a history, and an end for all of them."""

from __future__ import annotations

import os
import signal
import time

import pytest

from planner.errors import Blocked
from tests.tui.cli.command import Wherry
from tui.jobs import orders
from tui.jobs.job import Job
from tui.jobs.jobs import Jobs
from tui.jobs.orders import Kind
from tui.jobs.state import JobState


def test_one_of_a_kind_runs_and_the_next_one_is_told_why_not(read: Wherry, jobs: list[Jobs]) -> None:
    told: list[tuple[Job, JobState]] = []
    mine = Jobs(read.root, lambda job, state: told.append((job, state)))
    jobs.append(mine)
    assert mine.why_not(Kind.PLAN) == ""
    first = mine.start(orders.plan("thorough"))
    assert mine.running(Kind.PLAN) is first
    assert mine.why_not(Kind.PLAN) == "plan is still running"
    with pytest.raises(Blocked, match="plan is still running") as refused:
        mine.start(orders.plan())
    assert refused.value.hint
    other = mine.start(orders.assess())  # of another kind
    assert set(mine.all_running) <= {first, other}
    assert other.wait(60)
    assert [(kind, state.title) for kind, state in mine.history] == [
        (Kind.ASSESS, "assess"),
        (Kind.PLAN, "plan"),
    ]
    assert mine.history[0][1].succeeded
    assert mine.history[1][1].running
    first.stop()
    assert first.wait(60)
    assert mine.why_not(Kind.PLAN) == ""
    assert mine.running(Kind.PLAN) is None
    assert {job for job, _ in told} == {first, other}
    assert [state for job, state in told if job is first][-1] is first.state


def test_closing_ends_what_runs_and_nothing_of_it_is_stored(read: Wherry) -> None:
    before = read.stored()
    mine = Jobs(read.root)
    job = mine.start(orders.plan("thorough"))
    deadline = time.monotonic() + 60
    while not job.state.best:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    mine.close(30)
    assert mine.all_running == ()
    assert job.state.exit_code == 130
    assert job.state.error is None
    assert read.stored() == before
    with pytest.raises(Blocked, match="being closed"):
        mine.start(orders.assess())


def test_a_job_that_hears_nothing_is_killed_when_it_is_let_go(read: Wherry, jobs: list[Jobs]) -> None:
    mine = Jobs(read.root)
    jobs.append(mine)
    job = mine.start(orders.plan("thorough"))
    assert job.pid is not None
    deadline = time.monotonic() + 60
    while not job.state.best:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(job.pid, signal.SIGSTOP)
    mine.close(0.2)
    assert job.state.running
    os.kill(job.pid, signal.SIGCONT)
    assert job.wait(120)
