"""The console command ``wherry``. It promises that an interruption while it still loads ends it as one
later does: a sentence and exit code 130. So nothing is imported here before it can be caught.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from tui.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was stored\n")
        sys.exit(130)
