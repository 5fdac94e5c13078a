"""Interrupts that Python drops: what a signal raises in a callback is sent again, while it loads put off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SWALLOWED = """
import os, signal, time, weakref
from tui.cli import interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
{first}
class Thing: pass
def struck(gone):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0)
thing = Thing()
watched = weakref.ref(thing, struck)
try:
    del thing
    time.sleep({wait_s})
    print("went on")
except KeyboardInterrupt:
    print("heard")
"""


def ran(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )


def told(first: str, wait_s: float) -> tuple[str, str]:
    done = ran(SWALLOWED.format(first=first, wait_s=wait_s))
    return done.stdout.strip(), done.stderr


def test_an_interrupt_that_a_callback_swallows_is_sent_again() -> None:
    assert told("interrupts.hear_all()", 120.0) == ("heard", "")


def test_control_python_itself_drops_it() -> None:
    out, err = told("", 0.5)
    assert out == "went on"
    assert "Exception ignored in" in err


LOADED = """
import os, signal, sys, time
from tui.cli.interrupts import hear_all
hear_all()
try:
    import slow
    print("loaded")
    time.sleep(120)
except KeyboardInterrupt:
    print("heard")
print(sys.modules["slow"].whole)
"""


def test_a_module_is_loaded_whole_before_an_interrupt_is_heard(tmp_path: Path) -> None:
    slow = (
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(1000): pass\nwhole = True\n"
    )
    (tmp_path / "slow.py").write_text(slow, "utf-8")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = ran(LOADED, PYTHONPATH=path)
    assert (done.stdout.split(), done.stderr) == (["loaded", "heard", "True"], "")


def test_one_that_is_ignored_stays_ignored() -> None:
    code = (
        "import signal\n"
        "from tui.cli.interrupts import hear_all\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "hear_all()\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "print('went on')\n"
    )
    done = ran(code)
    assert done.stdout == "went on\n"


def test_what_else_a_callback_raises_is_told_as_ever() -> None:
    code = (
        "import weakref\n"
        "from tui.cli.interrupts import hear_all\n"
        "hear_all()\n"
        "class Thing: pass\n"
        "thing = Thing()\n"
        "watched = weakref.ref(thing, lambda gone: 1 / 0)\n"
        "del thing\n"
    )
    done = ran(code)
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("held", [True, False])
def test_one_that_is_held_back_comes_when_all_are_heard(held: bool) -> None:
    code = (
        "import signal, time\n"
        "from contextlib import nullcontext\n"
        "from tui.cli.interrupts import hear_all, held_back\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"with held_back() if {held} else nullcontext():\n"
        "    try:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "        print('later')\n"
        "        hear_all()\n"
        "        time.sleep(120)\n"
        "    except KeyboardInterrupt:\n"
        "        print('heard')\n"
    )
    done = ran(code)
    assert done.stdout.split() == (["later", "heard"] if held else ["heard"])
