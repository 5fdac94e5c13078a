"""Asking a process over its control socket: answers, progress, refusals, and what ends when one side goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.daemons import sockets
from migrate.daemons.control import (
    REQUEST_MAX,
    SOCKET,
    Asks,
    Caller,
    ControlClient,
    ControlServer,
    HungUp,
    InProcess,
    Told,
    taken,
)
from planner.errors import BadInput, Blocked, NotFound, StepFailed, Unreachable
from tests.migrate.replication.served import until


class Shop:
    """Handlers, and what happened to them."""

    def __init__(self) -> None:
        self.held = 0
        self.released = threading.Event()

    def count(self, request: Told, caller: Caller) -> Told:
        for number in range(taken(request, "to", int)):
            caller.tell({"at": number})
        return {"counted": request["to"], "name": request.get("name", "")}

    def refuse(self, _request: Told, _caller: Caller) -> Told:
        raise Blocked("the shop is closed", "come back")

    def break_down(self, _request: Told, _caller: Caller) -> Told:
        raise ZeroDivisionError("a defect")

    def hold(self, _request: Told, caller: Caller) -> Told:
        self.held += 1
        try:
            caller.tell({"held": self.held})
            while not caller.is_gone(5):
                pass
        finally:
            self.held -= 1
            self.released.set()
        return {}

    def flood(self, _request: Told, _caller: Caller) -> Told:
        return {"much": "x" * (17 * 2**20)}

    def handlers(self) -> dict[str, object]:
        return {
            "count": self.count,
            "refuse": self.refuse,
            "break": self.break_down,
            "hold": self.hold,
            "flood": self.flood,
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir(mode=0o700)
    return tmp_path / "store"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def server(folder: Path, shop: Shop) -> Iterator[ControlServer]:
    made = ControlServer(folder, shop.handlers())  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.fixture(params=["socket", "in process"])
def asks(request: pytest.FixtureRequest, folder: Path, shop: Shop, server: ControlServer) -> Asks:
    if request.param == "socket":
        return ControlClient(folder)
    return InProcess(shop.handlers())  # type: ignore[arg-type]


def test_both_ways_answer_alike(asks: Asks, shop: Shop) -> None:
    told: list[Told] = []
    name = "\x1b[31m\u202e\udcff"
    answer = asks.ask("count", {"to": 3, "name": name}, told.append)
    assert answer == {"counted": 3, "name": name}
    assert [line["at"] for line in told] == [0, 1, 2]
    with pytest.raises(Blocked, match="the shop is closed") as refused:
        asks.ask("refuse", {})
    assert refused.value.hint == "come back"
    with pytest.raises(BadInput, match="does not say its to"):
        asks.ask("count", {"to": "3"})
    with asks.hold("hold", {}) as held:
        assert held.told == {"held": 1}
        assert not shop.released.is_set()
    assert shop.released.wait(20)
    with pytest.raises(Blocked), asks.hold("refuse", {}):
        pytest.fail("a refusal holds nothing")


def test_a_defect_of_one_request_is_told_and_ends_nothing_else(server: ControlServer, folder: Path) -> None:
    client = ControlClient(folder)
    with client.hold("hold", {}):
        with pytest.raises(StepFailed, match="the request failed there"):
            client.ask("break", {})
        with pytest.raises(StepFailed, match="the answer is too long"):
            client.ask("flood", {})
        with pytest.raises(NotFound, match="does not know sing"):
            client.ask("sing", {})
        assert client.ask("count", {"to": 0})["counted"] == 0


def test_the_end_of_the_server_ends_what_is_held(server: ControlServer, folder: Path, shop: Shop) -> None:
    client = ControlClient(folder)
    with client.hold("hold", {}) as held:
        server.close()
        assert shop.released.is_set()  # closing returns when nothing is held
        held.wait()  # the handler ended in good order, and said so
    assert not client.is_answered()
    with pytest.raises(Unreachable):
        client.ask("count", {"to": 0})


def test_who_speaks_nonsense_is_told_and_nothing_else_happens(server: ControlServer, folder: Path) -> None:
    for raw in (b"\n", b"[1]\n", b"{\n", b'{"verb": 1}\n', b"[" * 5000 + b"\n", b"x" * (REQUEST_MAX + 1)):
        with sockets.connect(folder, SOCKET) as sock:
            sock.sendall(raw)
            answer = json.loads(sock.makefile("rb").readline())
        assert answer["error"]["code"] == "bad-input", raw
    with sockets.connect(folder, SOCKET) as sock:
        sock.sendall(b'{"verb": "hold"')  # and goes
    with pytest.raises(BadInput, match="too long"):
        ControlClient(folder).ask("count", {"name": "x" * REQUEST_MAX})
    assert ControlClient(folder).ask("count", {"to": 1})["counted"] == 1


def test_who_does_not_listen_is_left(server: ControlServer, folder: Path, shop: Shop) -> None:
    with sockets.connect(folder, SOCKET) as sock:
        sock.sendall(b'{"verb": "hold"}\n')
        assert b"told" in sock.makefile("rb").readline()
    assert shop.released.wait(20)
    until(lambda: shop.held == 0)


def test_only_so_many_are_answered_at_once(server: ControlServer, folder: Path) -> None:
    client = ControlClient(folder)
    socks = [sockets.connect(folder, SOCKET) for _ in range(32)]
    try:
        until(lambda: len(server._peers) == 32)
        with pytest.raises(Unreachable):
            client.ask("count", {"to": 0})
    finally:
        for sock in socks:
            sock.close()
    until(lambda: not server._peers)
    assert client.ask("count", {"to": 0})["counted"] == 0


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(BadInput, match="can be entered by other users"):
        ControlServer(tmp_path, {})
    with pytest.raises(BadInput, match="can be entered by other users"):
        ControlClient(tmp_path).ask("count", {})


def test_a_caller_that_has_gone_is_an_error_of_its_own() -> None:
    assert HungUp("x").code == "hung-up"
