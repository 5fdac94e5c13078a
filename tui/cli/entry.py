"""The console command ``wherry``. It promises that an interruption while it still loads ends it as one
later does: a sentence and exit code 130. So nothing is imported here before it can be caught.
A defect of wherry is a sentence and exit code 1; its traceback is in a log, and with WHERRY_DEBUG on stderr.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from planner.garbage import loading
        from tui.cli.interrupts import hear_all

        hear_all()
        with loading():
            from tui.cli.main import main as command_line
        command_line()
    except KeyboardInterrupt:
        if os.environ.get("WHERRY_PROGRESS") == "json":  # spelled out: nothing more is loaded now
            sys.stderr.write('{"event": "said", "text": "interrupted; nothing was stored"}\n')
            sys.stderr.write('{"event": "end", "exit_code": 130}\n')
        else:
            sys.stderr.write("interrupted; nothing was stored\n")
        sys.exit(130)
    except Exception as fault:  # noqa: BLE001 - told and logged
        sys.exit(_broke(fault))


def _broke(fault: Exception) -> int:
    """Keep the traceback of a defect, say in one sentence that there is one, and return the exit code."""
    from tui.cli.defects import kept
    from tui.cli.output import complain

    error = kept(fault)
    complain(error, as_json="--json" in sys.argv)
    return error.exit_code


if __name__ == "__main__":
    main()
