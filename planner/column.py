"""One field of all rows of a table: its distinct values once, and for each row which of them it has.

    values  ("prod-a",), ("prod-b",), (None,)        row 3 has values[of_row[3]]
    of_row  0 0 1 0 2 ...

A filter judges a distinct value once, not a row. Masks are bytes, one a row: 1 = it matches.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress

from planner.terms import Judge
from planner.vocabulary import Value

# Words of most texts are one: alone they stand for the tuple, and cost a third.
Packed = str | Value
_SWAPPED = bytes([1, 0])


def packed(value: Value) -> Packed:
    """Return a value as columns hold it: the only word of a text stands for itself."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


class Column:
    """The values of one field by row; it never changes. ``is_text`` tells words from other values.

    Without ``of_row`` each row has its own value, at its own place.
    """

    __slots__ = ("_folded", "_of_row", "_values", "is_text")

    def __init__(self, values: Sequence[Packed], of_row: array[int] | None, is_text: bool) -> None:
        self._values = values
        self._of_row = of_row
        self.is_text = is_text
        self._folded: tuple[list[str], array[int] | None] | None = None

    @classmethod
    def of(cls, values: Iterable[Value]) -> Column:
        """Return the column of values by row."""
        numbers: dict[Packed, int] = {}
        wide = array("I")
        is_text = False
        for value in values:
            is_text = is_text or isinstance(value, tuple)
            wide.append(numbers.setdefault(packed(value), len(numbers)))
        return cls(*coded(list(numbers), wide), is_text)

    def __len__(self) -> int:
        return len(self._values) if self._of_row is None else len(self._of_row)

    def __getitem__(self, row: int) -> Value:
        return self._whole(self._values[row if self._of_row is None else self._of_row[row]])

    def __iter__(self) -> Iterator[Value]:
        return map(self.__getitem__, range(len(self)))

    @property
    def distinct(self) -> tuple[Value, ...]:
        """Every value that occurs, once."""
        return tuple(map(self._whole, dict.fromkeys(self._values)))

    @property
    def parts(self) -> tuple[Sequence[Packed], array[int] | None]:
        """What a store writes: distinct values as they are held, and which of them each row has."""
        return self._values, self._of_row

    def _whole(self, value: Packed) -> Value:
        if self.is_text and not isinstance(value, tuple):
            return (value,)  # type: ignore[return-value]
        return value  # type: ignore[return-value]

    def mask(self, judge: Judge) -> bytes:
        """Return for each row whether its value is judged true."""
        if self.is_text and judge.word is not None:
            verdicts = self._by_word(judge.word, judge.parts)
        else:
            value = judge.value
            said = map(self._whole, self._values) if self.is_text else self._values
            verdicts = bytearray([value(one) is True for one in said])
        if self._of_row is None:
            return bytes(verdicts)
        if self._of_row.itemsize == 1:
            return self._of_row.tobytes().translate(bytes(verdicts.ljust(256, b"\0")))
        return bytes(map(verdicts.__getitem__, self._of_row))

    def _by_word(self, fits: Callable[[str], bool], parts: tuple[str, ...]) -> bytearray:
        words, owners = self._words()
        if parts:
            first, *more = parts
            found = [first in word for word in words]
            for part in more:
                found = [hit or part in word for hit, word in zip(found, words, strict=True)]
        else:
            found = [fits(word) for word in words]
        if owners is None:
            return bytearray(found)
        verdicts = bytearray(len(self._values))
        for owner in compress(owners, found):
            verdicts[owner] = 1
        return verdicts

    def _words(self) -> tuple[list[str], array[int] | None]:
        """Return the words of all values, casefolded, and whose each is; None when each has just one."""
        if self._folded is None:
            words: list[str] = []
            owners = array("I")
            for owner, value in enumerate(self._values):
                for word in value if isinstance(value, tuple) else (value,):
                    if isinstance(word, str):
                        folded = word.casefold()
                        words.append(word if folded == word else folded)  # no second copy of the same
                        owners.append(owner)
            alone = len(words) == len(self._values) and owners == array("I", range(len(words)))
            self._folded = words, None if alone else owners
        return self._folded


def coded(values: Sequence[Packed], of_row: array[int]) -> tuple[Sequence[Packed], array[int] | None]:
    """Return the parts of a column: values, and their numbers in as few bytes as they need.

    Where most rows have a value of their own, each gets one, and there are no numbers to look up.
    """
    if 2 * len(values) > len(of_row):
        return [values[number] for number in of_row], None
    return values, array(typecode(len(values)), of_row)


def typecode(values: int) -> str:
    """Return the type of the numbers of so many values, as arrays call it."""
    return "B" if values <= 1 << 8 else "H" if values <= 1 << 16 else "I"


def constant(value: Value, rows: int) -> Column:
    """Return the column of rows that all have one value."""
    return Column(*coded([packed(value)], array("I", bytes(4 * rows))), isinstance(value, tuple))


def everywhere(rows: int) -> bytes:
    """Return the mask of all rows."""
    return b"\1" * rows


def both(a: bytes, b: bytes) -> bytes:
    """Return the mask of rows that are in each of two."""
    return (int.from_bytes(a, "little") & int.from_bytes(b, "little")).to_bytes(len(a), "little")


def inverted(mask: bytes) -> bytes:
    """Return the mask of the rows that are not in it."""
    return mask.translate(_SWAPPED.ljust(256, b"\0"))


def rows_of(mask: bytes) -> list[int]:
    """Return the rows of a mask, in order."""
    return list(compress(range(len(mask)), mask))
