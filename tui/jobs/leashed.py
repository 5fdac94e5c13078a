"""``python -m tui.jobs.leashed VERB ...``: a verb that ends when whoever started it is gone.

Its stdin is the leash: the other end is held by the application alone. When that closes, by a crash or
``kill -9`` as well, the verb is interrupted and stores nothing; one that does not hear it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Thread
from time import sleep

_GRACE_S = 3.0


def _hold(leash: int) -> None:
    """Wait until the leash is let go, then end this process and all of its group."""
    while os.read(leash, 4096):
        pass
    os.kill(os.getpid(), signal.SIGHUP)
    sleep(_GRACE_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main() -> None:
    """Run the command line on a leash, in a process group of its own."""
    if os.getpgid(0) != os.getpid():
        os.setpgid(0, 0)  # what is killed in the end must be ours alone
    # Both may have been ignored by whoever started us. A hang-up keeps nothing, as a second Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    leash = os.dup(sys.stdin.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())  # no child of the verb holds on to it, and nobody is asked
    os.close(nothing)
    Thread(target=_hold, args=(leash,), name="leash", daemon=True).start()
    from tui.cli.entry import main as command_line

    command_line()


if __name__ == "__main__":
    main()
