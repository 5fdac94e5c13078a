"""What flushes and hashes beside the one that receives, as tasks of the schedule: one baton for all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from tests.simulation.schedule import Crash, Schedule


class _Awaited(Future[Any]):
    """A future that is waited for with the baton handed back."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def result(self, timeout: float | None = None) -> Any:
        """Wait without end, as the product does."""
        assert timeout is None
        self._schedule.wait(self.done)
        return super().result(0)


class Flusher(Executor):
    """An executor of one conversation; what it runs dies with the process it was made in."""

    def __init__(self, schedule: Schedule, what: str = "flush") -> None:
        self._schedule = schedule
        self._what = what
        self._process = schedule.current.process
        self._given: list[_Awaited] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start a task for the call; others run before it begins, or not."""
        future = _Awaited(self._schedule)
        self._given.append(future)

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except Crash:
                raise
            except BaseException as error:  # noqa: BLE001 - told to the one who waits for it
                future.set_exception(error)

        self._schedule.meet(f"{self._what} beside writes")
        self._schedule.spawn(self._process, f"{self._what} for {self._schedule.current.name}", work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait until nothing runs any more."""
        assert wait
        assert not cancel_futures
        self._schedule.wait(lambda: all(future.done() for future in self._given))
