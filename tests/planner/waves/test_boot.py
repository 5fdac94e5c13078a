"""Boot batches: what is needed starts first; cycles are broken where it hurts least."""

from __future__ import annotations

from planner.model import Tie
from planner.waves.boot import boot_batches
from tests.planner.sketch import needs

NAMES = {f"id-{name}": name for name in "abcd"}


def boot(names: str, *ties: object) -> tuple[list[str], tuple[str, ...]]:
    batches, notes = boot_batches([f"id-{name}" for name in names], ties, NAMES)  # type: ignore[arg-type]
    return ["".join(NAMES[vm] for vm in batch) for batch in batches], notes


def test_every_kind_of_tie_counts_and_batches_keep_the_given_order() -> None:
    ties = (needs("a", "b"), needs("b", "c", Tie.ORDER), needs("d", "c", Tie.SOFT))
    assert boot("dabc", *ties) == (["c", "db", "a"], ())


def test_ties_out_of_the_wave_and_to_oneself_are_nothing() -> None:
    assert boot("ab", needs("a", "c"), needs("a", "a")) == (["ab"], ())
    assert boot("") == ([], ())


def test_a_cycle_is_cut_at_its_softest_tie_and_noted() -> None:
    ties = (needs("a", "b"), needs("b", "c"), needs("c", "a", Tie.SOFT))
    batches, notes = boot("abc", *ties)
    assert batches == ["c", "b", "a"]
    assert notes == (
        "boot order: c needs a and, directly or not, the other way round; "
        "the first of the two starts without waiting",
    )


def test_equal_ties_are_cut_at_the_least_certain_one_whatever_the_input_order() -> None:
    ties = (needs("a", "b", confidence=0.9), needs("b", "a", confidence=0.5))
    assert boot("ab", *ties)[0] == boot("ab", *ties[::-1])[0] == ["b", "a"]


def test_two_loops_through_one_vm_are_both_cut() -> None:
    ties = (needs("a", "b"), needs("b", "a"), needs("a", "c"), needs("c", "a"), needs("d", "a"))
    batches, notes = boot("abcd", *ties)
    assert sorted("".join(batches)) == list("abcd")
    assert notes == (
        "boot order: 2 ties close a circle, directly or not (a needs b, a needs c); "
        "the first of each pair starts without waiting",
    )


def test_many_cycles_are_one_note_that_names_three() -> None:
    ties = [needs(one, other) for one, other in ("ab", "ba", "ac", "ca", "ad", "da", "bd", "db")]
    (note,) = boot("abcd", *ties)[1]
    assert note.count(" needs ") == 3
    assert " and 1 more); " in note
    assert note.startswith("boot order: 4 ties")
