"""Several connections of one disk against a real receiver: bytes equal, cut or not; places of keys."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from migrate.replication.channel import Buffer, ChannelClosed
from migrate.replication.messages import Hello, Welcome
from migrate.replication.passes import Mode, PassResult, PassSpec, Progress
from migrate.replication.places import Places
from migrate.replication.sender import greet, send_pass
from migrate.replication.streams import Streams
from migrate.replication.throttle import Throttle
from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
from planner.errors import ProjectBusy, SiteRefused
from planner.units import KIB, MIB
from tests.migrate.replication.model import MemoryDisk
from tests.migrate.replication.served import ALL, FAR, Served, issuer, until

SIZE = 24 * MIB + 512


class Slow(MemoryDisk):
    """A source that gives connections time to join."""

    def read_into(self, buffer: memoryview, offset: int) -> None:
        time.sleep(0.003)
        super().read_into(buffer, offset)


class World:
    """A receiver at work, the keys to reach it, and every connection that was made."""

    def __init__(self, tmp_path: Path) -> None:
        keys = issuer(tmp_path)
        self.keys = TlsKeys(keys(ALL))
        self.served = Served(tmp_path, TlsKeys(keys(FAR)))
        self.served.target.write_bytes(b"old!" * (SIZE // 4))
        self.content = random.Random(7).randbytes(SIZE - 3 * MIB) + bytes(3 * MIB)
        self.channels: list[TlsChannel] = []

    def connect(self) -> TlsChannel:
        channel = connect_tls("127.0.0.1", self.served.port, self.keys, "dc2", 20.0)
        self.channels.append(channel)
        return channel

    def send(self, told: object = None, *, many: int = 4, pass_id: str = "1") -> PassResult:
        with closing(self.connect()) as first:
            return send_pass(
                Slow(self.content),
                first,
                PassSpec("v", pass_id, SIZE),
                mode=Mode.SEED,
                block_bytes=128 * KIB,
                level=0,
                streams=Streams(self.connect, lambda: many),
                progress=told,  # type: ignore[arg-type]
            )

    def arrived(self) -> bool:
        return self.served.target.read_bytes() == self.content


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = World(tmp_path)
    yield made
    made.served.stop()


def test_four_connections_carry_a_disk_and_are_written_down(world: World) -> None:
    most: list[int] = []
    sent = world.send(lambda told: most.append(told.streams))
    assert sent.complete
    assert sent.streams == max(most) == len(world.channels) == 4
    assert sent.wire_bytes >= SIZE - 3 * MIB
    assert world.arrived()
    log = world.served.store / "conversations.jsonl"
    until(lambda: log.read_text().count('"ended"') == 4)
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(one["purpose"] for one in said if one["what"] == "asked") == ["join"] * 3 + ["pass"]
    assert {one["outcome"] for one in said if one["what"] == "ended"} == {"done"}
    received = sorted(one["received_bytes"] for one in said if one["what"] == "ended")
    assert received[1] > MIB, "each but one, at most, carried its part"


def test_one_that_is_cut_is_made_good_by_the_others(world: World) -> None:
    cut: list[TlsChannel] = []

    def told(progress: Progress) -> None:
        if progress.streams == 4 and not cut and progress.done_bytes > 4 * MIB:
            cut.append(world.channels[2])
            cut[0].close()

    sent = world.send(told)
    assert cut
    assert sent.complete
    assert world.arrived()


def test_when_the_first_is_cut_all_stop_and_the_pass_resumes(world: World) -> None:
    def told(progress: Progress) -> None:
        if progress.streams == 4 and progress.done_bytes > 8 * MIB:
            world.channels[0].close()

    with pytest.raises(ChannelClosed):
        world.send(told)
    sent = world.send()
    assert sent.complete
    assert 0 < sent.resumed_bytes < SIZE
    assert world.arrived()


def test_nobody_joins_a_pass_that_is_over_or_another_ones(world: World) -> None:
    said = Hello(purpose="pass", volume="v", size_bytes=SIZE, nonce="0" * 32, pass_id="1")
    with closing(world.connect()) as first:
        _link, welcome = greet(first, said, joined=True)
        joining = said.model_copy(update={"purpose": "join", "ticket": welcome.ticket})
        for wrong in ({"ticket": "0" * 32}, {"pass_id": "2"}, {"generation": 1}, {"size_bytes": 512}):
            with closing(world.connect()) as late, pytest.raises(SiteRefused, match="no pass"):
                greet(late, joining.model_copy(update=wrong))
        with closing(world.connect()) as right:
            assert isinstance(greet(right, joining)[1], Welcome)
    until(lambda: _refuses(world, joining))


def _refuses(world: World, joining: Hello) -> bool:
    with closing(world.connect()) as late:
        try:
            greet(late, joining)
        except SiteRefused:
            return True
    return False


def test_a_peer_that_knows_no_tickets_gets_one_connection(world: World) -> None:
    said = Hello(purpose="pass", volume="v", size_bytes=SIZE, nonce="0" * 32, pass_id="1")
    assert b"ticket" not in said.dump()
    with closing(world.connect()) as first:
        _link, welcome = greet(first, said)
        assert not welcome.ticket
        assert b"ticket" not in welcome.dump()
    assert world.send(many=1, pass_id="2").streams == 1


def test_of_one_key_half_of_the_places_at_most() -> None:
    places = Places(4)
    first, _second = places.take("a"), places.take("a")
    with pytest.raises(ProjectBusy, match="these keys"):
        places.take("a")
    places.take("b")
    first()
    places.take("a")
    with pytest.raises(ProjectBusy, match="these keys"):
        places.take("a")
    places.take("b")
    with pytest.raises(ProjectBusy, match="as many peers as it takes"):
        places.take("c")


def test_one_key_leaves_places_for_another(tmp_path: Path) -> None:
    keys = issuer(tmp_path)
    ours, others = TlsKeys(keys(ALL)), TlsKeys(keys(ALL))
    served = Served(tmp_path, TlsKeys(keys(FAR)), peers=4)
    said = Hello(purpose="tree", volume="v", size_bytes=512, nonce="0" * 32)

    def asks(with_keys: TlsKeys) -> TlsChannel:
        channel = connect_tls("127.0.0.1", served.port, with_keys, "dc2", 10.0)
        threading.Thread(target=_hold, args=(channel, said), daemon=True).start()
        return channel

    log = served.store / "conversations.jsonl"
    held = [asks(ours), asks(ours)]
    until(lambda: log.exists() and log.read_text().count('"asked"') == 2)
    time.sleep(0.1)
    try:
        third = connect_tls("127.0.0.1", served.port, ours, "dc2", 10.0)
        with closing(third), pytest.raises(ProjectBusy, match="these keys"):
            greet(third, said)
        other = connect_tls("127.0.0.1", served.port, others, "dc2", 10.0)
        with closing(other), pytest.raises(ProjectBusy, match="another conversation"):
            greet(other, said)  # let in, and told that the volume is in use
    finally:
        for channel in held:
            channel.close()
        served.stop()


def _hold(channel: TlsChannel, said: Hello) -> None:
    try:
        greet(channel, said)
    except (ProjectBusy, ChannelClosed):
        return


class Sink:
    """A channel that takes everything."""

    def send(self, parts: Sequence[Buffer]) -> None: ...
    def recv_into(self, buffer: memoryview) -> None: ...
    def close(self) -> None: ...


def test_streams_of_a_disk_share_its_weight() -> None:
    throttle = Throttle()
    disk = [throttle.through(Sink(), "v") for _ in range(4)]
    throttle.through(Sink(), "w")
    weights = sorted((flow.name, flow.weight) for flow in throttle._flows)
    assert weights == [("v", 0.25)] * 4 + [("w", 1.0)]
    for channel in disk[1:]:
        channel.close()
    assert sorted((flow.name, flow.weight) for flow in throttle._flows) == [("v", 1.0), ("w", 1.0)]
