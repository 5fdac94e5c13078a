"""Servers that lie, break off and babble: each ends in an error with a name, none in a hang or in memory.

A conversation with a good server is played back with changes. What comes out is either the bytes that
were really there or an error; a reply that was changed is never half believed.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.disks.nbd import numbers
from migrate.disks.nbd.address import Address
from migrate.disks.nbd.disk import NbdDisk, open_over
from migrate.disks.nbd.handshake import Export, ProtocolError, Refused
from migrate.disks.nbd.numbers import Can, Chunk, Command
from migrate.disks.nbd.replies import Request, read_reply

KIB = 1024
EXPORT = Export(1024 * KIB, Can.HAS_FLAGS | Can.FLUSH, True, {7: numbers.ALLOCATION})
CONTENT = bytes(range(1, 129)) * 32  # 4 KiB without a zero


def option(about: int, kind: int, body: bytes = b"") -> bytes:
    return numbers.OPTION_REPLY.pack(numbers.OPTION_REPLY_MAGIC, about, kind, len(body)) + body


def greeting() -> bytes:
    return numbers.GREETING.pack(numbers.MAGIC, numbers.HAVE_OPTION, 3)


GOOD = [
    greeting(),
    option(8, numbers.ACK),
    option(9, numbers.ACK),
    option(10, numbers.META_CONTEXT, struct.pack(">I", 7) + b"base:allocation"),
    option(10, numbers.ACK),
    option(7, numbers.INFO, struct.pack(">HQH", 0, 1024 * KIB, 5)),
    option(7, numbers.INFO, struct.pack(">HIII", 3, 1, 4096, 32 * 1024 * KIB)),
    option(7, numbers.ACK),
]


def chunk(kind: int, body: bytes = b"", flags: int = 0, cookie: int = 1, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return struct.pack(">IHHQI", numbers.CHUNK_MAGIC, flags, kind, cookie, size) + body


def data(offset: int, body: bytes, flags: int = 0) -> bytes:
    return chunk(Chunk.DATA, struct.pack(">Q", offset) + body, flags)


READ = [
    data(0, CONTENT[:1000]),
    chunk(Chunk.HOLE, struct.pack(">QI", 3000, 1096)),
    data(1000, CONTENT[1000:3000]),
    chunk(Chunk.NONE, flags=numbers.DONE),
]


def opened(said: bytes) -> NbdDisk:
    """Open an export of a server that says its part without listening and hangs up."""
    ours, theirs = socket.socketpair()

    def say() -> None:
        with theirs, contextlib.suppress(OSError):
            theirs.sendall(said)
            theirs.shutdown(socket.SHUT_WR)
            while theirs.recv(4096):
                pass

    speaker = threading.Thread(target=say, daemon=True)
    speaker.start()
    return open_over(ours, Address("x"), writable=False, timeout_s=5)


def replies(said: bytes, request: Request, export: Export = EXPORT) -> Request:
    """Feed what a server says to the reader until the request has ended."""
    left = memoryview(said)

    def receive(buffer: memoryview) -> None:
        nonlocal left
        if len(buffer) > len(left):
            raise OSError(errno.ECONNRESET, "the server hung up")
        buffer[:] = left[: len(buffer)]
        left = left[len(buffer) :]

    while read_reply(receive, export, {1: request}) is None:
        pass
    return request


def reading() -> tuple[bytearray, Request]:
    buffer = bytearray(b"\xa5" * 4096)
    return buffer, Request(Command.READ, 0, 4096, memoryview(buffer))


def test_a_good_conversation_is_understood() -> None:
    disk = opened(b"".join(GOOD))
    assert (disk.size_bytes, disk.knows_holes) == (1024 * KIB, True)
    disk.close()
    buffer, request = reading()
    replies(b"".join(READ), request)
    assert bytes(buffer) == CONTENT[:3000] + bytes(1096)


@pytest.mark.parametrize(
    ("at", "put", "said"),
    [
        (0, b"HTTP/1.1 400 Bad Request\r\n", "greeting"),
        (0, numbers.GREETING.pack(numbers.MAGIC, numbers.OLD_STYLE, 0), "old style"),
        (0, numbers.GREETING.pack(numbers.MAGIC, numbers.HAVE_OPTION, 0), "old style"),
        (1, option(9, numbers.ACK), "STRUCTURED_REPLY is none"),
        (1, numbers.OPTION_REPLY.pack(numbers.OPTION_REPLY_MAGIC, 8, 3, 0xFFFFFFFF), "4294967295 bytes"),
        (1, option(8, numbers.ACK, b"x"), "has a body"),
        (1, option(8, numbers.INFO), "more than a yes"),
        (2, option(9, numbers.META_CONTEXT, struct.pack(">I", 7) + b"qemu:x") * 1100, "does not end"),
        (3, option(10, numbers.META_CONTEXT, struct.pack(">I", 7) + b"base:other"), "nobody asked"),
        (3, option(10, numbers.META_CONTEXT, struct.pack(">I", 7) + b"\xff\xfe"), "no text"),
        (5, option(7, numbers.INFO, struct.pack(">HQH", 0, 1 << 63, 5)), "how large"),
        (5, option(7, numbers.INFO, struct.pack(">HQ", 0, 1)), "cut off"),
        (5, b"", "how large"),
        (6, option(7, numbers.INFO, struct.pack(">HIII", 3, 3, 4096, 65536)), "make no sense"),
        (6, option(7, numbers.INFO, struct.pack(">HIII", 3, 4096, 4096, 512)), "make no sense"),
        (6, option(7, numbers.INFO, struct.pack(">HIII", 3, 0, 0, 0)), "make no sense"),
    ],
)
def test_a_lie_in_the_handshake_is_named(at: int, put: bytes, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        opened(b"".join([*GOOD[:at], put, *GOOD[at + 1 :]]))


def test_a_refusal_gives_its_reason_harmlessly() -> None:
    refusal = option(7, numbers.ERROR_BIT | 6, "no \x1b[31m\u202ered".encode())
    with pytest.raises(Refused) as caught:
        opened(b"".join([*GOOD[:5], refusal]))
    assert "no such export" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([data(0, CONTENT, 1)[:-1]], "hung up"),
        ([data(0, CONTENT[:4000], 1)], "fewer bytes"),
        ([data(0, CONTENT), data(4000, b"x", 1)], "same bytes twice"),
        ([data(100, CONTENT[:100]), data(50, CONTENT[:100], 1)], "same bytes twice"),
        ([data(4000, CONTENT[:200], 1)], "not asked for"),
        ([data(1 << 63, b"x", 1)], "not asked for"),
        ([chunk(Chunk.DATA, b"", length=0xFFFFFFFF)], "4294967295 bytes"),
        ([chunk(Chunk.DATA, bytes(8))], "8 bytes"),
        ([chunk(Chunk.HOLE, struct.pack(">QI", 0, 0xFFFFFFFF), 1)], "not asked for"),
        ([chunk(Chunk.HOLE, struct.pack(">QI", 0, 0), 1)], "not asked for"),
        ([chunk(Chunk.HOLE, bytes(11))], "11 bytes"),
        ([chunk(Chunk.NONE)], "makes no sense"),
        ([chunk(9, flags=1)], "makes no sense"),
        ([chunk(Chunk.NONE, flags=1, cookie=2)], "not asked"),
        ([chunk(Chunk.STATUS, bytes(12))], "not asked for"),
        ([chunk(Chunk.ERROR, length=0xFFFFFFFF)], "an error has"),
        ([chunk(Chunk.ERROR, struct.pack(">IH", 5, 99), 1)], "cut off"),
        ([chunk(Chunk.ERROR, struct.pack(">IH", 0, 0), 1)], "or none"),
        ([struct.pack(">IIQ", numbers.SIMPLE_MAGIC, 0, 1) + CONTENT], "simply"),
        ([b"\0" * 64], "does not begin"),
        ([data(at, b"x") for at in range(4096)], "smaller than sectors"),
    ],
)
def test_a_lie_in_a_reply_is_named(said: list[bytes], why: str) -> None:
    with pytest.raises(OSError, match=why):
        replies(b"".join(said), reading()[1])


@pytest.mark.parametrize(
    ("context", "states", "why"),
    [
        (7, [(0, 0)], "no bytes"),
        (8, [(4096, 0)], "not agreed on"),
        (7, [(4096, 0), (512, 0)], "beyond"),
        (7, [], "cut off"),
    ],
)
def test_a_lie_in_a_map_is_named(context: int, states: list[tuple[int, int]], why: str) -> None:
    body = struct.pack(">I", context) + b"".join(struct.pack(">II", *state) for state in states)
    with pytest.raises(ProtocolError, match=why):
        replies(chunk(Chunk.STATUS, body, 1), Request(Command.BLOCK_STATUS, 0, 4096))


def test_an_error_reply_is_the_requests_and_has_its_name() -> None:
    words = b"disk \x1b[2J full"
    _, request = reading()
    replies(chunk(Chunk.ERROR, struct.pack(">IH", 28, len(words)) + words, 1), request)
    assert request.error is not None
    assert request.error.errno == errno.ENOSPC
    assert "\x1b" not in str(request.error)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_handshake_that_was_changed_is_refused_or_understood(draw: st.DataObject) -> None:
    said = bytearray(b"".join(GOOD))
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(said) - 1))
        said[at : at + draw.draw(st.integers(0, 4))] = draw.draw(st.binary(max_size=4))
    try:
        disk = opened(bytes(said))
    except OSError:
        return
    assert 0 <= disk.size_bytes < 1 << 63
    disk.close()


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_replies_in_any_order_and_shape_are_whole_or_refused(draw: st.DataObject) -> None:
    parts = draw.draw(st.permutations(READ))[: draw.draw(st.integers(1, 4))]
    said = bytearray(b"".join(parts))
    if draw.draw(st.booleans()):
        at = draw.draw(st.integers(0, len(said) - 1))
        heads = draw.draw(st.binary(min_size=1, max_size=4))
        said[at : at + len(heads)] = heads
    buffer, request = reading()
    try:
        replies(bytes(said), request)
    except OSError:
        return
    if request.error is None:
        assert request.covered == 4096
        assert b"\xa5" not in bytes(buffer) or b"\xa5" in bytes(said)


def test_memory_does_not_grow_with_what_a_server_claims() -> None:
    claims = [
        [*GOOD[:1], numbers.OPTION_REPLY.pack(numbers.OPTION_REPLY_MAGIC, 8, 3, 0xFFFFFFFF)],
        [*GOOD[:2], *[option(9, 4, bytes(4) + b"qemu:dirty-bitmap:" + b"x" * 60000)] * 40],
    ]
    tracemalloc.start()
    try:
        for claim in claims:
            with pytest.raises(OSError):
                opened(b"".join(claim))
        for length in (0xFFFFFFFF, 1 << 30):
            for kind in (Chunk.DATA, Chunk.STATUS, Chunk.ERROR):
                with pytest.raises(ProtocolError):
                    replies(chunk(kind, length=length), reading()[1])
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * KIB
    finally:
        tracemalloc.stop()
