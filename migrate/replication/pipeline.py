"""Do work in a few threads, keep its order, bound what is under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Later = Callable[[], R]


def later(executor: Executor | None, work: Callable[..., R], *args: object) -> Later[R]:
    """Begin ``work(*args)`` and return how to get what it returns; without an executor that does it."""
    if executor is None:
        return lambda: work(*args)
    return executor.submit(work, *args).result


def ordered_map(
    executor: Executor | None,
    work: Callable[[T], R],
    items: Iterable[T],
    window: Callable[[], int],
    light: Callable[[T], bool] = lambda _item: False,
) -> Generator[R]:
    """Yield ``work(item)`` for each item in order, at most ``window()`` of them begun ahead.

    Without an executor the work is done in the caller's thread. When the consumer leaves early, work
    that has begun is waited for: it may hold a disk. What is ``light`` is done at once, in the caller's
    thread: handing it over would cost more.
    """
    if executor is None:
        yield from map(work, items)
        return
    pending: deque[Future[R] | _Done[R]] = deque()
    try:
        for item in items:
            while pending and isinstance(pending[0], _Done):  # nothing is gained by keeping it
                yield pending.popleft().result()
            if not light(item):
                pending.append(executor.submit(work, item))
            elif pending:
                pending.append(_Done(work(item)))
            else:
                yield work(item)
            while len(pending) >= window():
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        begun = [future for future in pending if isinstance(future, Future)]
        for future in begun:
            future.cancel()
        for future in begun:
            if not future.cancelled():
                future.exception()


def batched(items: Iterable[T], most: Callable[[], int]) -> Iterator[list[T]]:
    """Yield the items in lists of ``most()``: work that is handed over costs as much for one as for a few."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) >= most():
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Done(Generic[R]):
    value: R

    def result(self) -> R:
        return self.value
