"""Peers with good keys and bad manners, against a real receiver: refused, and keeping nobody out.

After each of them an honest sender gets its disk across; the receiver's resident memory stays flat.
"""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import zstandard

from migrate.replication import wire
from migrate.replication.channel import ChannelClosed
from migrate.replication.link import Link
from migrate.replication.messages import Hello
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import greet, send_pass
from migrate.replication.wire import Kind
from planner.errors import ProjectBusy, SiteRefused, WherryError
from planner.units import MIB
from tests.faults.receiving import Site, rss_mib
from tests.migrate.replication.model import MemoryDisk

SIZE = 4 * MIB
ROOM_MIB = 96  # 48 conversations of a megabyte each, and what Python keeps of them
BLOCK = bytes(64 * 1024 - 1) + b"!"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"), SIZE)
    honest(made, "warm")
    yield made
    made.close()


def honest(site: Site, name: str) -> None:
    """Send other content as ``v``; everything arrives, whoever else is there."""
    site.renew()
    while (ran := site.send(name)).code == 5:  # those who were cut off are just leaving
        time.sleep(0.1)
    assert ran.code == 0, ran.text + site.log()
    assert site.is_equal()


def hello(volume: str = "w", **more: object) -> Hello:
    return Hello.model_validate(
        {"purpose": "pass", "volume": volume, "size_bytes": SIZE, "nonce": "0" * 32, "pass_id": "bad", **more}
    )


def refused(site: Site, act: Callable[[Link], None]) -> str:
    """Greet for ``w``, do something bad and return what the receiver says of it."""
    with closing(site.connect()) as channel:
        link, _welcome = greet(channel, hello())
        try:
            act(link)
            while True:
                link.receive()
        except WherryError as error:
            return error.message


def data(link: Link, body: bytes, length: int) -> None:
    digest = wire.body_digest(body)
    link.send_parts(link.pack(Kind.DATA, length=length, body=body, flags=wire.FLAG_ZSTD, digest=digest))


def bombs() -> dict[str, bytes]:
    """Return compressed bodies, none of which may be unpacked as the MiB it announces."""
    zeros = zstandard.ZstdCompressor(level=19).compress(bytes(256 * MIB))
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    ).compressobj()
    return {
        "long zeros": zeros,
        "nested": zstandard.ZstdCompressor(level=19).compress(zeros),
        "no size": zstandard.ZstdCompressor(write_content_size=False).compress(bytes(64 * MIB)),
        "window": wide.compress(bytes(64)) + wide.flush(),
        "two frames": zstandard.compress(bytes(MIB)) * 2,
        "less than it says": zstandard.compress(bytes(MIB - 1)),
    }


def test_frames_that_lie_are_refused_and_nothing_is_written(site: Site, rng: random.Random) -> None:
    before = site.rss_mib()
    made = 0
    for body in bombs().values():
        assert "compressed block" in refused(site, lambda link, body=body: data(link, body, MIB))  # type: ignore[misc]
        made += 1
    huge = wire.PREFIX.pack(wire.MAGIC, wire.VERSION, Kind.DATA, 0, 0, 1, 0, 2**61, 2**32 - 1) + bytes(16)
    said = refused(site, lambda link: link.send_parts([huge]))
    assert "announces" in said
    assert "HELLO where that makes no sense" in refused(
        site, lambda link: link.send(Kind.HELLO, hello().dump())
    )
    assert "outside the" in refused(site, lambda link: link.send(Kind.DATA, BLOCK, offset=SIZE - 1))
    assert "left out" in refused(site, lambda link: link.send(Kind.COMMIT))
    other = Link(Nowhere())
    other.use_keys(sending=b"o" * 32, receiving=b"o" * 32)

    def wrong(link: Link) -> None:
        """Send one good block as another: replayed, ahead of its turn, cross-stream, foreign, or changed."""
        frame = b"".join(bytes(part) for part in link.pack(Kind.DATA, body=BLOCK))
        how = rng.randrange(5)
        if how == 0:
            link.send_parts([frame, frame])
        elif how == 1:
            link.send_parts(link.pack(Kind.DATA, offset=65536, body=BLOCK))
        elif how == 2:
            link._stream = 1
            link._sent -= 1
            link.send(Kind.DATA, BLOCK)
        elif how == 3:
            link.send_parts(other.pack(Kind.DATA, body=BLOCK))
        else:
            changed = bytearray(frame)
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            link.send_parts([changed])

    for _ in range(30):
        assert refused(site, wrong)
        made += 1
    target = (site.root / "w.img").read_bytes()
    assert target.replace(BLOCK, bytes(len(BLOCK))) == bytes(SIZE)  # at most the one honest block of a replay
    assert target[65536:] == bytes(SIZE - 65536)
    honest(site, "after lies")
    print(f"{made} bad conversations, receiver from {before:.0f} to {site.rss_mib():.0f} MiB")
    assert site.rss_mib() - before < ROOM_MIB


class Nowhere:
    """A channel that nobody hears."""

    def send(self, parts: object) -> None: ...
    def recv_into(self, buffer: memoryview) -> None: ...
    def close(self) -> None: ...


def test_those_who_are_slow_or_many_keep_nobody_out(site: Site) -> None:
    before = site.rss_mib()
    address = ("127.0.0.1", site.line.to)
    with contextlib.ExitStack() as stack:
        for number in range(150):  # connect and say nothing, or the first bytes of a handshake
            sock = stack.enter_context(socket.create_connection(address, 10))
            if number % 2:
                sock.sendall(b"\x16\x03\x01\x02\x00")
        honest(site, "among the silent")
        half = Link(slow := stack.enter_context(closing(site.connect())))  # says half a HELLO
        slow.send([b"".join(bytes(part) for part in half.pack(Kind.HELLO, body=hello().dump()))[:40]])
        stalled = stack.enter_context(closing(site.connect()))
        link, _welcome = greet(stalled, hello(generation=5))
        stalled.send([b"".join(bytes(part) for part in link.pack(Kind.DATA, body=BLOCK))[:1000]])
        honest(site, "beside a stalled one")
        with closing(site.connect()) as later:  # a newer run takes the volume from whoever stalls
            disk = MemoryDisk(SIZE)
            assert send_pass(disk, later, PassSpec("w", "6", SIZE, 6), mode=Mode.SEED).complete
        with closing(site.connect()) as older, pytest.raises(SiteRefused, match="taken over by generation 6"):
            send_pass(disk, older, PassSpec("w", "5", SIZE, 5), mode=Mode.SEED)
        with pytest.raises(ChannelClosed):
            link.receive()
    for _ in range(40):  # HELLO after HELLO, for what is not there
        with closing(site.connect()) as channel, pytest.raises(WherryError, match="not served here"):
            greet(channel, hello("../../etc/passwd"))
    honest(site, "after all")
    print(f"receiver from {before:.0f} to {site.rss_mib():.0f} MiB")
    assert site.rss_mib() - before < ROOM_MIB


def test_as_many_at_work_as_it_takes_and_no_more(site: Site) -> None:
    before = site.rss_mib()
    with contextlib.ExitStack() as stack:
        links = []
        for _ in range(40):  # one holds the volume, the others wait for it and are told
            channel = stack.enter_context(closing(site.connect()))
            link = Link(channel)
            said = hello(generation=7).dump()
            link.use_keys(sending=wire.OPENING_KEY, receiving=wire.derive_key("welcome", said))
            link.send(Kind.HELLO, said)
            links.append(link)
        ends = []
        for link in links:
            try:
                ends.append(link.receive().kind.name)
            except ProjectBusy as error:
                ends.append("many" if "as many peers" in error.message else "held")
    assert ends.count("WELCOME") == 1
    assert ends.count("many") >= 20
    assert site.rss_mib() - before < ROOM_MIB
    honest(site, "after many")


def test_negative_control_memory_that_grows_is_seen() -> None:
    hoard = "import sys; held = bytearray(b'x') * (200 << 20); print(len(held), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hoard], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert rss_mib(child.pid) > ROOM_MIB
        child.communicate(b"")
