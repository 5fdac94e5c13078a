"""By what a connection sends: what its packets tell, and what the kernel then does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.replication.congestion import BBR, CLEAN_BYTES, Choice, Congestion, current
from planner.units import MIB


def test_a_line_that_loses_nothing_is_left_to_the_system() -> None:
    choice = Choice()
    assert not choice.saw(CLEAN_BYTES - 1, 0)
    assert choice.bbr
    assert choice.saw(CLEAN_BYTES, 0)
    assert not choice.bbr


def test_what_is_lost_at_the_beginning_begins_the_count_anew() -> None:
    choice = Choice()
    assert not choice.saw(MIB, 250)  # BBR looks for the end of the line
    assert not choice.saw(CLEAN_BYTES, 250)
    assert choice.saw(CLEAN_BYTES + MIB, 250)


def test_the_first_loss_brings_bbr_back() -> None:
    choice = Choice()
    choice.saw(CLEAN_BYTES, 0)
    assert not choice.saw(9 * CLEAN_BYTES, 0)
    assert choice.saw(9 * CLEAN_BYTES + MIB, 1)
    assert choice.bbr
    # it went well for long enough: as many bytes as before are asked for
    assert choice.saw(10 * CLEAN_BYTES + MIB, 1)


def test_where_it_does_not_last_it_is_tried_less_and_less() -> None:
    choice, lost, at = Choice(), 0, 0
    asked = []
    for _ in range(12):
        began = at
        while not choice.saw(at, lost):
            at += MIB
        asked.append((at - began) // CLEAN_BYTES)
        at, lost = at + MIB, lost + 1
        assert choice.saw(at, lost)
    assert asked == sorted(asked)
    assert (asked[0], asked[1], asked[-1]) == (1, 2, 4096 * MIB // CLEAN_BYTES)


@given(st.lists(st.tuples(st.integers(0, 4 * CLEAN_BYTES), st.integers(0, 3)), max_size=60))
def test_the_system_s_way_never_outlasts_a_loss(steps: list[tuple[int, int]]) -> None:
    choice, at, lost = Choice(), 0, 0
    for arrived, again in steps:
        at, lost, before = at + arrived, lost + again, choice.bbr
        changed = choice.saw(at, lost)
        assert changed == (choice.bbr is not before)
        assert choice.bbr or not again


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = socket.create_connection(listening.getsockname())
        far, _ = listening.accept()
    with near, far:
        yield near, far


def test_the_kernel_does_as_the_line_is_worth(sockets: tuple[socket.socket, socket.socket]) -> None:
    near, far = sockets
    usual, now = "reno", [0.0]  # every kernel has it, and lets everybody use it
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, usual.encode())
    congestion = Congestion(near, lambda: now[0])
    if current(near) != BBR:
        pytest.skip("not run: this kernel has no BBR, or not for everybody")
    taking = threading.Thread(target=_take_all, args=(far,))
    taking.start()
    _send(near, CLEAN_BYTES + MIB)
    congestion.follow(near)  # no second has gone by
    assert current(near) == BBR
    for _ in range(5):  # a busy machine may be so late with an answer that something is sent again
        now[0] += 1.5
        congestion.follow(near)
        if current(near) == usual:
            break
        _send(near, CLEAN_BYTES + MIB)
    assert current(near) == usual
    near.close()
    taking.join()
    now[0] += 1.5
    congestion.follow(near)  # nothing is raised


def _send(near: socket.socket, count: int) -> None:
    for _ in range(count // MIB):
        near.sendall(bytes(MIB))


def _take_all(far: socket.socket) -> None:
    buffer = bytearray(MIB)
    while far.recv_into(buffer):
        continue
