"""A password typed into a dialog is found nowhere: on no screen, in no file, in no words of a child."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui import estate
from tests.tui.stage import opened, text, until
from tui.actions.places import PLACES
from tui.app import WherryApp

SECRET = "hunter2-Zq"


def children(of: int) -> Iterator[int]:
    """Yield the processes that a process has started, and theirs."""
    for task in Path(f"/proc/{of}/task").iterdir():
        for child in map(int, (task / "children").read_text("ascii").split()):
            yield child
            yield from children(child)


def words_of(process: int) -> bytes:
    """Return the command line of a process and its environment."""
    folder = Path(f"/proc/{process}")
    return (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()


def holding(folder: Path) -> list[str]:
    """Return the files under a folder that hold the secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if SECRET.encode() in path.read_bytes()]


async def told(pilot: Pilot[None]) -> list[str]:
    """Fill the dialog; return what it then shows, and what can be copied of it."""
    await pilot.press("i")
    await until(lambda: "What to import" in text(pilot))
    await pilot.press(*"live", "enter")
    await until(lambda: "Import a live vCenter" in text(pilot))
    pilot.app.screen.query_one("#ask-password", Input).focus()
    await pilot.press(*SECRET, "ctrl+a", "home", "shift+end", "ctrl+c")
    await pilot.pause()
    assert pilot.app.screen.query_one("#ask-password", Input).value == SECRET
    return [text(pilot), pilot.app.clipboard]


async def test_a_password_is_on_no_screen_in_no_file_and_in_no_command_line(tmp_path: Path) -> None:
    root, likes = estate.build(tmp_path / "p"), tmp_path / "likes" / "ui.json"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # whoever logs in waits for an answer
        async with opened(root, likes_file=likes) as pilot:
            app = cast(WherryApp, pilot.app)
            seen = await told(pilot)
            values = {"url": f"127.0.0.1:{silent.getsockname()[1]}", "user": "reader@vsphere.local"}
            for name, value in values.items():
                app.screen.query_one(f"#ask-{name}", Input).value = value
            await pilot.press("ctrl+s")
            await until(lambda: app.job is not None and app.job.state.running)
            silent.settimeout(60)
            silent.accept()[0].close()  # the password has come to the one who logs in
            started = [words_of(child) for child in children(os.getpid())]
            assert any(b"discover" in words for words in started)
            assert not any(SECRET.encode() in words for words in started)
            assert app.job is not None
            app.job.close()
            await until(lambda: not app.is_working)
            seen.append(text(pilot))
            for _ in range(4):
                await pilot.press("escape")
                await pilot.pause()
                seen.append(text(pilot))
            for place in PLACES:
                await app.action_go(place.id)
                await pilot.pause()
                seen.append(text(pilot))
            assert SECRET not in repr(app.remembered)
        assert len([shown for shown in seen if "Import a live vCenter" in shown]) >= 1
        assert not any(SECRET in shown for shown in seen)
        assert holding(tmp_path) == []


def test_a_secret_in_a_file_would_be_found(tmp_path: Path) -> None:
    """Negative control."""
    (tmp_path / "ui.log").write_text(f"password={SECRET}", "utf-8")
    assert holding(tmp_path) == ["ui.log"]
