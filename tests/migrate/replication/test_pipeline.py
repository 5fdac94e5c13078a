"""Work in a few threads, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from migrate.replication.pipeline import ordered_map


def test_what_is_light_waits_for_nothing_but_its_turn() -> None:
    begun: list[int] = []

    def items() -> Iterator[int]:
        for number in range(40):
            begun.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        made = ordered_map(pool, lambda n: n * n, items(), lambda: 4, lambda n: n > 2)
        for number, square in enumerate(made):
            assert square == number * number
            if number > 6:  # the last of the others is out
                assert begun[-1] == number, "the next is begun when this one was taken"
