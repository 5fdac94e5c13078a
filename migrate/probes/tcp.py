"""tcp: can a port be connected to; nothing is sent."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from migrate.probes.asking import Answer

if TYPE_CHECKING:
    from migrate.probes.question import Question


def ask_tcp(question: Question, limit_s: float) -> Answer:
    """Connect and close."""
    try:
        with socket.create_connection((question.host, question.port), limit_s) as connection:
            there = connection.getpeername()[0]
    except (OSError, ValueError) as error:
        return Answer(False, why_not(error))
    return Answer(True, f"{there} port {question.port} is open")


def why_not(error: Exception) -> str:
    """Return in one line why a connection failed."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"the name is not known: {error.strerror}"
    said = str(getattr(error, "strerror", None) or error).strip() or type(error).__name__
    return said[0].lower() + said[1:]
