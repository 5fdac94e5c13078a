"""Hooks: their limits, what they leave running, what they say, and what they know."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from migrate.protection import hooks
from migrate.protection.hooks import HookEnd, Purpose, end_leftovers, run_hook
from migrate.protection.stopping import Stop
from tests.migrate.protection.scene import alive, eventually, script

HOSTILE = "crm\n\x1b[31m$(touch owned);'\"‮"


def purpose(member: str = "db") -> Purpose:
    return Purpose("crm", member, os.urandom(8).hex())


def run(path: Path, *arguments: str, limit_s: float = 20.0, what: Purpose | None = None) -> HookEnd:
    return run_hook((str(path), *arguments), what or purpose(), limit_s, Stop())


def test_a_hook_knows_for_what_it_runs_and_no_shell_reads_it(tmp_path: Path) -> None:
    told = Purpose(HOSTILE, HOSTILE, "c1")
    body = 'printf "%s|%s|%s|%s" "$WHERRY_GROUP" "$WHERRY_MEMBER" "$WHERRY_CHECKPOINT" "$1"'
    end = run(script(tmp_path, "hook", body), "; touch owned; $(id)", what=told)
    assert (end.why, end.output) == ("", f"{HOSTILE}|{HOSTILE}|c1|; touch owned; $(id)")
    assert [path.name for path in tmp_path.iterdir()] == ["hook"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo 1; printf 'last \\033[31mwords' >&2; exit 3", "its x hook ended with code 3: last ␛[31mwords"),
        ("kill -9 $$", "its x hook was ended by signal 9"),
    ],
)  # fmt: skip
def test_a_hook_that_fails_says_why(tmp_path: Path, body: str, why: str) -> None:
    assert run(script(tmp_path, "hook", body)).sentence("x") == why


def test_what_cannot_be_run_says_so(tmp_path: Path) -> None:
    path = script(tmp_path, "hook", "exit 0")
    path.chmod(0o600)
    assert run(path).sentence("x") == "its x hook could not be started (Permission denied)"
    assert "No such file" in run(tmp_path / "none").why


def test_a_hook_that_hangs_goes_with_all_it_started(tmp_path: Path) -> None:
    """A child in its group that hides its origin, one in a session of its own that keeps the output open."""
    body = f"""
        env -i sleep 1000 & echo $! > {tmp_path}/child
        setsid sh -c 'echo $$ > {tmp_path}/stray; exec sleep 1000' &
        while [ ! -s {tmp_path}/stray ]; do sleep 0.01; done
        touch {tmp_path}/ready
        sleep 1000
    """
    end = run(script(tmp_path, "hook", body), limit_s=2.0)
    assert end.why == "was not done within 2.0 s"
    assert (tmp_path / "ready").exists()
    assert eventually(lambda: not alive(tmp_path / "child"))
    assert eventually(lambda: not alive(tmp_path / "stray"))


@pytest.mark.parametrize("look_s", [0.0, 0.0005], ids=["", "where looking at all of them takes long"])
def test_a_hook_that_makes_children_faster_than_it_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look_s: float
) -> None:
    real = hooks._environment

    def slowly(process: Path) -> set[bytes] | None:
        time.sleep(look_s)
        return real(process)

    monkeypatch.setattr(hooks, "_environment", slowly)
    loop = script(tmp_path, "loop", f'echo $$ > {tmp_path}/last; "$0" & exec sleep 0.02')
    what = purpose()
    try:
        assert run(loop, what=what, limit_s=1.0).why == ""  # the first ends well, its line goes on
        assert eventually(lambda: end_leftovers(what) == 0)
        before = (tmp_path / "last").read_text("utf-8")
        time.sleep(0.2)
        assert (tmp_path / "last").read_text("utf-8") == before
    finally:
        loop.unlink()  # so that the line ends in any case


def test_a_hook_may_leave_a_session_behind_that_is_found_later(tmp_path: Path) -> None:
    """How a lock is held that lasts as long as its session; another member's is not touched."""
    hold = script(
        tmp_path, "hook", f"setsid sleep 1000 >/dev/null 2>&1 & echo $! > {tmp_path}/$WHERRY_MEMBER"
    )
    mine, other = purpose("mine"), purpose("other")
    assert not run(hold, what=mine).why
    assert not run(hold, what=other).why
    assert alive(tmp_path / "mine")
    assert end_leftovers(mine) == 1
    assert eventually(lambda: not alive(tmp_path / "mine"))
    assert alive(tmp_path / "other")
    assert end_leftovers(other) == 1


def test_a_hook_that_leaves_its_output_open_has_ended_all_the_same(tmp_path: Path) -> None:
    what = purpose()
    end = run(script(tmp_path, "hook", "echo said; sleep 1000 & exit 0"), what=what)
    assert (end.why, end.output) == ("", "said\n")
    assert end_leftovers(what) == 1


def test_of_a_flood_the_end_is_kept(tmp_path: Path) -> None:
    flood = script(tmp_path, "flood", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1")
    end = run(flood)
    assert len(end.output) <= 4096
    assert end.sentence("x") == "its x hook ended with code 1: the end"


def test_a_flood_without_end_meets_the_limit(tmp_path: Path) -> None:
    end = run(script(tmp_path, "flood", "exec yes"), limit_s=0.5)
    assert end.why == "was not done within 0.5 s"
    assert len(end.output) <= 4096


def test_one_that_is_stopped_does_not_go_on(tmp_path: Path) -> None:
    stop = Stop()
    stop.say()
    path = script(tmp_path, "hook", f"sleep 1000; touch {tmp_path}/done")
    assert run_hook((str(path),), purpose(), 3600, stop).why == "was stopped"
