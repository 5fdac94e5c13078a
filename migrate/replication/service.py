"""The receiver as a service: connections in, one thread each, away when idle.

Only processes of the same user are heard; how many at once is bounded, and so is the memory of each.
The service is crash-only: everything it has promised is in its store.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.replication.channel import ChannelClosed, SocketChannel, peer_uid
from migrate.replication.dedupe.pools import Pool, Pools
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from planner.errors import BadInput, ProjectBusy, WherryError
from planner.names import visible

_log = logging.getLogger(__name__)
_TICK_S = 0.5
PATIENCE_S = 2.0  # a verb that looks into a store is soon done


@contextmanager
def _nobody() -> Iterator[Callable[[], bool]]:
    yield lambda: False


def serve_forever(
    listening: socket.socket,
    open_disk: Callable[[str], WritableDisk],
    store: Path,
    idle_exit_s: float,
    *,
    open_read: Callable[[str], ReadableDisk] | None = None,
    connections: int = 16,
    timeout_s: float = 300.0,
    stop: Callable[[], bool] = lambda: False,
    resynced: Callable[[str, str], None] = lambda _volume, _why: None,
    beside: Callable[[], AbstractContextManager[Callable[[], bool]]] = _nobody,
) -> None:
    """Answer connections on a listening Unix socket until nothing came for ``idle_exit_s``.

    ``store`` is the directory of the progress logs, created private; one service uses it at a time.
    ``open_read`` opens a volume that another connection may be writing; without it nothing is deduped.
    ``beside`` is entered once the store is ours, and gives what tells whether somebody needs the process.
    Raises ProjectBusy when another one does.
    """
    lock = open_store(store)
    pools: Pools | None = None
    with ExitStack() as stack:
        stack.callback(os.close, lock)
        if open_read is not None:
            pools = Pools(store, open_read)
            stack.callback(pools.close)
        is_needed = stack.enter_context(beside())
        receiver = Receiver(
            open_disk, lambda volume: ProgressLog(LogFile(store, volume), volume), resynced=resynced
        )
        slots = threading.BoundedSemaphore(connections)
        live: set[threading.Thread] = set()
        last = time.monotonic()
        listening.settimeout(min(_TICK_S, max(idle_exit_s, 0.01)))
        while not stop():
            live = {thread for thread in live if thread.is_alive()}
            if live or is_needed():
                last = time.monotonic()
            try:
                sock, _address = listening.accept()
            except TimeoutError:
                if time.monotonic() - last >= idle_exit_s:
                    return
                continue
            last = time.monotonic()
            if peer_uid(sock) != os.geteuid() or not slots.acquire(blocking=False):
                sock.close()
                continue
            thread = threading.Thread(
                target=_answer,
                args=(receiver, sock, timeout_s, slots, pools.of if pools else lambda: None),
                daemon=True,
                name="wherry-receive",
            )
            live.add(thread)
            thread.start()


def _answer(
    receiver: Receiver,
    sock: socket.socket,
    timeout_s: float,
    slots: threading.BoundedSemaphore,
    pool: Callable[[], Pool | None],
) -> None:
    channel = SocketChannel(sock, timeout_s)
    try:
        receiver.serve(channel, pool=pool)
    except ChannelClosed:
        _log.debug("the peer left")
    except WherryError as error:
        _log.info("conversation ended: %s", visible(error.message, 500))
    except Exception:  # noqa: BLE001
        # One connection's defect must not end the others; the sender sees it break.
        _log.exception("conversation failed")
    finally:
        channel.close()
        slots.release()


def open_store(store: Path, patience_s: float = PATIENCE_S) -> int:
    """Make and lock the directory of the progress logs; the lock ends with the descriptor returned.

    Raises ProjectBusy, with who has it, when that does not let go of it in ``patience_s``.
    """
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(store, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    about = os.fstat(fd)
    if about.st_uid != os.geteuid() or about.st_mode & 0o077:
        os.close(fd)
        raise BadInput(
            f"{visible(str(store))} can be entered by others",
            "give the receiver a directory of its own, mode 700",
        )
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError as error:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            os.close(fd)
            raise ProjectBusy(
                f"{visible(str(store))} is in use by {_holder(about)}",
                "use the receiver that is at work there, or let the verb end that looks into it",
            ) from error


def _holder(about: os.stat_result) -> str:
    """Return which process has a file locked, in words."""
    file = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    try:
        lines = [line.split() for line in Path("/proc/locks").read_text("ascii").splitlines()]
    except (OSError, UnicodeDecodeError):
        return "another process"
    found = [line[4] for line in lines if line[1] == "FLOCK" and line[5] == file]  # who waits has an arrow
    return f"process {found[0]}" if found and int(found[0]) > 0 else "another process"
