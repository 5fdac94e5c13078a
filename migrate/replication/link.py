"""One conversation over a channel: numbered, keyed frames in both directions.

A link starts with the opening key; after HELLO and WELCOME both ends switch to keys made from them.
Every frame received is the next one of this link or the link is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from migrate.replication import wire
from migrate.replication.buffers import BUFFER_BYTES, lend
from migrate.replication.channel import Buffer, Channel
from migrate.replication.messages import Refusal, error_of
from migrate.replication.wire import Frame, Kind, WireError
from planner.errors import WherryError
from planner.units import KIB

_DROP_BYTES = 4096
_SMALL_BYTES = 64 * KIB
assert max(wire.BLOCK_MAX, wire.CONTROL_MAX) <= BUFFER_BYTES


class Link:
    """Sends and receives frames of one stream. Not thread-safe."""

    def __init__(self, channel: Channel, stream: int = 0) -> None:
        self._channel = channel
        self._stream = stream
        self._send_key = self._receive_key = wire.OPENING_KEY
        self._sent = self._received = 0
        self._header = memoryview(bytearray(wire.HEADER_BYTES))
        self._body = memoryview(bytearray(_SMALL_BYTES))
        self.sent_bytes = self.received_bytes = 0
        self.refused: WherryError | None = None
        self.grain_key = b""  # once agreed: tags of DATA are over the digests of its grains
        # Once agreed: tags of WRITES are over what this returns of them.
        self.covered: Callable[[Buffer], memoryview] | None = None

    def use_keys(self, *, sending: bytes, receiving: bytes) -> None:
        """Switch both directions to new keys."""
        self._send_key, self._receive_key = sending, receiving

    def pack(
        self,
        kind: Kind,
        *,
        offset: int = 0,
        length: int | None = None,
        body: Buffer = b"",
        flags: int = 0,
        digest: bytes | None = None,
    ) -> list[Buffer]:
        """Return the next frame as parts to send; ``digest`` is the body's, if known."""
        if digest is None:
            told = self.covered(body) if self.covered and kind is Kind.WRITES else body
            digest = wire.body_digest(told)
        header = wire.seal(
            self._send_key,
            kind,
            stream=self._stream,
            sequence=self._sent,
            offset=offset,
            length=len(body) if length is None else length,
            wire_length=len(body),
            flags=flags,
            digest=digest,
        )
        self._sent += 1
        self.sent_bytes += len(header) + len(body)
        return [header, body] if len(body) else [header]

    def send_parts(self, parts: Sequence[Buffer]) -> None:
        """Send packed frames; raises ChannelClosed."""
        self._channel.send(parts)

    def send(
        self, kind: Kind, body: bytes = b"", *, offset: int = 0, length: int | None = None, flags: int = 0
    ) -> None:
        """Pack and send one frame."""
        self._channel.send(self.pack(kind, offset=offset, length=length, body=body, flags=flags))

    def receive(self, *allowed: Kind) -> Frame:
        """Return the next frame; raises WireError, ChannelClosed, or what the peer's ERROR says."""
        self._channel.recv_into(self._header)
        header = wire.parse_header(self._header)
        if header.stream != self._stream or header.sequence != self._received:
            raise WireError(
                f"frame {header.sequence} of stream {header.stream} arrived, expected was "
                f"{self._received} of {self._stream}"
            )
        if header.wire_length > len(self._body):
            self._body = lend().view  # most peers never say as much
        wire_body = self._body[: header.wire_length]
        if header.wire_length:
            self._channel.recv_into(wire_body)
        body = wire.unpack_body(header, wire_body)
        grains: bytes = b""
        told: bytes | memoryview = b""
        if self.grain_key and header.kind is Kind.DATA:
            grains = told = wire.grain_digests(memoryview(body), self.grain_key)
        elif self.covered and header.kind is Kind.WRITES:
            told = self.covered(body)
        wire.verify(self._receive_key, header, body, wire_body, told)
        self._received += 1
        self.received_bytes += wire.HEADER_BYTES + header.wire_length
        if header.kind is Kind.ERROR:
            self.refused = error_of(Refusal.load(body))
            raise self.refused
        if allowed and header.kind not in allowed:
            raise WireError(f"a peer said {header.kind.name} where that makes no sense")
        return Frame(header.kind, header.flags, header.offset, header.length, body, grains)

    def discard(self, limit_bytes: int) -> None:
        """Drop what still comes until the peer closes, so that our last word reaches it.

        Raises ChannelClosed at the end of the stream; returns when ``limit_bytes`` were dropped.
        """
        for _ in range(limit_bytes // _DROP_BYTES):
            self._channel.recv_into(self._body[:_DROP_BYTES])
