"""A leash: a pipe whose other end is held by whoever started this process.

When that closes, by a crash or ``kill -9`` as well, this process gets a hang-up; what is still there some
seconds later is killed, with all of its process group.
"""

from __future__ import annotations

import os
import signal
from threading import Thread
from time import sleep

_GRACE_S = 3.0


def hold(leash: int) -> None:
    """Watch a leash from a thread; this process must lead a group of its own."""
    if os.getpgid(0) != os.getpid():
        os.setpgid(0, 0)  # what is killed in the end must be ours alone
    Thread(target=_wait, args=(leash,), name="leash", daemon=True).start()


def _wait(leash: int) -> None:
    while os.read(leash, 4096):
        pass
    os.kill(os.getpid(), signal.SIGHUP)
    sleep(_GRACE_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)
