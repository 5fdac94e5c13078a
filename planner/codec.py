"""Nouns of the estate to JSON and back, and the digest that names a content.

pydantic does the work in both directions. Fields at their default are left out, so that a field
added to the model later changes neither bodies nor digests of what says nothing about it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

from planner.errors import BadInput
from planner.names import visible

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Noun = TypeVar("Noun")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}  # made once for each shape: a tenth of a second of work


def _adapter(shape: Any) -> TypeAdapter[Any]:
    found = _ADAPTERS.get(shape)
    if found is None:
        from pydantic import TypeAdapter

        found = _ADAPTERS[shape] = TypeAdapter(shape)
    return found


def encode(value: Any, shape: Any = None) -> bytes:
    """Return the JSON of a noun, or of a tuple of them when ``shape`` says so; raises BadInput.

    BadInput means text that no encoding can write, as a lone surrogate.
    """
    from pydantic_core import PydanticSerializationError

    try:
        return _adapter(shape or type(value)).dump_json(value, exclude_defaults=True)
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        named = visible(str(getattr(value, "name", "a list of the inventory")))
        raise BadInput(
            f"{named} holds text that cannot be written as UTF-8",
            "correct it at the source and read it again",
        ) from error


def decode(body: bytes | str, shape: type[Noun]) -> Noun:
    """Return the noun that ``encode`` wrote."""
    found: Noun = _adapter(shape).validate_json(body)
    return found


def digest(body: bytes) -> str:
    """Return the name of a content: 32 hexadecimal digits of BLAKE2b."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
