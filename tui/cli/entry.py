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
    import traceback
    from contextlib import suppress
    from pathlib import Path

    from planner.errors import WherryError
    from tui.cli.output import complain
    from tui.logs import opened

    said = "".join(traceback.format_exception(fault))
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "wherry"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with opened(folder, "wherry.log") as log, suppress(OSError):  # a full disk does not hide what happened
        log.write(f"{said}\n".encode("utf-8", "replace"))
    if os.environ.get("WHERRY_DEBUG"):
        sys.stderr.write(said)
    kept = folder / "logs" / "wherry.log"
    where = f"it is described in {kept}" if kept.is_file() else "set WHERRY_DEBUG=1 to see where"
    what = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    error = WherryError(
        f"wherry broke: {' '.join(what.split())[:200]}", f"report this as a fault of wherry; {where}"
    )
    complain(error, as_json="--json" in sys.argv)
    return error.exit_code


if __name__ == "__main__":
    main()
