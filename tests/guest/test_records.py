"""The oracle of the guest's records says what is wrong with two disks, and nothing else."""

from __future__ import annotations

import pytest

from tests.guest.records import RECORD_BYTES, Held, complaints, count, text


def held(many: int, state: int | None) -> Held:
    records = b"".join(text(number) for number in range(1, many + 1))
    return Held(records, None if state is None else b"%d\n" % state)


def test_a_record_says_its_number_and_fills_its_place() -> None:
    assert len(text(1)) == len(text(98_765_432)) == RECORD_BYTES
    assert text(17).startswith(b"100000017 100000017 ")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (held(0, None), held(0, None), (0, 0)),
        (held(7, 4), held(7, 4), (7, 7)),
        (held(8, 8), held(7, 4), (7, 7)),
        (held(8, 4), held(7, 4), (7, 7)),  # its file is replaced after the record
        (held(8, 8), held(8, 4), (8, 7)),
        (held(9, 8), held(8, 8), (5, 5)),  # what was not said may be there
    ],
)
def test_what_may_be_is_no_complaint(a: Held, b: Held, said: tuple[int, int]) -> None:
    assert complaints({"a": a, "b": b}, {"a": said[0], "b": said[1]}) == []


@pytest.mark.parametrize(
    ("a", "b", "said", "words"),
    [
        (held(7, 4), held(7, 4), (8, 7), "records of a are lost: 8 were said, 7 are there"),
        (held(7, 4), held(7, 4), (7, 8), "records of b are lost"),
        (held(6, 4), held(7, 4), (6, 6), "a and b are of different instants: 6 and 7 records"),
        (held(9, 8), held(7, 4), (7, 7), "a and b are of different instants: 9 and 7 records"),
        (held(7, None), held(7, 4), (7, 7), "the file replaced on a is None at 7 records"),
        (held(8, 4), held(8, 8), (8, 8), "the file replaced on a is b'4\\n' at 8 records"),
        (held(7, 4), held(7, 8), (7, 7), "the file replaced on b is b'8\\n' at 7 records"),
    ],
)
def test_what_may_not_be_is_said(a: Held, b: Held, said: tuple[int, int], words: str) -> None:
    (only,) = complaints({"a": a, "b": b}, {"a": said[0], "b": said[1]})
    assert words in only


@pytest.mark.parametrize("spoilt", ["cut", "zeroed", "swapped", "flipped"])
def test_records_that_are_not_whole_or_not_in_order_are_broken(spoilt: str) -> None:
    raw = bytearray(held(5, 4).records)
    if spoilt == "cut":
        del raw[-1]
    elif spoilt == "zeroed":
        raw[RECORD_BYTES : 2 * RECORD_BYTES] = bytes(RECORD_BYTES)
    elif spoilt == "swapped":
        raw[: 2 * RECORD_BYTES] = text(2) + text(1)
    else:
        raw[700] ^= 1
    assert count(bytes(raw)) == -1
    wrong = complaints({"a": Held(bytes(raw), b"4\n"), "b": held(5, 4)}, {"a": 0, "b": 0})
    assert wrong == ["records of a are broken"]
