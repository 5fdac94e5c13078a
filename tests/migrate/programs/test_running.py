"""One program: its own environment, its limit, its words, and nothing of it left after the limit."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from migrate.programs.running import KEPT_BYTES, Ended, run

PYTHON = sys.executable


def python(code: str, tmp_path: Path, limit_s: float = 20.0, **environment: str) -> Ended:
    return run([PYTHON, "-I", "-S", "-c", code], environment=environment, directory=tmp_path, limit_s=limit_s)


def test_it_gets_its_own_environment_directory_and_no_input(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(sorted(set(os.environ) - {'LC_CTYPE'}), os.getcwd(), repr(sys.stdin.read()))"
    )
    ended = python(code, tmp_path, WORD="[red]\u202e")
    assert ended.ok
    assert ended.output == f"['WORD'] {tmp_path} ''\n"
    assert "PATH" in os.environ


def test_nothing_of_an_argument_is_read_by_a_shell(tmp_path: Path) -> None:
    hostile = "$(touch x); `id` && * \u202e[bold]"
    code = "import sys; print(ascii(sys.argv[1]))"
    argv = [PYTHON, "-I", "-S", "-c", code, hostile]
    ended = run(argv, environment={"LC_ALL": "C.UTF-8"}, directory=tmp_path, limit_s=20)
    assert ended.output == ascii(hostile) + "\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "why", "number"),
    [
        ("raise SystemExit(3)", "ended with code 3", 3),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9", None),
    ],
)
def test_how_it_ended_is_told(code: str, why: str, number: int | None, tmp_path: Path) -> None:
    ended = python(code, tmp_path)
    assert (ended.ok, ended.why, ended.code) == (False, why, number)


def test_one_that_is_not_there_could_not_be_started(tmp_path: Path) -> None:
    ended = run([str(tmp_path / "none")], environment={}, directory=tmp_path, limit_s=5)
    assert (ended.ok, ended.code) == (False, None)
    assert "No such file" in ended.why


def test_the_end_of_what_it_spills_is_kept_and_the_rest_counted(tmp_path: Path) -> None:
    code = "import sys\nfor number in range(40000): sys.stdout.write(f'line {number}\\n')\nprint('the end')"
    ended = python(code, tmp_path)
    assert ended.ok
    assert len(ended.output.encode()) == KEPT_BYTES
    assert ended.last_line == "the end"
    whole = sum(len(f"line {number}\n") for number in range(40000)) + len("the end\n")
    assert ended.dropped_bytes == whole - KEPT_BYTES


def test_one_that_hangs_is_killed_with_all_its_group_even_if_it_will_not_hear(tmp_path: Path) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "if child: print(os.getpid(), child, flush=True)\n"
        "time.sleep(600)\n"
    )
    ended = python(code, tmp_path, limit_s=1.0)
    assert ended.why == "was not done within 1 s and was killed"
    for number in map(int, ended.output.split()):
        assert gone(number), number


def gone(number: int) -> bool:
    """Return whether a process is dead; one that nobody reaps counts."""
    for _ in range(100):
        try:
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_one_that_never_stops_talking_is_cut_off(tmp_path: Path) -> None:
    ended = python("while True: print('x' * 1000)", tmp_path, limit_s=0.5)
    assert "was killed" in ended.why
    assert len(ended.output) == KEPT_BYTES
    assert ended.dropped_bytes > 0


def test_a_daemon_left_behind_holds_nobody_up(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    time.sleep(5)\n"
        "    os._exit(0)\n"
        "print('done', flush=True)\n"
    )
    ended = python(code, tmp_path, limit_s=30.0)
    assert ended.ok
    assert ended.output == "done\n"
    assert ended.seconds < 5
