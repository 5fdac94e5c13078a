"""One thread at a time: tasks hand a baton back, and a seed alone says who gets it next.

The product blocks in threads, as it does outside; here every wait goes through ``pause`` or ``wait``.
Time is a number that moves only when nobody can run.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b


class Crash(BaseException):
    """The process of this task is gone."""


class TooLong(AssertionError):
    """The run does not come to an end."""


@dataclass(eq=False)
class Process:
    """What dies together."""

    dead: bool = False


class Task:
    """A thread that runs only while it holds the baton."""

    def __init__(self, schedule: Schedule, process: Process, name: str, work: Callable[[], None]) -> None:
        self.process = process
        self.name = name
        self.ready: Callable[[], bool] = lambda: True
        self.deadline: float | None = None
        self.late = False
        self.over = False
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._schedule = schedule
        self._work = work
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self.process.dead:
                self._work()
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001 - told to the one who runs the schedule
            self._schedule.failures.append(error)
        finally:
            self.over = True
            self._back.release()

    def resume(self) -> None:
        """Give the baton away until the task hands it back."""
        self._go.release()
        self._back.acquire()

    def hand_back(self) -> None:
        """Called by the task itself."""
        self._back.release()
        self._go.acquire()
        if self.process.dead:
            raise Crash


class Schedule:
    """Runs tasks, and moves bytes, one step after the other. ``now`` is seconds of a made-up clock."""

    def __init__(self, seed: int, steps_max: int) -> None:
        self.rng = random.Random(seed)
        self.now = 0.0
        self.steps = 0
        self.steps_max = steps_max
        self.failures: list[BaseException] = []
        self.trace = blake2b(digest_size=16)
        self.story: list[str] = []
        self.met: Counter[str] = Counter()
        self.movers: list[Callable[[], bool]] = []
        self._tasks: list[Task] = []
        self._current: Task | None = None

    def note(self, what: str) -> None:
        """Add to the story of the run, and to the digest by which two runs are compared."""
        self.story.append(f"{self.steps} {self.now:.1f} {what}")
        self.trace.update(self.story[-1].encode())

    @property
    def current(self) -> Task:
        """Return the task that holds the baton."""
        assert self._current is not None
        return self._current

    def meet(self, fault: str) -> None:
        """Note that a fault struck."""
        self.met[fault] += 1
        self.note(fault)

    def spawn(self, process: Process, name: str, work: Callable[[], None]) -> None:
        """Add a task; it runs when its turn comes."""
        self._tasks.append(Task(self, process, name, work))

    def pause(self) -> None:
        """Let others run; raises Crash when this task's process died meanwhile."""
        self.wait(lambda: True)

    def wait(self, ready: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Hand the baton back until ``ready``; False when the time was over first."""
        task = self.current
        task.ready, task.late = ready, False
        task.deadline = None if timeout_s is None else self.now + timeout_s
        task.hand_back()
        return not task.late

    def sleep(self, seconds: float) -> None:
        """Wait for the clock alone."""
        self.wait(lambda: False, seconds)

    def kill(self, process: Process) -> None:
        """End a process where it stands. What it runs next is the end of each of its tasks."""
        process.dead = True
        for task in [task for task in self._tasks if task.process is process and task is not self._current]:
            self._run(task)

    def freeze(self, process: Process, seconds: float) -> None:
        """Let nothing of a process run for so long, as SIGSTOP does; deadlines that pass are missed."""
        until = self.now + seconds
        for task in self._tasks:
            if task.process is process:
                task.ready = self._thawed(until, task.ready)
                if task.deadline is not None:
                    task.deadline = max(task.deadline, until)
        self.spawn(Process(), "thaw", lambda: self.sleep(seconds))

    def _thawed(self, until: float, ready: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: self.now >= until and ready()

    def run(self, between: Callable[[], None]) -> None:
        """Run until no task is left; ``between`` is called before each step. Raises what a task raised."""
        while self._tasks and not self.failures:
            self.steps += 1
            self.now += 0.001
            if self.steps > self.steps_max:
                raise TooLong(f"not over after {self.steps} steps")
            between()
            if not self._tasks:
                break
            # Who died in the middle of a step leaves others that wait; they end when their turn comes.
            able = [task for task in self._tasks if task.process.dead or task.ready()]
            choice = self.rng.randrange(len(able) + 1)
            if choice == len(able) and self._move():
                continue
            if able:
                self._run(able[choice % len(able)])
            elif not self._move():
                self._wake()
        if self.failures:
            raise self.failures[0]

    def end(self) -> None:
        """End every task that is left, so that no thread outlives the run."""
        for task in list(self._tasks):
            task.process.dead = True
            self._run(task)

    def _move(self) -> bool:
        movers = list(self.movers)
        self.rng.shuffle(movers)
        return any(mover() for mover in movers)

    def _wake(self) -> None:
        """Nobody can run: the clock moves to the first who stops waiting."""
        waiting = [task for task in self._tasks if task.deadline is not None]
        if not waiting:
            raise TooLong("everybody waits for everybody")
        first = min(waiting, key=lambda task: task.deadline or 0.0)
        self.now = max(self.now, first.deadline or 0.0)
        first.late = True
        self._run(first)

    def _run(self, task: Task) -> None:
        before, self._current = self._current, task
        self.trace.update(task.name.encode())
        while True:
            task.resume()
            if task.over:
                self._tasks.remove(task)
                break
            if not task.process.dead:
                break
        self._current = before
