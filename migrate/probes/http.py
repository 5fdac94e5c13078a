"""http: does a URL answer with a status, and with words in its text. Nothing is followed or believed."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrate.probes.asking import Answer
from migrate.probes.deadline import cut_off_after
from migrate.probes.tcp import why_not
from migrate.probes.trust import context_of
from planner.errors import BadInput
from planner.names import visible

if TYPE_CHECKING:
    from migrate.probes.question import Question

_READ_BYTES = 1 << 20  # of a text, however long it is


def ask_http(question: Question, directory: Path, limit_s: float) -> Answer:
    """Get the URL once, without proxies and without going where it points."""
    until = time.monotonic() + limit_s
    try:
        status, reason, text = _get(question, directory, until)
    except BadInput as error:
        return Answer(False, error.message)
    except ssl.SSLCertVerificationError as error:
        return Answer(False, f"the certificate is not valid: {error.verify_message}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(False, "no answer in time" if time.monotonic() >= until else why_not(error))
    if time.monotonic() >= until:  # what was cut off may look as if it had come to its end
        return Answer(False, "no answer in time")
    if status != question.status:
        return Answer(False, f"it answered {status} {visible(reason, 60)}")
    if question.holds and question.holds.encode() not in text:
        cut = ", in its first MiB" if len(text) == _READ_BYTES else ""
        return Answer(False, f"it answered {status}, without {visible(question.holds, 40)!r}{cut}")
    return Answer(True, f"it answered {status}")


def _get(question: Question, directory: Path, until: float) -> tuple[int, str, bytes]:
    """Return status, reason and the begin of the text; raises what sockets, TLS and HTTP raise."""
    parts = urlsplit(question.url)
    if not parts.hostname:
        raise ValueError("the URL names no host")
    talking: http.client.HTTPConnection
    secure = parts.scheme == "https"
    if secure:
        context = context_of(question.trust, directory)
        talking = http.client.HTTPSConnection(parts.hostname, parts.port, context=context)
    else:
        talking = http.client.HTTPConnection(parts.hostname, parts.port)
    limit_s = max(until - time.monotonic(), 0.001)
    with (
        socket.create_connection((parts.hostname, talking.port), limit_s) as plain,
        cut_off_after(plain, until),
        closing(talking),
    ):
        talking.sock = context.wrap_socket(plain, server_hostname=parts.hostname) if secure else plain
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        talking.request("GET", path, headers={"Connection": "close", "User-Agent": "wherry"})
        answer = talking.getresponse()
        return answer.status, answer.reason, answer.read(_READ_BYTES) if question.holds else b""
