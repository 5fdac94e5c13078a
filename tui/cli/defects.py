"""A defect of wherry: its traceback is kept in a log, and one sentence says that there is one.

With WHERRY_DEBUG set the traceback is written to stderr as well.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from planner.errors import WherryError
from tui.logs import opened

_LONGEST = 200  # of what a defect says of itself


def kept(fault: Exception) -> WherryError:
    """Keep the traceback of a defect and return what is told of it."""
    said = "".join(traceback.format_exception(fault))
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "wherry"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with opened(folder, "wherry.log") as log, suppress(OSError):  # a full disk does not hide what happened
        log.write(f"{said}\n".encode("utf-8", "replace"))
    if os.environ.get("WHERRY_DEBUG"):
        sys.stderr.write(said)
    log_file = folder / "logs" / "wherry.log"
    where = f"it is described in {log_file}" if log_file.is_file() else "set WHERRY_DEBUG=1 to see where"
    what = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    return WherryError(
        f"wherry broke: {' '.join(what.split())[:_LONGEST]}", f"report this as a fault of wherry; {where}"
    )
