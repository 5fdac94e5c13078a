"""A terminal of its own in tmux: keys are sent as a person types them, the screen is read back as text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

_PATIENCE_S = 40.0
_NOT_OURS = {"TMUX", "COLUMNS", "LINES"}
_SAYS_ITS_END = '"$@"; echo "ended with $?"; exec cat'


class Terminal:
    """One session of a tmux server that nobody else uses; its files lie in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rules = folder / "tmux.conf"
        self._rules.write_text("set -g status off\nset -g set-clipboard on\n", encoding="utf-8")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._folder / "tmux"), "-f", str(self._rules), *words],
            capture_output=True,
            text=True,
            timeout=20,
            env={name: value for name, value in os.environ.items() if name not in _NOT_OURS},
        )
        return done.stdout

    def open(self, size: tuple[int, int], directory: Path, *arguments: str) -> None:
        """Run one command line in a terminal of this size."""
        command = ["env", "-u", "NO_COLOR", sys.executable, "-m", "tui.cli.entry", *arguments]
        # tmux misses the end of a process now and then
        self._begin(size, directory, "sh", "-c", _SAYS_ITS_END, "sh", *command)

    def shell(self, size: tuple[int, int], directory: Path) -> None:
        """Run a shell that has jobs in a terminal of this size."""
        self._begin(size, directory, "env", "-u", "NO_COLOR", "PS1=ready> ", "bash", "--norc", "-i")
        self.sees("ready>")

    def clipboard(self) -> str:
        """Return what was copied last."""
        return self._tmux("show-buffer")

    def _begin(self, size: tuple[int, int], directory: Path, *command: str) -> None:
        width, height = map(str, size)
        said = {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "XDG_CONFIG_HOME": str(self._folder / "home"),
            "LANG": "C.UTF-8",
        }
        words = [word for name, value in said.items() for word in ("-e", f"{name}={value}")]
        self._tmux("new-session", "-d", "-x", width, "-y", height, "-c", str(directory), *words, *command)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self._tmux("capture-pane", "-p")

    def sees(self, *texts: str, without: str = "", times: int = 1) -> str:
        """Wait until all of this is on the screen, so many times; fails when it does not come in time."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            shown = self.screen()
            if all(shown.count(text) >= times for text in texts) and not (without and without in shown):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"{texts} did not come in time, the screen shows:\n{self.screen()}")

    def sees_line(self, *texts: str, patience_s: float = _PATIENCE_S) -> str:
        """Wait until one line of the screen has all of this, and return it."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            for shown in self.screen().splitlines():
                if all(text in shown for text in texts):
                    return shown
            time.sleep(0.05)
        raise AssertionError(f"no line with {texts} came in time, the screen shows:\n{self.screen()}")

    def press(self, *keys: str) -> None:
        """Press keys, in tmux's words, faster than fingers do: each goes where the one before it led.

        Behind ``Escape`` something has to be seen first: with the next key it would be one of Alt.
        """
        for key in keys:
            self._tmux("send-keys", key)

    def write(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", "--", text)

    def ends(self) -> str:
        """Wait until the command has ended well and return what is left on the screen."""
        return self.sees("ended with 0")

    def close(self) -> None:
        """End the server and what runs in it."""
        self._tmux("kill-server")


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Yield a terminal; skips where there is no tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("not run: tmux is not on this machine")
    folder = Path(mkdtemp(prefix="wherry-"))  # the path of a socket must be short
    opened = Terminal(folder)
    try:
        yield opened
    finally:
        opened.close()
        shutil.rmtree(folder)
