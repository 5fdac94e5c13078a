"""Works out what the tables of the screens ask for and nobody stored yet, then ends.

    python -m tui.study.judging ROOT

Who is tied to whom, the columns that filters are asked of, what the checks say: each stored whole or not
at all. It says nothing on the terminal, gives way to all else, and ends with its parent: when stdin does.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path


def main(root: Path) -> int:
    """Fill what is missing; return 0, or 1 when it could not be stored."""
    from planner.errors import WherryError
    from planner.store import columns, inventories, judged, neighbours
    from planner.store.project import Project

    try:
        with Project.open(root) as project:
            head = inventories.find_summary(project)
            if head is not None:
                neighbours.build(project, head.id)
                columns.build(project, head.id)
                if judged.fresh(project) is None:
                    judged.judge_and_store(project)
    except WherryError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def run() -> None:
    """Do it as a process of its own."""
    os.nice(5)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = main(Path(sys.argv[1]))
    os._exit(code)  # the thread that waits for stdin must not hold up the end


if __name__ == "__main__":
    run()
