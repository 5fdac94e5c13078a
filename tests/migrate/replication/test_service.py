"""The receiver service over real sockets."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.replication import service
from migrate.replication.channel import ChannelClosed, SocketChannel, is_near
from migrate.replication.hashing import ask_hash, hash_disk
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.service import serve_forever
from planner.errors import NotFound, ProjectBusy, WherryError
from planner.units import MIB

SIZE = 3 * MIB + 512


@contextmanager
def serving(tmp_path: Path, idle_exit_s: float = 5.0) -> Iterator[threading.Thread]:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    halt = threading.Event()

    def open_disk(volume: str) -> FlatDisk:
        if volume != "v":
            raise NotFound("this volume does not exist here", "create it")
        return FlatDisk(tmp_path / "target.img", True)

    thread = threading.Thread(
        target=serve_forever,
        args=(listening, open_disk, tmp_path / "store", idle_exit_s),
        kwargs={"stop": halt.is_set, "connections": 3},
    )
    thread.start()
    try:
        yield thread
    finally:
        halt.set()
        thread.join(120)
        listening.close()


def connect(tmp_path: Path, timeout_s: float = 5.0) -> SocketChannel:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(tmp_path / "s"))
    return SocketChannel(sock, timeout_s)


@pytest.fixture
def source(tmp_path: Path) -> FlatDisk:
    (tmp_path / "source.img").write_bytes(bytes(MIB) + b"wherry!" * 200_000 + bytes(SIZE - MIB - 1_400_000))
    with (tmp_path / "target.img").open("wb") as target:
        target.truncate(SIZE)
    return FlatDisk(tmp_path / "source.img")


def test_seed_and_hash_over_sockets(tmp_path: Path, source: FlatDisk) -> None:
    with serving(tmp_path):
        channel = connect(tmp_path)
        result = send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)
        channel.close()
        assert result.complete
        assert result.wire_bytes < 100_000
        channel = connect(tmp_path)
        assert ask_hash(channel, "v", SIZE) == hash_disk(source)
        channel.close()
        assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "source.img").read_bytes() == (tmp_path / "target.img").read_bytes()
    assert (tmp_path / "target.img").stat().st_blocks * 512 < 2 * MIB  # holes stay holes


@pytest.mark.parametrize("processors", [1, 8])
def test_a_comparison_on_one_machine_begins_raw(
    tmp_path: Path, source: FlatDisk, monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(processors)))
    wires = {}
    with serving(tmp_path):
        for near in (False, True):
            (tmp_path / "target.img").write_bytes(b"old" * (SIZE // 3) + bytes(SIZE % 3))
            channel = connect(tmp_path)
            assert is_near(channel)
            spec = PassSpec("v", f"near {near}", SIZE)
            result = send_pass(source, channel, spec, mode=Mode.COMPARE, adapts=True, near=near)
            channel.close()
            wires[near] = result.wire_bytes
            assert (tmp_path / "source.img").read_bytes() == (tmp_path / "target.img").read_bytes()
    assert wires[False] < 100_000
    assert wires[True] > 1_400_000


def test_it_refuses_unknown_volumes_and_survives_rubbish(tmp_path: Path, source: FlatDisk) -> None:
    with serving(tmp_path):
        channel = connect(tmp_path)
        with pytest.raises(NotFound, match="does not exist here"):
            send_pass(source, channel, PassSpec("../../etc", "1", SIZE), mode=Mode.SEED)
        channel.close()
        rubbish = connect(tmp_path)
        rubbish.send([b"GET / HTTP/1.1\r\n" * 100])
        rubbish.close()
        channel = connect(tmp_path)
        assert send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED).complete
        channel.close()


def test_too_many_connections_are_turned_away(tmp_path: Path, source: FlatDisk) -> None:
    with serving(tmp_path):
        silent = [connect(tmp_path) for _ in range(3)]
        late = connect(tmp_path)
        with pytest.raises(ChannelClosed):
            send_pass(source, late, PassSpec("v", "1", SIZE), mode=Mode.SEED)
        for channel in [*silent, late]:
            channel.close()


def test_strangers_are_not_heard(tmp_path: Path, source: FlatDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "peer_uid", lambda _sock: 12345)
    with serving(tmp_path):
        channel = connect(tmp_path)
        with pytest.raises(ChannelClosed):
            send_pass(source, channel, PassSpec("v", "1", SIZE), mode=Mode.SEED)
        channel.close()


def test_a_silent_peer_times_out(tmp_path: Path) -> None:
    near, far = socket.socketpair()
    with pytest.raises(ChannelClosed, match="in time"):
        SocketChannel(near, 0.1).recv_into(memoryview(bytearray(1)))
    near.close()
    far.close()


def test_one_service_per_store_and_it_leaves_when_idle(tmp_path: Path) -> None:
    held = service.open_store(tmp_path / "store")
    with pytest.raises(ProjectBusy):
        serve_forever(socket.socket(), lambda _volume: None, tmp_path / "store", 1.0)  # type: ignore[arg-type,return-value]
    os.close(held)
    with serving(tmp_path, idle_exit_s=0.2) as thread:
        thread.join(120)
        assert not thread.is_alive()


def test_a_store_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    (tmp_path / "store").chmod(0o755)
    with pytest.raises(WherryError, match="entered by others"):
        serve_forever(socket.socket(), lambda _volume: None, tmp_path / "store", 1.0)  # type: ignore[arg-type,return-value]
