"""Frames: the only thing that travels between a sender and a receiver.

    magic | version | kind | flags | stream | sequence | offset | length | wire length | tag | body

The tag covers every header field and the body, before and after compression, under a key that both
ends derive from their HELLO and WELCOME. A frame that was changed, replayed, reordered, moved to
another stream, offset or conversation does not open. Caps are checked before anything is read or allocated.
"""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from blake3 import blake3

from migrate.replication.zeros import GRAIN
from planner.errors import WherryError
from planner.units import KIB, MIB

Bytes = bytes | bytearray | memoryview

VERSION: Final = 1
MAGIC: Final = b"WHRY"
BLOCK_MAX: Final = MIB
CONTROL_MAX: Final = MIB
HELLO_MAX: Final = 64 * KIB
WINDOW_MAX: Final = 8 * MIB
OFFSET_MAX: Final = 2**62
FLAG_ZSTD: Final = 1
FLAG_PART: Final = 2  # on COMMIT: make durable what is there, the pass is not complete
FLAG_OFFERS: Final = 4  # on HELLO: I can offer digests; who does not know this flag overlooks it
FLAG_JOINED: Final = 8  # on HELLO: I can bring further connections; overlooked in the same way
FLAG_PROBE: Final = 16  # on OFFER: only say what you would want, the run comes whole all the same
FLAG_MORE: Final = 32  # on ASK_DIGESTS: HELD_BACK questions follow before this is waited for; overlooked
HELD_BACK: Final = 2  # answers
FLAG_FINE: Final = 64  # on HELLO: I can ask finely; overlooked in the same way
FLAG_GMAC: Final = 2  # on HELLO: I can tell grains apart by GMAC, in a comparison; overlooked as well
FLAG_TABLES: Final = 16  # on HELLO of a stream, overlooked too: tags of WRITES may be over their tables
FLAG_HERE: Final = 128  # on HELLO of a stream, overlooked too: I can ask of a place in it; on what asks

_local = threading.local()
PREFIX: Final = struct.Struct("<4sBBHIQQQI")
TAG_BYTES: Final = 16
HEADER_BYTES: Final = PREFIX.size + TAG_BYTES
DIGEST_BYTES: Final = 16
OFFER_GRAINS: Final = 256  # in one OFFER
FINE: Final = 4 * KIB
FINE_GRAINS: Final = 256  # that one ASK_FINE reaches over
EMPTY_DIGEST: Final[bytes] = blake3(b"").digest()
OPENING_KEY: Final[bytes] = blake3(b"", derive_key_context="wherry replication 1 opening").digest()


class WireError(WherryError):
    """A peer sent something that is not a valid frame here and now; the connection ends."""

    code: ClassVar[str] = "wire"
    retryable: ClassVar[bool] = True


class Kind(IntEnum):
    """What a frame says."""

    HELLO = 1  # sender: who, which volume, which pass
    WELCOME = 2  # receiver: how to go on
    DATA = 3  # these bytes belong at offset
    ZERO = 4  # this run reads as zeros
    KEEP = 5  # this run is right at the target as it is
    ASK_DIGESTS = 6  # what do you hold in this run
    DIGESTS = 7
    COMMIT = 8  # make everything durable
    ACK = 9  # it is durable
    HASH = 10  # progress and result of a full hash
    ERROR = 11
    BYE = 12
    OFFER = 13  # sender: these digests are what this run would be, grain by grain
    WANT = 14  # receiver: a bit for each grain of that offer that has to be sent
    HELD = 15  # sender: this run need not be sent, you said
    WRITES = 16  # tap: these writes come next, up to the number in offset
    MARK = 17  # tap: what the order of writes means from here on
    ASK_FINE = 18  # sender: what do you hold in each 4 KiB of these grains, a bit for each from offset on
    FINE = 19


_BODY_MAX: Final[dict[int, int]] = {
    Kind.HELLO: HELLO_MAX,
    Kind.WELCOME: CONTROL_MAX,
    Kind.DATA: BLOCK_MAX,
    Kind.ZERO: 0,
    Kind.KEEP: 0,
    Kind.ASK_DIGESTS: 0,
    Kind.DIGESTS: 256 * KIB,
    Kind.COMMIT: 64 * KIB,
    Kind.ACK: 64 * KIB,
    Kind.HASH: 64 * KIB,
    Kind.ERROR: 64 * KIB,
    Kind.BYE: 0,
    Kind.OFFER: OFFER_GRAINS * DIGEST_BYTES,
    Kind.WANT: OFFER_GRAINS // 8,
    Kind.HELD: 0,
    Kind.WRITES: BLOCK_MAX,
    Kind.MARK: 64 * KIB,
    Kind.ASK_FINE: FINE_GRAINS // 8,
    Kind.FINE: FINE_GRAINS * (GRAIN // FINE) * DIGEST_BYTES,
}


@dataclass(frozen=True, slots=True)
class Header:
    """A frame's header after its caps were checked; lengths in bytes."""

    kind: Kind
    flags: int
    stream: int
    sequence: int
    offset: int
    length: int  # of the run, or of the body before compression
    wire_length: int
    tag: bytes
    prefix: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """An opened frame. ``body`` is valid until the next frame is received."""

    kind: Kind
    flags: int
    offset: int
    length: int
    body: bytes | memoryview
    grains: bytes = b""  # of DATA where grains are agreed: the digest of each


def derive_key(role: str, *transcript: bytes) -> bytes:
    """Return the 32-byte key of one role (``welcome``, ``sender``, ``receiver``) for a transcript."""
    state = blake3(derive_key_context=f"wherry replication 1 {role}")
    for part in transcript:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return bytes(state.digest())


def seal(
    key: bytes,
    kind: Kind,
    *,
    stream: int,
    sequence: int,
    offset: int,
    length: int,
    wire_length: int,
    flags: int = 0,
    digest: bytes = EMPTY_DIGEST,
) -> bytes:
    """Return the header of a frame whose body has that ``body_digest``."""
    prefix = PREFIX.pack(MAGIC, VERSION, kind, flags, stream, sequence, offset, length, wire_length)
    tag: bytes = blake3(prefix + digest, key=key).digest(TAG_BYTES)
    return prefix + tag


def parse_header(raw: Bytes) -> Header:
    """Return the header in the first ``HEADER_BYTES`` of ``raw``; raises WireError on any excess."""
    prefix = bytes(raw[: PREFIX.size])
    magic, version, kind, flags, stream, sequence, offset, length, wire_length = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError("a peer does not speak this protocol", "connect wherry to wherry")
    if version != VERSION:
        raise WireError(f"a peer speaks version {version} of the wire", "run the same release on both sides")
    cap = _BODY_MAX.get(kind)
    if cap is None:
        raise WireError(f"a frame has the unknown kind {kind}")
    if wire_length > cap:
        raise WireError(f"a frame of kind {kind} announces {wire_length} bytes, more than {cap}")
    if offset > OFFSET_MAX or length > OFFSET_MAX:
        raise WireError("a frame lies outside any disk")
    packed = bool(flags & FLAG_ZSTD)
    if kind == Kind.DATA:
        if not 0 < length <= BLOCK_MAX or wire_length == 0:
            raise WireError(f"a block announces {length} bytes, allowed are 1 to {BLOCK_MAX}")
        if (wire_length >= length) if packed else (wire_length != length):
            raise WireError(f"a block of {length} bytes arrives as {wire_length}")
    elif packed or (cap and length != wire_length):
        raise WireError(f"a frame of kind {kind} contradicts itself")
    return Header(
        Kind(kind), flags, stream, sequence, offset, length, wire_length, bytes(raw[PREFIX.size :]), prefix
    )


def unpack_body(header: Header, body: memoryview) -> bytes | memoryview:
    """Return the body as it was before compression; raises WireError for anything but one honest frame."""
    return inflate(body, header.length) if header.flags & FLAG_ZSTD else body


def inflate(body: Bytes, length: int) -> bytes:
    """Return what a compressed body holds; raises WireError unless that is exactly ``length`` bytes."""
    import zstandard

    try:
        # The declared content size decides what the library allocates, so it is checked first;
        # max_output_size alone is ignored for frames that declare a size.
        about = zstandard.get_frame_parameters(body)
        if about.content_size != length or about.window_size > WINDOW_MAX or about.dict_id:
            raise WireError(f"a compressed block does not hold the {length} bytes it announces")
        unpacker = getattr(_local, "unpacker", None)
        if unpacker is None:  # one costs as much as what it unpacks, so a thread keeps its own
            unpacker = _local.unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX)
        raw: bytes = unpacker.decompress(body, max_output_size=length, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise WireError("a compressed block cannot be unpacked") from error
    if len(raw) != length:
        raise WireError(f"a compressed block unpacks to {len(raw)} bytes instead of {length}")
    return raw


def body_digest(raw: Bytes, packed: Bytes | None = None) -> bytes:
    """Return what a tag covers of a body: its bytes, and those it travels as when compressed.

    Both, because a compressed form has bits that do not change what it unpacks to.
    """
    digest: bytes = blake3(raw).digest() if len(raw) else EMPTY_DIGEST
    return digest if packed is None else digest + bytes(blake3(packed).digest())


def grain_digests(raw: memoryview, key: bytes, grain: int = GRAIN) -> bytes:
    """Return the digests of a body's grains, one after the other; the last grain may be short."""
    return b"".join(
        blake3(raw[at : at + grain], key=key).digest(DIGEST_BYTES) for at in range(0, len(raw), grain)
    )


def verify(key: bytes, header: Header, raw: Bytes, packed: Bytes, told: Bytes = b"") -> None:
    """Check the tag over header, unpacked and travelled body; raises WireError.

    Where that is agreed the tag covers, in place of the body, what is ``told`` of it: digests of its grains,
    or the part that has digests of all the rest. So nothing is hashed twice.
    """
    digest = body_digest(told or raw, packed if header.flags & FLAG_ZSTD else None)
    if blake3(header.prefix + digest, key=key).digest(TAG_BYTES) != header.tag:
        raise WireError("a frame does not match its digest, or belongs to another conversation")


def weight(kind: Kind, length: int) -> int:
    """Return how much a frame counts towards the next acknowledgement; both ends must agree."""
    return length if kind in (Kind.DATA, Kind.HELD) else 4 * KIB
