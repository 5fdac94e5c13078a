"""The body of a column as it lies in the store: distinct values as JSON, then which of them each row has.

zlib( length of the JSON, 8 bytes · JSON · numbers of 1, 2 or 4 bytes a row, none where each row has its own )
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from planner.column import Column, Packed, typecode

_HEAD = 8


def write(values: Sequence[Packed], of_row: array[int] | None) -> bytes:
    """Return the body of a column's parts."""
    plain = [sorted(value) if isinstance(value, frozenset) else value for value in values]
    text = json.dumps(plain, separators=(",", ":")).encode("ascii")
    numbers = array("B") if of_row is None else array(of_row.typecode, of_row)
    return zlib.compress(len(text).to_bytes(_HEAD, "little") + text + little(numbers).tobytes(), 1)


def read(body: bytes, is_text: bool) -> Column:
    """Return the column of a body."""
    whole = zlib.decompress(body)
    end = _HEAD + int.from_bytes(whole[:_HEAD], "little")
    shape: Callable[[Any], Packed] = tuple if is_text else frozenset
    values = [shape(value) if isinstance(value, list) else value for value in json.loads(whole[_HEAD:end])]
    if end == len(whole):
        return Column(values, None, is_text)
    numbers = array(typecode(len(values)))
    numbers.frombytes(whole[end:])
    return Column(values, little(numbers), is_text)


def little(numbers: array[int]) -> array[int]:
    """Return numbers turned from the order of this machine into the one of files, and back."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
