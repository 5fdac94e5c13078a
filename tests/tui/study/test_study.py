"""The study: a real child, asked, killed, stopped and left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.errors import BadInput, Blocked, NotFound, Paused, WherryError
from planner.store.project import Project
from tui.study.client import Study

# A child with ops of the tests beside those there are.
_CHILD = """
import os, sys, time
from types import ModuleType
from planner.errors import BadInput
from tui.study import child, registry

def slow(room, file):
    open(file, "w").write(str(os.getpid()))
    while True:
        time.sleep(0.05)

def count(room, to):
    for at in range(1, to + 1):
        time.sleep(0.06)
        room.report("counting", at, to)
    return to

def noisy(room):
    print("\\x1b[2Jto stdout")
    os.write(1, b"to file 1\\n")
    sys.stderr.write("to stderr\\n")
    return "done"

def broken(room):
    raise KeyError("a defect")

def refused(room, text):
    raise BadInput(text, "say it otherwise")

seen = []
def order(room, at):
    seen.append(at)
    return list(seen)

OPS = {"slow": slow, "count": count, "noisy": noisy, "broken": broken, "refused": refused,
       "echo": lambda room, what: what, "order": order,
       "pid": lambda room: os.getpid()}
real = registry.find
def find(op, looking=False):
    return OPS[op] if op in OPS else real(op, looking)
child.find = find
code = child.main(sys.argv[1:])
sys.stderr.flush()
os._exit(code)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Project.create(tmp_path / "move", "acme").close()
    return tmp_path / "move"


@pytest.fixture
def study(root: Path) -> Iterator[Study]:
    found = Study(root, command=(sys.executable, "-c", _CHILD, str(root)))
    yield found
    found.close()


def until(true: Any) -> None:
    for _ in range(2000):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to be")


def gone(pid: int) -> bool:
    """Nothing of that process is left; not even a zombie."""
    return not Path(f"/proc/{pid}").exists()


def test_values_go_over_the_way_as_they_are(study: Study) -> None:
    hostile = {"name": "\x1b[31m\u202e\udc80日本\n[red]", "none": None, "big": 2**60, "list": [1, 2.5, True]}
    assert study.ask("echo", what=hostile) == hostile
    assert study.starts == 1


def test_errors_keep_class_message_and_hint_and_the_study_lives_on(study: Study) -> None:
    with pytest.raises(BadInput) as caught:
        study.ask("refused", text="\x1b[31mno")
    assert (caught.value.message, caught.value.hint) == ("\x1b[31mno", "say it otherwise")
    with pytest.raises(WherryError, match="broken failed: KeyError"):
        study.ask("broken")
    with pytest.raises(NotFound, match=r"the study knows nothing of hand\.fly"):
        study.ask("hand.fly")
    with pytest.raises(NotFound):
        study.ask("os.path.join")
    with pytest.raises(BadInput, match="echo was asked in a wrong way"):
        study.ask("echo", nothing=1)
    assert study.ask("echo", what=1) == 1
    assert study.starts == 1
    assert "a defect" in (study.root / "logs" / "study.log").read_text()


def test_what_is_printed_goes_to_the_log_and_never_into_answers(
    study: Study, capfd: pytest.CaptureFixture[str]
) -> None:
    assert study.ask("noisy") == "done"
    study.close()
    log = study.root / "logs" / "study.log"
    assert "to file 1" in log.read_text()
    assert "to stderr" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    assert capfd.readouterr() == ("", "")


def test_progress_is_heard_before_the_answer(study: Study) -> None:
    heard: list[tuple[str, int, int]] = []
    assert study.ask("count", to=4, progress=lambda *said: heard.append(said)) == 4
    assert heard[-1] == ("counting", 4, 4)
    assert len(heard) > 1
    assert heard == sorted(heard)


def test_a_listener_that_fails_does_not_shift_the_answers(study: Study) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the screen has gone")

    with pytest.raises(RuntimeError):
        study.ask("count", to=3, progress=fails)
    assert study.ask("echo", what="mine") == "mine"
    assert study.starts == 1


def test_threads_are_answered_each_its_own_one_after_the_other(study: Study) -> None:
    study.ask("pid")
    answers: dict[int, Any] = {}

    def asks(at: int) -> None:
        answers[at] = study.ask("order", at=at)

    threads = [threading.Thread(target=asks, args=(at,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    seen = max(answers.values(), key=len)
    assert sorted(seen) == list(range(12))
    assert all(answers[at] == seen[: seen.index(at) + 1] for at in range(12))


def test_they_are_answered_in_the_order_in_which_they_asked(study: Study, tmp_path: Path) -> None:
    busy = threading.Thread(target=study.ask, args=("count",), kwargs={"to": 8})
    busy.start()
    until(lambda: len(study._turns._queue) == 1)
    threads = []
    for at in range(6):
        threads.append(threading.Thread(target=study.ask, args=("order",), kwargs={"at": at}))
        threads[-1].start()
        until(lambda at=at: len(study._turns._queue) >= at + 2)
    for thread in (busy, *threads):
        thread.join(120)
    assert study.ask("order", at=9) == [0, 1, 2, 3, 4, 5, 9]


def _asked(study: Study, caught: list[BaseException], file: Path) -> threading.Thread:
    def asks() -> None:
        try:
            study.ask("slow", file=str(file))
        except WherryError as error:
            caught.append(error)

    thread = threading.Thread(target=asks)
    thread.start()
    until(lambda: file.exists() and file.read_text())
    return thread


def test_a_study_killed_in_the_middle_is_said_and_the_next_ask_has_a_fresh_one(
    study: Study, tmp_path: Path
) -> None:
    caught: list[BaseException] = []
    thread = _asked(study, caught, tmp_path / "pid")
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    thread.join(120)
    assert str(caught[0]) == "the study was killed by signal 9 while it worked on slow"
    assert "edits that were not saved" in caught[0].hint  # type: ignore[attr-defined]
    assert gone(pid)
    assert study.ask("pid") != pid
    assert study.starts == 2


def test_a_study_killed_between_two_asks_is_replaced(study: Study) -> None:
    pid = study.ask("pid")
    os.kill(pid, signal.SIGKILL)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z")
    assert study.ask("pid") != pid
    assert gone(pid)
    assert study.starts == 2


def test_an_op_can_be_stopped_and_those_behind_it_are_answered(study: Study, tmp_path: Path) -> None:
    assert not study.stop()
    caught: list[BaseException] = []
    thread = _asked(study, caught, tmp_path / "pid")
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(study.ask("echo", what="behind")))
    waiting.start()
    assert study.stop()
    for one in (thread, waiting):
        one.join(120)
    assert isinstance(caught[0], Paused)
    assert answers == ["behind"]
    assert gone(int((tmp_path / "pid").read_text()))


def test_closing_ends_it_and_nothing_is_asked_after(study: Study) -> None:
    pid = study.ask("pid")
    study.close()
    assert gone(pid)
    with pytest.raises(WherryError, match="is closed"):
        study.ask("pid")


def test_it_does_not_outlive_an_application_that_was_killed(root: Path, tmp_path: Path) -> None:
    app = (
        "import sys, time\nfrom pathlib import Path\nfrom tui.study.client import Study\n"
        "study = Study(Path(sys.argv[1]), command=(sys.executable, '-c', sys.argv[2], sys.argv[1]))\n"
        "print(study.ask('pid'), flush=True)\ntime.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", app, str(root), _CHILD], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    def ended() -> bool:  # it is a child of init now, which may be slow to reap
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    until(ended)


def test_the_child_answers_what_is_no_question_with_nothing_and_goes_on(root: Path) -> None:
    lines = [b"{", b"[]", b'{"id": "x", "op": "y"}', b'{"id": 5, "op": "nothing.there"}']
    done = subprocess.run(
        [sys.executable, "-m", "tui.study.child", str(root)],
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        timeout=60,
        check=True,
    )
    begun, said = done.stdout.splitlines()
    assert json.loads(begun) == {"id": 5, "begun": True}
    assert json.loads(said)["error"]["class"] == "NotFound"
    assert done.stderr.count(b"not understood") == 3


def test_a_project_that_is_only_looked_at_is_not_changed(root: Path) -> None:
    study = Study(root, looking=True)
    try:
        with pytest.raises(Blocked, match="only looked at"):
            study.ask("hand.save")
        assert study.starts == 1
    finally:
        study.close()


def test_a_directory_that_is_no_project_is_said_as_everywhere(tmp_path: Path) -> None:
    study = Study(tmp_path)
    try:
        with pytest.raises(NotFound, match="is not a wherry project"):
            study.ask("hand.open")
    finally:
        study.close()
