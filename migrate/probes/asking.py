"""Asking a question of the network kinds once: by its kind, within a time, never raising for an answer.

    tcp | http | tls | command ─▶ Answer(ok, one line of what was seen)

``power`` and ``tools`` are asked of the site, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.conduct import ProbeKind

if TYPE_CHECKING:
    from migrate.probes.question import Question

ASK_S = 10.0  # the longest that one attempt takes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking once. ``detail`` is one line, as hostile as the host it came from."""

    ok: bool
    detail: str


def ask(question: Question, directory: Path, limit_s: float) -> Answer:
    """Ask once, for at most ``limit_s``; programs work in ``directory``."""
    from migrate.probes.command import ask_command
    from migrate.probes.http import ask_http
    from migrate.probes.tcp import ask_tcp
    from migrate.probes.tls import ask_tls

    asks: dict[str, Callable[[], Answer]] = {
        ProbeKind.TCP: lambda: ask_tcp(question, limit_s),
        ProbeKind.HTTP: lambda: ask_http(question, directory, limit_s),
        ProbeKind.TLS: lambda: ask_tls(question, directory, limit_s),
        ProbeKind.COMMAND: lambda: ask_command(question, directory, limit_s),
    }
    return asks[question.kind]()
