"""The console command ``wherry``. It promises that an interruption while it still loads ends it as one
later does: a sentence and exit code 130. So nothing is imported here before it can be caught.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from tui.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt:
        if os.environ.get("WHERRY_PROGRESS") == "json":  # spelled out: nothing more is loaded now
            sys.stderr.write('{"event": "said", "text": "interrupted; nothing was stored"}\n')
            sys.stderr.write('{"event": "end", "exit_code": 130}\n')
        else:
            sys.stderr.write("interrupted; nothing was stored\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
