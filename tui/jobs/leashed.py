"""``python -m tui.jobs.leashed VERB ...``: a verb that ends when whoever started it is gone.

Its stdin is the leash. A verb that is let go is interrupted and stores nothing.
"""

from __future__ import annotations

import os
import signal
import sys

from tui.jobs.leash import hold


def main() -> None:
    """Run the command line on a leash, in a process group of its own."""
    # Both may have been ignored by whoever started us. A hang-up keeps nothing, as a second Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    leash = os.dup(sys.stdin.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())  # no child of the verb holds on to it, and nobody is asked
    os.close(nothing)
    hold(leash)
    from tui.cli.entry import main as command_line

    command_line()


if __name__ == "__main__":
    main()
