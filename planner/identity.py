"""A data-identity certificate as a document: what was compared, how, by whom, and that it was equal.

It has one form only, byte for byte, so that nothing in a file can change unseen. Its JSON Schema is
published as ``planner/schemas/identity.schema.json``; signing and checking is ``migrate.papers.certificate``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from planner.errors import BadInput

MAX_BYTES = 1024 * 1024

_HINT = "take the file that 'wherry verify' wrote, unchanged"

Digest = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Bytes = Annotated[int, Field(ge=0, le=2**62)]
Chance = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(max_length=512)]
Pem = Annotated[str, Field(max_length=16_384)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Side(_Part):
    """One end. ``names`` and ``serial`` are those of its certificate, empty where none was shown."""

    site: Name
    names: Annotated[tuple[Name, ...], Field(max_length=64, strict=False)] = ()
    serial: Name = ""
    digest: Digest = Field(
        description="made where the disk is, of what was looked at; empty = nothing was, by decision"
    )


class Excluded(_Part):
    """A person's decision that a disk travels once or never: no such disk is called identical."""

    send: Literal["once", "never"]
    why: Name
    who: Name = Field(description="empty = nobody said")
    seeded_at: Annotated[str, Field(max_length=40)] = Field(
        default="", description="ISO 8601 in UTC: what the source held then is all that is compared"
    )


class Moving(_Part):
    """The disk was written to meanwhile: there is no one instant at which all of it was compared.

    Each piece was, at a moment of its own between the two: at the same place in the order of all writes to
    the source, which the target gets in that order.
    """

    since: Annotated[str, Field(max_length=40)] = Field(description="ISO 8601 in UTC")
    until: Annotated[str, Field(max_length=40)] = Field(description="ISO 8601 in UTC")
    piece_bytes: Bytes


class Identity(_Part):
    """One disk, equal on both sides, or ``excluded``: left out by decision, and then never called equal.

    One that is sent once was equal when it was seeded; of one that is never sent nothing was compared.
    A reader that knows nothing of this refuses ``wherry.identity/2``, and ``/3`` one that knows nothing of
    disks that were written to meanwhile.
    """

    schema_: Literal["wherry.identity/1", "wherry.identity/2", "wherry.identity/3"] = Field(alias="schema")
    project: Name
    volume: Name
    size_bytes: Bytes
    source: Side
    target: Side
    method: Literal["full", "part", "quick", "record", "none"] = Field(
        description="record: the target, read whole, against what the source's own digest was; "
        "none: nothing was compared, by decision"
    )
    algorithm: Literal["wherry-tree/1", "wherry-sample/1", "blake3"]
    offset: Bytes = Field(description="where the area begins")
    length: Bytes = Field(description="how long it is, in bytes")
    part: Annotated[str, Field(pattern=r"^([0-9]+/[0-9]+)?$")] = ""
    seed: Name = ""
    grains: Annotated[tuple[Bytes, ...], Field(max_length=16_384, strict=False)] = Field(
        default=(), description="numbers of the grains of 64 KiB of a sample, ascending"
    )
    looked_bytes: Bytes
    escape_chance: Chance = Field(description="that one wrong grain, anywhere, was not seen")
    data_escape_chance: Chance = Field(description="that one wrong grain with data was not seen")
    repaired_bytes: Bytes = Field(default=0, description="sent again before this comparison")
    excluded: Excluded | None = Field(default=None, description="only in wherry.identity/2")
    moving: Moving | None = Field(default=None, description="only in wherry.identity/3")
    at: str = Field(description="ISO 8601 in UTC", max_length=40)
    tool: Name
    signer: Pem = Field(description="certificate of whose key signed")
    authority: Pem = Field(description="certificate of the project's authority")
    signature: Annotated[str, Field(pattern=r"^([0-9a-f]{128})?$")] = Field(
        default="", description="ECDSA P-256 with SHA-256: r and s, the lower s"
    )

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        body: dict[str, Any] = dump(self)
        for word in ("excluded", "moving"):  # as certificates were before there was such a thing
            if body[word] is None:
                del body[word]
        return body

    def text(self) -> str:
        """Return the one form of this document."""
        body = self.model_dump(mode="json", by_alias=True)
        return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=True) + "\n"

    def signed_bytes(self) -> bytes:
        """Return what the signature covers: everything but itself."""
        unsigned = self.model_copy(update={"signature": ""})
        return b"wherry data identity 1\n" + unsigned.text().encode("ascii")


def read_identity(data: bytes, shown: str) -> Identity:
    """Return the document in a file's bytes; raises BadInput unless they are in its one form."""
    if len(data) > MAX_BYTES:
        raise BadInput(f"{shown} is too large for a certificate", _HINT)
    try:
        found = Identity.model_validate_json(data)
        same = found.text().encode("ascii") == data
    except (ValidationError, ValueError) as error:
        raise BadInput(f"{shown} is no data-identity certificate", _HINT) from error
    if not same:
        raise BadInput(f"{shown} is not in the form it was written in", _HINT)
    return found
