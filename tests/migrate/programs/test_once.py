"""At most once: whoever dies, whenever, the program runs no second time under the same key."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.programs.once import Once
from planner.errors import StepFailed
from planner.names import content_id
from planner.own_code import child_environment

OP = "project-1-1/hook/0/do1"
PYTHON = sys.executable


@pytest.fixture
def once(tmp_path: Path) -> Once:
    return Once(tmp_path, tmp_path / "hooks")


def counting(tmp_path: Path, then: str = "") -> list[str]:
    """Return a program that leaves a mark each time it runs."""
    code = f"import os, time\nopen('ran', 'a').write('x')\n{then}\nprint('ran')"
    return [PYTHON, "-I", "-S", "-c", code]


def times(tmp_path: Path) -> int:
    ran = tmp_path / "ran"
    return len(ran.read_text()) if ran.exists() else 0


def test_its_end_is_known_afterwards_and_it_does_not_run_again(once: Once, tmp_path: Path) -> None:
    assert once.look(OP, 1) is None
    ended = once.run(OP, counting(tmp_path), {"A": "b"}, 20)
    assert (ended.ok, ended.output) == (True, "ran\n")
    assert once.look(OP, 1) == ended
    assert once.run(OP, counting(tmp_path), {}, 20) == ended
    assert times(tmp_path) == 1
    again = once.run(OP.replace("do1", "do2"), counting(tmp_path), {}, 20)
    assert again.ok
    assert times(tmp_path) == 2


def test_a_bad_end_is_known_too(once: Once, tmp_path: Path) -> None:
    once.run(OP, counting(tmp_path, "raise SystemExit(7)"), {}, 20)
    ended = once.look(OP, 1)
    assert ended is not None
    assert (ended.ok, ended.code) == (False, 7)


def test_what_lies_there_is_readable_for_nobody_else_and_says_no_secret(once: Once, tmp_path: Path) -> None:
    once.run(OP, counting(tmp_path), {"TOKEN": "hunter2"}, 20)
    files = list((tmp_path / "hooks").iterdir())
    assert {path.suffix for path in files} == {".begun", ".started", ".ended"}
    for path in files:
        assert path.stat().st_mode & 0o007 == 0
        assert b"hunter2" not in path.read_bytes()


DRIVER = """
import sys
from pathlib import Path
from migrate.programs.once import Once
here = Path(sys.argv[1])
Once(here, here / "hooks").run(sys.argv[2], sys.argv[3:], {}, 30)
"""


def driver(tmp_path: Path, argv: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PYTHON, "-c", DRIVER, str(tmp_path), OP, *argv], env=child_environment(), cwd=Path.cwd()
    )


def test_it_outlives_the_run_that_started_it_and_its_end_is_found(once: Once, tmp_path: Path) -> None:
    go, came = tmp_path / "go", tmp_path / "came"
    os.mkfifo(go)
    os.mkfifo(came)
    child = driver(tmp_path, counting(tmp_path, "open('came', 'w').close(); open('go').read()"))
    came.open().read()  # it runs
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            go.open("w").close()  # let it end, now that somebody waits for it
        os.sched_yield()

    ended = once.look(OP, 30, sleep)
    assert waited  # it was still at work
    assert ended is not None
    assert ended.ok
    assert times(tmp_path) == 1


def test_when_all_died_with_it_nobody_knows_and_a_person_decides(once: Once, tmp_path: Path) -> None:
    came = tmp_path / "came"
    os.mkfifo(came)
    child = driver(
        tmp_path, counting(tmp_path, "open('came', 'w').write(str(os.getppid())); time.sleep(600)")
    )
    keeper = int(came.read_text())
    program = next(int(pid) for pid in Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split())
    for number in (child.pid, keeper, program):
        os.kill(number, signal.SIGKILL)
    child.wait()
    with pytest.raises(StepFailed, match="nobody knows how it ended") as caught:
        once.look(OP, 5)
    assert caught.value.hint.startswith("look whether it did its work")
    with pytest.raises(StepFailed, match="nobody knows"):
        once.run(OP, counting(tmp_path), {}, 5)
    assert times(tmp_path) == 1


@pytest.mark.parametrize("marks", [(), ("begun",)])
def test_before_it_is_started_it_certainly_did_not_run(
    marks: tuple[str, ...], once: Once, tmp_path: Path
) -> None:
    (tmp_path / "hooks").mkdir()
    for word in marks:
        (tmp_path / "hooks" / f"{content_id(OP)}.{word}").write_bytes(b"")
    assert once.look(OP, 1) is None
    assert once.run(OP, counting(tmp_path), {}, 20).ok
    assert times(tmp_path) == 1


def test_the_program_is_started_only_when_its_mark_is_on_the_disk(once: Once, tmp_path: Path) -> None:
    """The program itself looks: its started mark is there, its ended mark is not."""
    code = (
        "import os, json; print(json.dumps(sorted(name.rpartition('.')[2] for name in os.listdir('hooks'))))"
    )
    ended = once.run(OP, [PYTHON, "-I", "-S", "-c", code], {}, 20)
    assert json.loads(ended.output) == ["begun", "started"]
