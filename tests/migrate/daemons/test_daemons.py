"""Sockets in deep private directories, one server each, started and stopped as processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from migrate.daemons.lock import ServerLock, is_running
from migrate.daemons.sockets import connect, listen, private_directory
from migrate.daemons.spawn import start, stop, stop_server
from planner.errors import BadInput, ProjectBusy, Unreachable


def ask(directory: Path) -> bool:
    with connect(directory, "echo.sock", 2.0) as peer:
        peer.sendall(b"ping")
        return peer.recv(100) == b"ping"


def launch(directory: Path) -> int:
    return start(
        "tests.migrate.daemons.echo",
        [str(directory)],
        directory=directory,
        name="echo",
        answers=lambda: ask(directory),
        timeout_s=15,
    )


def test_sockets_work_far_below_the_address_limit(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(12):
        deep = deep / ("d" * 40)
    with listen(deep, "a.sock") as server, connect(deep, "a.sock", 1.0) as client:
        peer, _ = server.accept()
        with peer:
            client.sendall(b"x")
            assert peer.recv(1) == b"x"
    assert (deep.stat().st_mode & 0o777) == 0o700
    with pytest.raises(Unreachable):
        connect(deep, "a.sock", 1.0)
    with listen(deep, "a.sock"):  # a socket file left behind is replaced
        pass


def test_directories_that_others_can_enter_are_refused(tmp_path: Path) -> None:
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o755)
    with pytest.raises(BadInput, match="other users"):
        listen(open_one, "a.sock")
    with pytest.raises(BadInput, match="other users"):
        connect(open_one, "a.sock")
    private_directory(tmp_path / "mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(BadInput):
        private_directory(tmp_path / "link")
    with pytest.raises(BadInput, match="socket name"):
        listen(tmp_path / "mine", "../a.sock")
    with pytest.raises(Unreachable):
        connect(tmp_path / "none", "a.sock")


def test_one_server_per_directory(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert is_running(run, "x") is None
    with ServerLock(run, "x"):
        assert is_running(run, "x") == os.getpid()
        with pytest.raises(ProjectBusy):
            ServerLock(run, "x", patience_s=0.05)
        with ServerLock(run, "y"):
            pass
    assert is_running(run, "x") is None  # the file is still there and says our pid: not believed


def test_a_started_process_answers_and_stops(tmp_path: Path) -> None:
    run = tmp_path / "run"
    pid = launch(run)
    try:
        assert pid == is_running(run, "echo")
        assert os.getsid(pid) != os.getsid(0)
        assert launch(run) == pid  # it runs already
    finally:
        assert stop_server(run, "echo")
    assert is_running(run, "echo") is None
    assert stop(pid)
    assert stop_server(run, "echo")


def test_a_killed_server_is_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = launch(run)
    handle = os.pidfd_open(first)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    while is_running(run, "echo"):
        pass
    os.close(handle)
    second = launch(run)
    assert second != first
    assert stop_server(run, "echo")


def test_a_process_that_dies_at_once_says_why(tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    with pytest.raises(Unreachable, match="cannot serve today"):
        launch(tmp_path / "run")
