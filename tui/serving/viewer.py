"""``python -m tui.serving.viewer ROOT LEASH``: the application of one browser page, read-only always.

The server speaks with it over stdin and stdout; when the server is gone, so is it.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tui.jobs.leash import hold


def main() -> None:
    """Show the project in ROOT until the page is closed."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    hold(int(sys.argv[2]))
    from tui.app import WherryApp
    from tui.ending import shown

    root = Path(sys.argv[1])
    shown(lambda: WherryApp(root, read_only=True), root)


if __name__ == "__main__":
    main()
