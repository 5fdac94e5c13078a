"""Jobs with the real verbs: what is heard of them, how they end, what they leave in the project."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.store import plans
from planner.store.project import Project
from tests.planner.sources.workbooks import plain
from tests.tui.cli.command import Wherry
from tui.jobs import orders
from tui.jobs.job import Job, Stopping
from tui.jobs.orders import Order
from tui.jobs.state import JobState


class Listener:
    """Keeps every state that was told, and can wait for one."""

    def __init__(self) -> None:
        self.told: list[JobState] = []
        self.times: list[float] = []

    def __call__(self, job: Job, state: JobState) -> None:
        self.told.append(state)
        self.times.append(time.monotonic())


def started(cli: Wherry, order: Order, listener: Listener | None = None) -> Job:
    job = Job(order.argv(cli.root), order.title, order.secret, on_change=listener)
    job.start()
    return job


def until(job: Job, seen: Callable[[JobState], bool]) -> JobState:
    """Wait until a state is seen; a job that ends before fails here."""
    deadline = time.monotonic() + 60
    while not seen(state := job.state):
        assert state.running, (state.error, state.said)
        assert time.monotonic() < deadline, state
        time.sleep(0.005)
    return state


def finished(cli: Wherry, order: Order, listener: Listener | None = None) -> JobState:
    job = started(cli, order, listener)
    assert job.wait(90)
    return job.state


def test_an_import_of_a_workbook_is_followed_to_its_end(fresh: Wherry, tmp_path: Path) -> None:
    listener = Listener()
    state = finished(fresh, orders.import_file([str(plain(tmp_path / "rv.xlsx"))]), listener)
    assert (state.succeeded, state.exit_code, state.error) == (True, 0, None), state
    assert state.document["vms"] > 0
    assert any(text.startswith("reading ") for text in state.said)
    told = listener.told
    assert told[-1] is state
    assert [one.running for one in told] == [True] * (len(told) - 1) + [False]
    assert state.phase == "storing the snapshot"


def test_a_bad_file_says_what_is_wrong_and_stores_nothing(fresh: Wherry, tmp_path: Path) -> None:
    bad = tmp_path / "bad\x1b[31m.xlsx"
    bad.write_bytes(b"PK\x03\x04 nonsense")
    before = fresh.stored()
    state = finished(fresh, orders.import_file([str(bad)]))
    assert state.error is not None
    assert (state.exit_code, state.error.exit_code, state.error.code) == (2, 2, "bad-input")
    assert state.error.message.isprintable()
    assert "bad" in state.error.message
    assert state.error.hint
    assert fresh.stored() == before


def test_a_search_is_heard_and_stopped_with_the_best_plan_until_then(read: Wherry) -> None:
    listener = Listener()
    job = started(read, orders.plan("thorough"), listener)
    state = until(job, lambda state: len(state.best) >= 3)
    assert state.phase == "looking for waves"
    assert job.stop() is Stopping.ASKED
    assert job.state.stopping
    assert job.stop() is Stopping.WAITING
    assert job.wait(60)
    state = job.state
    assert (state.exit_code, state.error) == (0, None), state
    assert "stopped: this is the best plan until then" in state.said
    assert job.stop() is Stopping.ENDED
    assert state.best[0].phase == "first fit"
    assert state.best[0].waves >= state.best[0].waves_bound > 0
    assert [point.at_s for point in state.best] == sorted(point.at_s for point in state.best)
    assert min(point.stretch_gb for point in state.best[1:]) < state.best[0].stretch_gb
    with Project.open(read.root) as project:
        kept = plans.latest(project)
    assert kept.version == 1
    assert any("stopped" in said for said in kept.plan.method)
    assert kept.plan.score.hard_violations == kept.plan.score.order_violations == 0
    assert sum(len(wave.vms) for wave in kept.plan.waves) > 600
    assert "W01" in state.printed
    told = zip(listener.times, listener.times[1:], strict=False)
    assert all(later - sooner >= 0.099 for sooner, later in told), "told too often"
    assert listener.told[-1] is state
    job = started(read, orders.what_if(link="200Mbit/s", effort="thorough"))  # which stops likewise
    until(job, lambda state: bool(state.best))
    assert job.stop() is Stopping.ASKED
    assert job.wait(60)
    assert (job.state.exit_code, job.state.error) == (0, None), job.state
    assert "stopped: this is the best plan until then" in job.state.said
    assert job.state.document["plan"] == 1
    assert job.state.document["kept_as"] is None


def test_an_import_that_is_stopped_stores_nothing(fresh: Wherry) -> None:
    before = fresh.stored()
    job = started(fresh, orders.import_file(["estate"]))
    assert job.pid is not None
    until(job, lambda state: state.phase.startswith("reading"))
    os.kill(job.pid, signal.SIGSTOP)  # so that it cannot be quicker than we are
    assert job.stop() is Stopping.ASKED
    os.kill(job.pid, signal.SIGCONT)
    assert job.wait(60)
    assert (job.state.exit_code, job.state.error, job.state.document) == (130, None, None)
    assert "interrupted; nothing was stored" in job.state.said
    assert fresh.stored() == before


def test_one_that_is_stopped_before_python_has_begun_is_stopped_without_a_page_of_words(
    fresh: Wherry,
) -> None:
    before = fresh.stored()
    for after_s in (0.0, 0.01, 0.02, 0.03, 0.04, 0.05):
        job = started(fresh, orders.import_file(["estate"]))
        time.sleep(after_s)
        assert job.stop() is Stopping.ASKED
        assert job.wait(60)
        state = job.state
        assert (state.exit_code, state.error, state.said) == (130, None, ("interrupted; nothing was stored",))
    assert fresh.stored() == before


def test_one_that_does_not_stop_can_be_killed_and_not_before(read: Wherry) -> None:
    now = [0.0]
    order = orders.plan("thorough")
    job = Job(order.argv(read.root), order.title, clock=lambda: now[0])
    with pytest.raises(BadInput, match="was not asked to stop"):
        job.kill()
    job.start()
    assert job.pid is not None
    until(job, lambda state: bool(state.best))
    os.kill(job.pid, signal.SIGSTOP)  # now it is deaf
    assert job.stop() is Stopping.ASKED
    now[0] = 4.9
    assert (job.stop(), job.can_kill) == (Stopping.WAITING, False)
    with pytest.raises(BadInput):
        job.kill()
    now[0] = 5.0
    assert (job.stop(), job.can_kill) == (Stopping.DEAF, True)
    job.kill()
    assert job.wait(120)
    assert job.state.exit_code == 137
    assert job.state.error is not None
    assert "killed" in job.state.error.message
    with Project.open(read.root) as project:
        assert plans.find_latest(project) is None


def test_a_job_is_started_once(fresh: Wherry) -> None:
    job = started(fresh, orders.assess())
    with pytest.raises(ValueError, match="once"):
        job.start()
    assert job.wait(60)
    assert job.state.error is not None


def test_a_secret_reaches_the_verb_through_a_pipe_alone(fresh: Wherry) -> None:
    """Nobody listens at the address: the password was taken, or it would be missed first."""
    order = orders.import_vcenter("vcenter://reader@127.0.0.1:1", password="hunter2 \u00e9")
    job = Job(order.argv(fresh.root), order.title, order.secret)
    job.start()
    assert job.pid is not None
    words = Path(f"/proc/{job.pid}/cmdline").read_bytes() + Path(f"/proc/{job.pid}/environ").read_bytes()
    assert b"hunter2" not in words
    assert "hunter2" not in repr(vars(job))
    assert job.wait(60)
    assert job.state.error is not None
    assert (job.state.exit_code, job.state.error.code) == (6, "unreachable"), job.state


@pytest.mark.parametrize("secret", ["", "two\nlines"])
def test_what_is_no_password_is_refused_by_the_verb(fresh: Wherry, secret: str) -> None:
    state = finished(fresh, orders.import_vcenter("vcenter://reader@127.0.0.1:1", password=secret))
    assert state.error is not None
    assert state.exit_code == 2
    assert "two" not in state.error.message


def test_a_secret_too_long_for_a_pipe_starts_nothing(fresh: Wherry) -> None:
    order = orders.import_vcenter("vcenter://reader@127.0.0.1:1", password="x" * 5000)
    job = Job(order.argv(fresh.root), order.title, order.secret)
    with pytest.raises(BadInput) as refused:
        job.start()
    assert "xxx" not in refused.value.message
    assert job.pid is None


def test_a_rehearsal_and_papers_come_back_as_documents(planned: Wherry) -> None:
    state = finished(planned, orders.rehearse("W01", runs=30))
    assert (state.document["wave"], state.document["runs"]) == ("W01", 30)
    assert (state.done, state.total, state.unit, state.share) == (30, 30, "pieces", 1.0)
    state = finished(planned, orders.export(["json"], out=str(planned.root / "-papers")))
    assert [Path(path).is_file() for path in state.document] == [True]
    state = finished(planned, orders.what_if(caps_vms=1, effort="quick"))
    assert state.document["kept_as"] is None
    assert state.best
