"""Our own HTTPS connection to a vCenter: one request at a time, answers as bounded streams.

It shares the verified or pinned context of the session and unpacks gzip as it comes. Whatever breaks
below HTTP is ``Dropped``: the caller decides whether to begin again.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection

from planner.errors import BadInput

CHUNK_BYTES = 128 * 1024
MAX_ANSWER_BYTES = 2 * 1024**3  # unpacked; a page of an honest vCenter is a few MiB
_IDLE_S = 20.0  # after that a vCenter may have closed its end

NOT_YET = frozenset({502, 503, 504})  # said by a vCenter's proxy for services that have not started


class Dropped(Exception):
    """A connection broke before its answer was complete."""


@dataclass(slots=True)
class Answer:
    """The status and headers of an answer, and its body as chunks of unpacked bytes."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]

    def body(self, most: int = 64 * 1024**2) -> bytes:
        """Return the whole body; raises Dropped, and BadInput beyond ``most`` bytes."""
        found = bytearray()
        for chunk in self.chunks:
            found += chunk
            if len(found) > most:
                raise BadInput("the vCenter's answer is larger than it can be", "check what answers there")
        return bytes(found)


class Wire:
    """One kept-alive connection. Not for two threads at a time."""

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._place = (host, port)
        self._context = context
        self._timeout_s = timeout_s
        self._clock = clock
        self._most_bytes = most_bytes
        self._connection: HTTPSConnection | None = None
        self._last_s = 0.0
        self._open: Answer | None = None
        self.calls = 0

    def _connected(self) -> HTTPSConnection:
        if self._open is not None or self._clock() - self._last_s > _IDLE_S:
            self.close()  # an answer nobody read to its end, or an old connection
        if self._connection is None:
            host, port = self._place
            self._connection = HTTPSConnection(host, port, timeout=self._timeout_s, context=self._context)
        return self._connection

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and return its answer; raises Dropped, SSLCertVerificationError."""
        connection = self._connected()
        self.calls += 1
        try:
            connection.request(
                method,
                path,
                body or None,
                {"Accept-Encoding": "gzip", "User-Agent": "wherry", **(headers or {})},
            )
            response = connection.getresponse()
        except ssl.SSLCertVerificationError:
            self.close()
            raise
        except (OSError, HTTPException) as error:
            self.close()
            raise Dropped(_why(error)) from error
        answer = Answer(response.status, dict(response.getheaders()), iter(()))
        answer.chunks = self._chunks(answer, response)
        self._open = answer
        return answer

    def _chunks(self, answer: Answer, response: HTTPResponse) -> Iterator[bytes]:
        unpack = zlib.decompressobj(31) if response.getheader("Content-Encoding", "") == "gzip" else None
        total, awaited = 0, response.length
        try:
            while True:
                packed = response.read(CHUNK_BYTES)
                if awaited is not None:
                    awaited -= len(packed)
                if not packed:
                    break
                while packed:
                    # In steps: a few bytes of gzip may stand for gigabytes.
                    chunk = unpack.decompress(packed, CHUNK_BYTES) if unpack else packed
                    packed = unpack.unconsumed_tail if unpack else b""
                    total += len(chunk)
                    if total > self._most_bytes:
                        raise BadInput(
                            "the vCenter's answer is larger than it can be", "check what answers there"
                        )
                    yield chunk
            # http.client takes a body that ends early for a whole one.
            if awaited or (unpack and not unpack.eof):
                raise Dropped("the answer ended early")
        except (OSError, HTTPException, zlib.error) as error:
            self.close()
            raise Dropped(_why(error)) from error
        except (Dropped, BadInput):
            self.close()
            raise
        if self._open is answer:
            self._open = None
        self._last_s = self._clock()
        if response.will_close:
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._open = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _why(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{type(error).__name__}: {text}" if isinstance(error, HTTPException) else text
