"""A mover: ``python -m migrate.movers.process`` does the tasks that come in on its standard input.

It owns nothing durable: what has arrived is asked of the receiver. When its input ends, for whatever
reason, it stops at the next edge of a block and leaves.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from queue import SimpleQueue
from typing import IO, Any

from migrate.movers.task import Task, line, load_task
from migrate.replication.line import Line, Policy
from migrate.transfers.ports import Moving
from planner.errors import NoSpace, StepFailed, WherryError

_TELL_EVERY_S = 0.1
_PATIENCE_S = 10.0  # for a task to reach an edge once the input has ended


class Mover:
    """One mover: a thread listens, the main thread carries."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source = source
        self._sink = sink
        self._telling = threading.Lock()
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._share: float | None = None

    def run(self) -> None:
        """Do tasks until the input ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        while (task := self._tasks.get()) is not None:
            self._tell(self._done(task))

    def _listen(self) -> None:
        for raw in self._source:
            message = json.loads(raw)
            if "share" in message:
                self._share = message["share"]
            elif "stop" in message:
                self._stopped.set()
            else:
                self._stopped.clear()
                self._share = message["share_bytes_s"]
                self._tasks.put(load_task(message["task"]))
        self._stopped.set()
        self._tasks.put(None)
        time.sleep(_PATIENCE_S)
        os._exit(1)  # stuck in a disk or a line: nobody waits for it any more

    def _done(self, task: Task) -> dict[str, Any]:
        """Do a task and return what is told of it."""
        try:
            return carry(task, self._policy, self._stopped.is_set, self._teller())
        except WherryError as error:
            return {"error": error.as_json()}
        except OSError as error:
            return {"error": _told(error).as_json()}
        except Exception as error:  # noqa: BLE001 - dying of it would be tried again, as a death is
            traceback.print_exc()
            return {"error": _fault(error).as_json()}

    def _policy(self) -> Policy:
        return policy_of_share(self._share)

    def _teller(self) -> Callable[[Moving], None]:
        told_at = float("-inf")

        def tell(moving: Moving) -> None:
            nonlocal told_at
            now = time.monotonic()
            if now - told_at >= _TELL_EVERY_S or moving.done_bytes >= moving.total_bytes:
                told_at = now
                self._tell({"moving": moving})

        return tell

    def _tell(self, message: dict[str, Any]) -> None:
        with self._telling:
            try:
                self._sink.write(line(message))
                self._sink.flush()
            except (BrokenPipeError, ValueError):
                self._stopped.set()  # nobody hears us: the input ends too


def _told(error: OSError) -> WherryError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace("a mover found no space left on a disk", "free space, then run the verb again")
    return StepFailed(f"a mover failed: {error.strerror or error}", "look at the disk, then retry")


def _fault(error: Exception) -> WherryError:
    return StepFailed(
        f"a mover ran into a fault of its own ({type(error).__name__})",
        "that is a defect of wherry; run/engine.log in the project says where",
    )


def policy_of_share(share_bytes_s: float | None) -> Policy:
    """Return the policy of a line with so many bytes a second at any hour; None holds nothing back."""
    from zoneinfo import ZoneInfo

    if share_bytes_s is None:
        return Policy()
    return Policy(Line((share_bytes_s,) * 168, ZoneInfo("UTC")))


def carry(
    task: Task, policy: Callable[[], Policy], stop: Callable[[], bool], tell: Callable[[Moving], None]
) -> dict[str, Any]:
    """Do one task and return the message that says what came of it; raises WherryError."""
    from migrate.daemons.reaching import channel_to, streams_of
    from migrate.movers.keeping import carry_keeping
    from migrate.movers.placing import carry_placement
    from migrate.replication.throttle import Throttle
    from migrate.sites.opening import open_at
    from migrate.transfers.streamed import StreamedTransfers

    if task.placement is not None:
        return carry_placement(task, stop, tell, 2 * _PATIENCE_S)
    if task.keeping is not None:
        return carry_keeping(task, stop, tell)
    with closing(open_at(task.ends.source)) as source:
        transfers = StreamedTransfers(
            source,
            lambda: channel_to(task.ends.target),
            generation=task.generation,
            level=task.manner.level,
            block_bytes=task.manner.block_bytes,
            adapts=task.manner.adapts,
            dedupe=task.manner.dedupe,
            throttle=Throttle(policy),
            streams=streams_of,
            stop=lambda _volume: stop(),
        )
        if task.wanted is not None:
            return {"copied": asdict(transfers.copy(task.wanted, tell))}
        assert task.comparison is not None
        about = task.comparison
        compared = transfers.compare(
            about.volume, about.size_bytes, about.snapshot, tell, larger=about.larger
        )
        return {"compared": asdict(compared)}


def main() -> int:
    """Serve standard input until it ends."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not get between the lines
    Mover(sys.stdin.buffer, sink).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
