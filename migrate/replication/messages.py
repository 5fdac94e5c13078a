"""The words of the conversation: what HELLO, WELCOME, ACK, HASH and ERROR carry, as strict JSON.

Everything from a peer is untrusted: sizes are capped by the frame, shapes by pydantic, and text is
made visible before anyone prints it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from migrate.replication.wire import OFFSET_MAX, WireError
from migrate.sites.consistency import Consistency
from planner import errors
from planner.errors import WherryError
from planner.names import visible

Size = Annotated[int, Field(ge=0, le=OFFSET_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=512)]
Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Points = Annotated[tuple[tuple[Size, Size], ...], Field(max_length=4096, strict=False)]
_LATEST_MS = 253_402_300_800_000  # the year 10000
Ticket = Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")]
Who = Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    def dump(self) -> bytes:
        """Return the message as JSON bytes."""
        return self.model_dump_json().encode("utf-8", "surrogatepass")

    @classmethod
    def load(cls, body: bytes | memoryview) -> Self:
        """Return the message in a frame's body; raises WireError."""
        try:
            return cls.model_validate_json(bytes(body))
        except ValidationError as error:
            raise WireError(f"a peer sent a malformed {cls.__name__}") from error


class Hello(_Message):
    """The sender's opening. ``base`` and ``change`` are change ids, empty when there is none.

    One that joins a pass brings the ``ticket`` that its first connection was given. A stream names its group
    as ``volume``, the ``tap`` whose disks these are, and the ``session`` in which it counts its writes. A
    pass says what its instant is worth where that is more than after a crash.
    """

    purpose: Literal["pass", "hash", "tree", "join", "stream"]
    volume: Name
    size_bytes: Size
    nonce: Nonce
    generation: Size = 0
    pass_id: Annotated[str, Field(max_length=512)] = ""
    mode: Literal["seed", "delta", "compare"] = "seed"
    base: Annotated[str, Field(max_length=512)] = ""
    change: Annotated[str, Field(max_length=512)] = ""
    cycle: Annotated[str, Field(max_length=512)] = ""
    consistency: Consistency = Consistency.CRASH
    ticket: Ticket = ""
    tap: Who = ""
    session: Who = ""
    disks: Annotated[tuple[tuple[Name, Size], ...], Field(max_length=4096, strict=False)] = ()

    def dump(self) -> bytes:
        """Return the message as JSON bytes, without words that an older receiver does not know."""
        left_out = {
            word for word in ("ticket", "cycle", "tap", "session", "disks") if not getattr(self, word)
        }
        if self.consistency is Consistency.CRASH:
            left_out.add("consistency")
        return self.model_dump_json(exclude=left_out).encode("utf-8", "surrogatepass")


# Words of a welcome that a sender knows only if it asked.
_ASKED = (
    "dedupe", "ticket", "fine", "gmac", "numbers", "known", "resumes", "upto", "points", "here", "tables",
)  # fmt: skip


class Welcome(_Message):
    """The receiver's answer. ``held`` is what it holds durably of this pass: [offset, length] pairs.

    ``dedupe`` is the key of grain digests for a sender that can offer them, empty when there is no use;
    ``ticket`` admits further connections of a sender that asked for them, ``fine`` a second question about
    grains that differ, in a comparison of a sender that can ask it, ``gmac`` how grains are told apart there
    if that can do it. A stream is told the ``numbers``
    of its disks, whether what is here is what that tap left (``known``), whether it goes on behind number
    ``upto`` (``resumes``), the [number, record] of checkpoints made, whether it may ask what is ``here``
    at a place in its order, and whether tags of its writes are over their ``tables``, if it can do that.
    """

    nonce: Nonce
    mode: Literal["seed", "delta", "compare"] = "seed"
    must_compare: bool = False
    why: Annotated[str, Field(max_length=1024)] = ""
    fresh: bool = False
    complete: bool = False
    ack_bytes: Annotated[int, Field(gt=0, le=2**40)] = 32 * 1024 * 1024
    held: Annotated[tuple[tuple[Size, Size], ...], Field(max_length=16_384, strict=False)] = ()
    dedupe: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    ticket: Ticket = ""
    fine: bool = False
    gmac: bool = False
    numbers: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(max_length=4096, strict=False)
    ] = ()
    known: bool = False
    resumes: bool = False
    upto: Size = 0
    points: Points = ()
    here: bool = False
    tables: bool = False

    def dump(self) -> bytes:
        """Return the message as JSON bytes, without words that nobody asked for."""
        left_out = {word for word in _ASKED if not getattr(self, word)}
        return self.model_dump_json(exclude=left_out).encode("utf-8", "surrogatepass")


class Ack(_Message):
    """Everything sent before is durable. ``number`` counts acknowledgements of this connection."""

    number: Size
    complete: bool = False


class Turn(_Message):
    """What the order of a tap's writes means behind number ``upto``.

    ``torn``: what follows is no instant of the source, for areas are copied again; all of them when
    ``full``. ``whole``: all were, and here is a checkpoint. ``point``: one more checkpoint. ``judged``:
    what the checkpoint ``record``, one that was ``pending``, is ``worth`` after all; nothing withdraws it.
    """

    what: Literal["torn", "whole", "point", "judged"]
    upto: Size
    why: Annotated[str, Field(max_length=1024)] = ""
    full: bool = False
    at_ms: Annotated[int, Field(ge=0, lt=_LATEST_MS)] = 0
    consistency: Literal["crash", "filesystem", "application"] = "crash"
    name: Annotated[str, Field(max_length=512)] = ""
    pinned: bool = False
    pending: bool = False
    record: Size = 0
    worth: Literal["", "crash", "filesystem", "application"] = ""


class Taken(_Message):
    """Every write up to number ``upto`` is durable; ``points`` are checkpoints made since the last word."""

    upto: Size
    points: Points = ()


class HashReport(_Message):
    """Progress of a full hash; the last one carries the digest."""

    done_bytes: Size
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    tail_zero: bool = True


class Refusal(_Message):
    """Why the receiver ends the conversation."""

    code: Annotated[str, Field(max_length=64)]
    message: Annotated[str, Field(max_length=4096)]
    hint: Annotated[str, Field(max_length=4096)] = ""


_BY_CODE: dict[str, type[WherryError]] = {
    kind.code: kind
    for kind in (
        errors.BadInput,
        errors.NotFound,
        errors.Blocked,
        errors.ProjectBusy,
        errors.Unreachable,
        errors.StepFailed,
        errors.SiteRefused,
        errors.NoSpace,
        errors.Corrupt,
        WireError,
    )
}


def refusal_of(error: WherryError) -> Refusal:
    """Return the message that tells a peer about an error."""
    return Refusal(code=error.code, message=error.message[:4096], hint=error.hint[:4096])


def error_of(refusal: Refusal) -> WherryError:
    """Return the exception that a peer's refusal stands for, its text made visible."""
    kind = _BY_CODE.get(refusal.code, errors.StepFailed)
    return kind(visible(refusal.message, 500), visible(refusal.hint, 500))
