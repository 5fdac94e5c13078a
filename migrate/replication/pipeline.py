"""Do work in a few threads, keep its order, bound what is under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

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
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(_done(work(item)) if light(item) else executor.submit(work, item))
            while len(pending) >= window():
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
        for future in pending:
            if not future.cancelled():
                future.exception()


def _done(result: R) -> Future[R]:
    future: Future[R] = Future()
    future.set_result(result)
    return future
