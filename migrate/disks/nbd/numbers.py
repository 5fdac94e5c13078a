"""The numbers of the NBD protocol, and the caps that hold before anything is allocated."""

from __future__ import annotations

import errno
import struct
from enum import IntEnum, IntFlag

GREETING = struct.Struct(">8s8sH")
MAGIC, HAVE_OPTION, OLD_STYLE = b"NBDMAGIC", b"IHAVEOPT", b"\x00\x00\x42\x02\x81\x86\x12\x53"
FIXED_NEWSTYLE, NO_ZEROES = 1, 2

OPTION = struct.Struct(">8sII")
OPTION_REPLY = struct.Struct(">QIII")
OPTION_REPLY_MAGIC = 0x0003E889045565A9

REQUEST = struct.Struct(">IHHQQI")
REQUEST_MAGIC = 0x25609513
SIMPLE_MAGIC, CHUNK_MAGIC = 0x67446698, 0x668E33EF
SIMPLE_REST = struct.Struct(">IQ")  # what follows the magic
CHUNK_REST = struct.Struct(">HHQI")
DONE = 1

OPTION_BODY_MAX = 64 * 1024
OPTION_REPLIES_MAX = 1024
MESSAGE_MAX = 4096
STATUS_BODY_MAX = 4 + 8 * 128 * 1024
PIECE = 256 * 1024
IN_FLIGHT = 16
CONTEXTS_MAX = 16


class Option(IntEnum):
    """What a client asks for before it reads."""

    ABORT = 2
    STARTTLS = 5
    GO = 7
    STRUCTURED_REPLY = 8
    LIST_META_CONTEXT = 9
    SET_META_CONTEXT = 10


ACK, INFO, META_CONTEXT = 1, 3, 4
ERROR_BIT = 1 << 31
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3
REFUSALS = {
    1: "it does not know that request",
    2: "its policy forbids it",
    3: "it calls the request invalid",
    4: "its platform cannot do that",
    5: "it wants TLS",
    6: "it has no such export",
    7: "it is shutting down",
    8: "it wants a client that knows its block size",
    9: "it calls the request too large",
}


class Can(IntFlag):
    """What an export says it can do."""

    HAS_FLAGS = 1
    READ_ONLY = 2
    FLUSH = 4
    FUA = 8
    TRIM = 32
    WRITE_ZEROES = 64
    MULTI_CONN = 256  # a flush over one connection is one for all


class Command(IntEnum):
    """A request to an export."""

    READ = 0
    WRITE = 1
    DISCONNECT = 2
    FLUSH = 3
    TRIM = 4
    WRITE_ZEROES = 6
    BLOCK_STATUS = 7


FLAG_FUA, FLAG_NO_HOLE = 1, 2


class Chunk(IntEnum):
    """A part of a structured reply."""

    NONE = 0
    DATA = 1
    HOLE = 2
    STATUS = 5
    ERROR = 32769
    ERROR_OFFSET = 32770


ALLOCATION, BITMAP_PREFIX = "base:allocation", "qemu:dirty-bitmap:"
STATE_HOLE, STATE_ZERO, STATE_DIRTY = 1, 2, 1
ERRNOS = {
    1: errno.EPERM,
    5: errno.EIO,
    12: errno.ENOMEM,
    22: errno.EINVAL,
    28: errno.ENOSPC,
    75: errno.EOVERFLOW,
    95: errno.EOPNOTSUPP,
    108: errno.ESHUTDOWN,
}
_NUMBERS = {code: number for number, code in ERRNOS.items()}


def number_of(code: int | None) -> int:
    """Return the protocol's number for an errno; what it does not know is an I/O error."""
    return _NUMBERS.get(code or 0, _NUMBERS[errno.EIO])
