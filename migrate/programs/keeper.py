"""The process beside a program that must not run twice: it outlives the run and writes down the end.

    python -m migrate.programs.keeper MARKS NUMBER   with an order as JSON on its input

``NUMBER.started`` is on the disk before the program is, ``NUMBER.ended`` when it is over. The lock of
``NUMBER.begun`` comes with the open file and is held as long as this process lives.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from migrate.programs.running import run


def main(marks: Path, number: str) -> None:
    """Run the ordered program and leave its end in ``marks``."""
    order = json.loads(sys.stdin.buffer.read())
    put(marks / f"{number}.started", b"")
    ended = run(
        order["argv"],
        environment=order["environment"],
        directory=Path(order["directory"]),
        limit_s=order["limit_s"],
    )
    put(marks / f"{number}.ended", json.dumps(asdict(ended)).encode())


def put(path: Path, body: bytes) -> None:
    """Write a file whole or not at all, and have it on the disk."""
    draft = path.with_name(f"{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o660), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
