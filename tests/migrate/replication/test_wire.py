"""Frames: what opens, and the tens of thousands that must not."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter

import pytest
import zstandard

from migrate.replication import wire
from migrate.replication.channel import Buffer, ChannelClosed
from migrate.replication.comparing import STRETCH, Level
from migrate.replication.link import Link
from migrate.replication.messages import HashReport, Hello, Welcome
from migrate.replication.trees import NODE
from migrate.replication.wire import Kind, WireError
from planner.units import MIB
from tests.migrate.replication.model import PipeChannel, pipe

KEY = b"k" * 32


class Tape:
    """A channel that plays recorded bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def recv_into(self, buffer: memoryview) -> None:
        if self.at + len(buffer) > len(self.data):
            raise ChannelClosed("the peer closed the connection")
        buffer[:] = self.data[self.at : self.at + len(buffer)]
        self.at += len(buffer)

    def send(self, parts: object) -> None: ...
    def close(self) -> None: ...


def frames(key: bytes = KEY, stream: int = 0, grain_key: bytes = b"", *, every: bool = False) -> list[bytes]:
    """Return good frames that follow each other; with ``every`` those of dedupe, trees and the rest too."""
    rng = random.Random(7)
    link = Link(Tape(b""), stream)
    link.use_keys(sending=key, receiving=key)
    raw, noise = b"abc" * 3000, rng.randbytes(2000)
    packed = zstandard.ZstdCompressor(level=1).compress(raw)

    def digest(body: bytes, travels: bytes | None = None) -> bytes:
        return wire.body_digest(
            wire.grain_digests(memoryview(body), grain_key) if grain_key else body, travels
        )

    made = [
        link.pack(Kind.DATA, offset=0, body=noise, digest=digest(noise)),
        link.pack(Kind.ZERO, offset=4096, length=10**9),
        link.pack(Kind.DATA, offset=65536, length=9000, body=packed, flags=wire.FLAG_ZSTD,
                  digest=digest(raw, packed)),
        link.pack(Kind.KEEP, offset=9, length=77),
        link.pack(Kind.ACK, body=b'{"number":1}'),
        link.pack(Kind.COMMIT),
    ]  # fmt: skip
    if every:
        made += [
            link.pack(Kind.OFFER, offset=131072, body=rng.randbytes(wire.OFFER_GRAINS * wire.DIGEST_BYTES)),
            link.pack(Kind.WANT, offset=131072, body=rng.randbytes(wire.OFFER_GRAINS // 8)),
            link.pack(Kind.HELD, offset=131072, length=5 * 65536),
            link.pack(Kind.ASK_DIGESTS, offset=NODE, length=STRETCH, flags=Level.NODES),
            link.pack(Kind.ASK_DIGESTS, offset=NODE, length=NODE, flags=Level.GRAINS),
            link.pack(Kind.ASK_DIGESTS, offset=4 * NODE, length=0, flags=Level.TAIL),
            link.pack(Kind.DIGESTS, offset=NODE, body=rng.randbytes(16 * 32), flags=Level.NODES),
            link.pack(Kind.DIGESTS, offset=NODE, body=rng.randbytes(256 * 32), flags=Level.GRAINS),
            link.pack(Kind.DIGESTS, offset=NODE, body=rng.randbytes(256 * 16)),
            link.pack(Kind.HASH, body=HashReport(done_bytes=4 * NODE, digest="ab" * 32).dump()),
        ]
        made += [link.pack(kind, body=b"{}" if wire._BODY_MAX[kind] else b"") for kind in _others(made)]
    return [b"".join(bytes(part) for part in parts) for parts in made]


def _others(made: list[list[Buffer]]) -> list[Kind]:
    """Return the kinds that are not among frames, so that one that is new is tried too. None is ERROR."""
    known = {wire.parse_header(parts[0]).kind for parts in made}
    return [kind for kind in Kind if kind not in known and kind is not Kind.ERROR]


def play(data: bytes, reader: Link | None = None, key: bytes = KEY, stream: int = 0) -> list[object]:
    link = reader or Link(Tape(data), stream)
    link._channel = Tape(data)
    link.use_keys(sending=key, receiving=key)
    got: list[object] = []
    try:
        while True:
            frame = link.receive()
            got.append((frame.kind, frame.offset, frame.length, bytes(frame.body)))
    except ChannelClosed:
        return got


def test_frames_arrive_as_sent() -> None:
    got = play(b"".join(frames()))
    assert [item[0] for item in got] == [  # type: ignore[index]
        Kind.DATA, Kind.ZERO, Kind.DATA, Kind.KEEP, Kind.ACK, Kind.COMMIT,
    ]  # fmt: skip
    assert got[2] == (Kind.DATA, 65536, 9000, b"abc" * 3000)


def fuzz(count: int, grain_key: bytes) -> tuple[list[object], int]:
    """Return which of ``count`` changed frames opened, and the most memory that was taken."""
    seed = random.SystemRandom().randrange(2**32)
    print("SEED", seed)
    rng = random.Random(seed)
    originals = frames(grain_key=grain_key, every=True)
    kinds = [wire.parse_header(frame).kind for frame in originals]
    assert {*kinds, Kind.ERROR} == set(Kind)
    of_kind: Counter[str] = Counter()
    link = Link(Tape(b""))
    link.grain_key = grain_key
    accepted: list[object] = []
    tried = 0
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    while tried < count:
        index = rng.randrange(len(originals))
        data = bytearray(originals[index])
        how = rng.random()
        if how < 0.1:  # whole frames out of place: replayed, from the future, of another conversation
            index = rng.randrange(len(originals))
        for _ in range(rng.choice((1, 1, 1, 2, 8)) if how >= 0.05 else 0):
            at = rng.randrange(min(len(data), 64) if rng.random() < 0.7 else len(data))
            data[at] ^= 1 << rng.randrange(8)
        if rng.random() < 0.1:
            data += rng.randbytes(8)
        if bytes(data[: len(originals[index])]) == originals[index]:
            continue
        tried += 1
        of_kind[kinds[index].name] += 1
        link._received = index
        try:
            accepted += play(bytes(data), link)
        except WireError:
            continue
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    print(f"{tried} changed frames, {len(accepted)} accepted, {peak // 1024} KiB at most")
    print(", ".join(f"{kind} {number:,}" for kind, number in sorted(of_kind.items())))
    return accepted, peak


@pytest.mark.parametrize("grain_key", [b"", b"g" * 32], ids=["plain", "grains"])
@pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_fuzzed_frames_are_never_accepted(count: int, grain_key: bytes) -> None:
    accepted, peak = fuzz(count, grain_key)
    assert accepted == []
    assert peak < 3 * MIB


def test_negative_control_a_link_that_checks_no_digest_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "verify", lambda *_frame: None)
    assert len(fuzz(2_000, b"")[0]) > 50


def test_random_bytes_are_refused() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        header = bytearray(rng.randbytes(wire.HEADER_BYTES))
        if rng.random() < 0.8:
            header[:6] = wire.MAGIC + bytes([wire.VERSION, rng.randrange(1, 17)])
        try:
            assert play(bytes(header) + rng.randbytes(100)) == []
        except WireError:
            continue


@pytest.mark.parametrize("case", ["replay", "swap", "drop", "stream", "conversation"])
def test_frames_out_of_place_are_refused(case: str) -> None:
    made = frames()
    stream, key = 0, KEY
    if case == "replay":
        made.insert(1, made[0])
    elif case == "swap":
        made[0], made[1] = made[1], made[0]
    elif case == "drop":
        del made[1]
    elif case == "stream":
        made[1] = frames(stream=1)[1]
    elif case == "conversation":
        made[1] = frames(key=b"o" * 32)[1]
    with pytest.raises(WireError):
        play(b"".join(made), key=key, stream=stream)


class Unnumbered(Tape):
    """A channel whose reader takes every number for the next one."""

    link: Link

    def recv_into(self, buffer: memoryview) -> None:
        super().recv_into(buffer)
        if len(buffer) == wire.HEADER_BYTES:
            self.link._received = wire.parse_header(buffer).sequence


def test_negative_control_a_link_that_counts_nothing_takes_a_replay() -> None:
    made = frames()
    tape = Unnumbered(b"".join([*made[:2], made[0], made[3]]))
    tape.link = Link(tape)
    tape.link.use_keys(sending=KEY, receiving=KEY)
    assert [tape.link.receive().kind for _ in range(4)] == [Kind.DATA, Kind.ZERO, Kind.DATA, Kind.KEEP]


def header(kind: Kind = Kind.DATA, *, length: int, wire_length: int, flags: int = 0) -> bytes:
    return wire.seal(
        KEY, kind, stream=0, sequence=0, offset=0, length=length, wire_length=wire_length, flags=flags
    )


@pytest.mark.parametrize(
    ("kind", "length", "wire_length", "flags"),
    [
        (Kind.DATA, MIB + 1, MIB + 1, 0),
        (Kind.DATA, 100, 2**32 - 1, 0),
        (Kind.DATA, 100, 99, 0),
        (Kind.DATA, 100, 100, wire.FLAG_ZSTD),
        (Kind.DATA, 0, 0, 0),
        (Kind.ZERO, 100, 1, 0),
        (Kind.HELLO, MIB, MIB, 0),
        (Kind.WELCOME, 2 * MIB, 2 * MIB, 0),
        (Kind.ACK, 10, 11, 0),
        (Kind.ACK, 20, 10, wire.FLAG_ZSTD),
        (Kind.ZERO, 2**63, 0, 0),
    ],
)
def test_caps_are_checked_on_the_header(kind: Kind, length: int, wire_length: int, flags: int) -> None:
    with pytest.raises(WireError):
        wire.parse_header(header(kind, length=length, wire_length=wire_length, flags=flags))


def bomb(kind: str) -> bytes:
    maker = zstandard.ZstdCompressor(level=19)
    if kind == "big":
        return maker.compress(bytes(256 * MIB))
    if kind == "no size":
        return zstandard.ZstdCompressor(write_content_size=False).compress(bytes(256 * MIB))
    if kind == "window":
        shape = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
        packer = zstandard.ZstdCompressor(compression_params=shape).compressobj()
        return packer.compress(bytes(64)) + packer.flush()
    if kind == "trailing":
        return maker.compress(bytes(5000)) + maker.compress(bytes(5000))
    if kind == "skippable":
        return b"\x50\x2a\x4d\x18" + (16).to_bytes(4, "little") + bytes(16)
    return b"\x28\xb5\x2f\xfd" + bytes(30)


@pytest.mark.parametrize("kind", ["big", "no size", "window", "trailing", "skippable", "rubbish"])
def test_zstd_bombs_are_refused_without_allocating(kind: str) -> None:
    body = bomb(kind)[: MIB // 2]
    announced = 5000 if kind == "trailing" else MIB
    head = wire.parse_header(header(length=announced, wire_length=len(body), flags=wire.FLAG_ZSTD))
    with pytest.raises(WireError, match="compressed block"):
        wire.unpack_body(head, memoryview(body))


def test_malformed_control_messages_are_refused() -> None:
    for body in (b"", b"{}", b"[1]", b"\xff", b'{"purpose":"pass"', b'{"nonce":"0"}'):
        with pytest.raises(WireError, match="malformed"):
            Hello.load(body)
    with pytest.raises(WireError, match="malformed"):
        Welcome.load(b'{"nonce":"' + b"0" * 32 + b'","held":[[-1,5]]}')


def test_a_conversation_key_depends_on_every_word() -> None:
    assert wire.derive_key("sender", b"a", b"b") != wire.derive_key("sender", b"ab", b"")
    assert wire.derive_key("sender", b"a", b"b") != wire.derive_key("receiver", b"a", b"b")


def test_a_peer_that_says_nothing_or_half_is_a_closed_channel() -> None:
    near, far = pipe()
    far.close()
    with pytest.raises(ChannelClosed):
        Link(near).receive()
    assert isinstance(near, PipeChannel)
