"""The log of what the hypervisor was asked to do: a line before acting, a line when done.

Every request is logged, repeated ones too, so anyone can count what really arrived. A call that
finished under an op gives its old result when it comes again under that op.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from planner.errors import WherryError

T = TypeVar("T")


class OpLog:
    """``ops.log``: JSON lines, each durable before ``begin`` or ``done`` returns."""

    def __init__(self, path: Path, forget: frozenset[str]) -> None:
        """Read the log; results of calls named in ``forget`` died with the process that gave them."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._results: dict[tuple[str, str, str], object] = {}
        self._count = 0
        data = path.read_bytes()
        for line in data.splitlines():
            try:
                entry = json.loads(line)
                self._count = max(self._count, int(entry["n"]))
                if entry.get("done") and entry["call"] not in forget:
                    self._results[entry["op"], entry["call"], entry["subject"]] = entry.get("result")
            except (ValueError, KeyError, TypeError):
                continue  # a line torn by a crash: its act was not reported done
        if data and not data.endswith(b"\n"):
            os.write(self._fd, b"\n")

    def _append(self, entry: dict[str, object]) -> None:
        os.write(self._fd, json.dumps(entry).encode() + b"\n")
        os.fdatasync(self._fd)

    def begin(self, op: str, call: str, subject: str) -> int:
        """Log that a request arrived and return its number."""
        self._count += 1
        self._append({"n": self._count, "op": op, "call": call, "subject": subject})
        return self._count

    def done(
        self, number: int, op: str, call: str, subject: str, result: object, repeated: bool = False
    ) -> None:
        """Log that request ``number`` was done, with its result."""
        entry: dict[str, object] = {"n": number, "op": op, "call": call, "subject": subject, "done": True}
        entry["result"] = result
        if repeated:
            entry["repeated"] = True
        self._append(entry)
        self._results[op, call, subject] = result

    def failed(self, number: int, op: str, call: str, subject: str, why: str) -> None:
        """Log that request ``number`` was declined or failed: it may come again."""
        self._append({"n": number, "op": op, "call": call, "subject": subject, "done": False, "why": why})

    def perform(self, op: str, call: str, subject: str, act: Callable[[], T], once: bool) -> T | object:
        """Log a request, act, log the outcome and return it; what ``act`` raises is logged and raised.

        With ``once``, a request that was done before under the same op is not acted on again.
        """
        number = self.begin(op, call, subject)
        if once and op and (op, call, subject) in self._results:
            result = self._results[op, call, subject]
            self.done(number, op, call, subject, result, repeated=True)
            return result
        try:
            outcome = act()
        except (WherryError, OSError) as error:
            self.failed(number, op, call, subject, str(error))
            raise
        self.done(number, op, call, subject, outcome if isinstance(outcome, bool) else None)
        return outcome

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def read_ops(path: Path) -> tuple[dict[str, object], ...]:
    """Return every line of a log, for people and tests; torn lines are left out."""
    entries = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return tuple(entries)
