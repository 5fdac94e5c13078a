"""Which checkpoint of each group is booted, by what somebody said."""

from __future__ import annotations

import pytest

from migrate.rehearsals.choosing import GroupKept, choose
from planner.errors import BadInput, Blocked, NotFound


def kept(name: str, part: str, *points: tuple[int, int, str]) -> GroupKept:
    return GroupKept(
        f"W01/{name}",
        part,
        [{"record": record, "at_ms": at, "name": called} for record, at, called in points],
    )


SHOP = kept("shop", "g0", (3, 100, ""), (7, 200, "before"), (9, 300, ""), (12, 400, "5"))
CRM = kept("crm=x", "g1", (5, 150, ""), (9, 250, "before"), (11, 299, ""), (14, 450, ""))


def records(*words: str, groups: tuple[GroupKept, ...] = (SHOP, CRM)) -> list[int]:
    return [int(one["record"]) for one in choose(groups, words)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), [12, 14]),
        (("latest",), [12, 14]),
        (("before",), [7, 9]),
        (("shop=9",), [9, 11]),
        (("W01/shop=9",), [9, 11]),
        (("g0=9",), [9, 11]),
        (("W01/g0=latest",), [12, 11]),
        (("shop=before",), [7, 5]),
        (("shop=7", "crm=x=14"), [7, 14]),
        (("crm=x=5", "latest"), [12, 5]),
        (("shop=5",), [12, 11]),  # no number of it, and a name
    ],
)
def test_words_mean_one_checkpoint_of_each_group(words: tuple[str, ...], found: list[int]) -> None:
    assert records(*words) == found


def test_a_number_alone_is_one_of_the_only_group() -> None:
    assert records("7", groups=(SHOP,)) == [7]
    with pytest.raises(BadInput, match="9 is a number, and each group has numbers of its own"):
        records("9")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("shop=3",), Blocked, "W01/crm=x has no checkpoint that is as old"),
        (("shop=8",), NotFound, "W01/shop has no checkpoint 8"),
        (("crm=5",), NotFound, "W01/shop has no checkpoint crm=5"),
        (("gone",), NotFound, "has no checkpoint gone"),
        (("shop=7", "g0=9"), BadInput, "two checkpoints of W01/shop"),
        (("latest", "before"), BadInput, "two checkpoints are asked for of the same groups"),
        (("shop=\x1b[2J",), NotFound, "has no checkpoint ␛"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        records(*words)


def test_a_group_without_any_is_in_the_way() -> None:
    with pytest.raises(Blocked, match="W01/new has no checkpoint yet"):
        records(groups=(SHOP, kept("new", "g2")))
