"""A file of a datastore as a vCenter serves it: ``/folder/...?dcPath=&dsName=`` under the session's cookie.

    HEAD        size and time of the last change
    GET         a range; what comes must be exactly that range of exactly that file
    PUT         a range, where the server takes one

Whatever passes is tried again until ``patience_s`` is over: a dropped connection, a busy server, an expired
session. What a request does is the same each time it is made.
"""

from __future__ import annotations

import errno
import http.client
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urlencode

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from planner.errors import SiteRefused, Unreachable, WherryError
from planner.sources.vcenter.session import RENEWALS
from planner.sources.vcenter.tls import untrusted
from planner.sources.vcenter.wire import Answer, Dropped

T = TypeVar("T")

_COOKIE = "vmware_soap_session"
_LATER = frozenset({408, 429, 500, 502, 503, 504})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
_SMALL_BYTES = 1024 * 1024
_RENEWED = {401: RENEWALS, 403: 1}  # what is said of a session that ended, and of a right that lacks


@dataclass(frozen=True, slots=True)
class Stand:
    """How a file stood when it was looked at; ``modified`` is the server's own word, empty for none."""

    size_bytes: int
    modified: str


class FolderFile:
    """One file. For several threads: each has a connection of its own."""

    def __init__(self, connection: Connection, file: DatastorePath, datacenter: str) -> None:
        """Name a file; ``datacenter`` is its inventory path. Nothing is asked yet."""
        self._connection = connection
        self.file = file
        query = urlencode({"dcPath": datacenter.strip("/"), "dsName": file.datastore}, quote_via=quote)
        self._url = f"/folder/{quote(file.path)}?{query}"

    def look(self) -> Stand | None:
        """Return how the file stands, None when it is certainly not there; raises WherryError."""

        def take(answer: Answer) -> Stand | None:
            if answer.status == http.client.NOT_FOUND:
                return None
            self._must_be(answer, http.client.OK)
            head = _head(answer)
            if not head.get("content-length", "").isdecimal():
                raise Dropped("the answer does not say how long the file is")
            return Stand(int(head["content-length"]), head.get("last-modified", ""))

        return self._ask("HEAD", take)

    def small(self) -> bytes | None:
        """Return all of a small file, as descriptors are, None when it is not there; raises WherryError."""

        def take(answer: Answer) -> bytes | None:
            body = answer.body(_SMALL_BYTES)
            if answer.status == http.client.NOT_FOUND:
                return None
            self._must_be(answer, http.client.OK)
            return body

        return self._ask("GET", take)

    def read_into(self, buffer: memoryview, offset: int, stand: Stand) -> None:
        """Fill ``buffer`` from ``offset`` of the file that stands so; raises OSError, WherryError."""
        last = offset + len(buffer) - 1

        def take(answer: Answer) -> None:
            self._same(answer, stand, offset, last)
            at = 0
            for chunk in answer.chunks:
                if at + len(chunk) > len(buffer):
                    raise Dropped("the answer is longer than what was asked for")
                buffer[at : at + len(chunk)] = chunk
                at += len(chunk)
            if at < len(buffer):
                raise Dropped("the answer is shorter than what was asked for")

        self._ask("GET", take, headers={"Range": f"bytes={offset}-{last}"})

    def write(self, data: bytes, offset: int, size_bytes: int) -> None:
        """Write a range in place; for servers of which a probe has shown that they do. Raises WherryError."""
        last = offset + len(data) - 1
        self._put(data, {"Content-Range": f"bytes {offset}-{last}/{size_bytes}"})

    def replace(self, data: bytes) -> None:
        """Make or replace the whole file; raises WherryError."""
        self._put(data, {})

    def _put(self, data: bytes, headers: dict[str, str]) -> None:
        def take(answer: Answer) -> None:
            answer.body(_SMALL_BYTES)
            self._must_be(answer, http.client.OK, http.client.CREATED, http.client.NO_CONTENT)

        self._ask("PUT", take, data, {"Content-Type": "application/octet-stream", **headers})

    def _same(self, answer: Answer, stand: Stand, first: int, last: int) -> None:
        """Raise unless an answer is the range that was asked for, of the file that was looked at."""
        if answer.status in (http.client.NOT_FOUND, http.client.REQUESTED_RANGE_NOT_SATISFIABLE):
            raise OSError(errno.ESTALE, f"{self.file.shown} is gone or shorter than it was")
        if answer.status == http.client.OK:
            raise OSError(errno.EOPNOTSUPP, f"{self._connection.shown} does not serve ranges of files")
        self._must_be(answer, http.client.PARTIAL_CONTENT)
        head = _head(answer)
        said = _RANGE.fullmatch(head.get("content-range", ""))
        if said is None or (int(said[1]), int(said[2])) != (first, last):
            raise Dropped("the answer is another range than was asked for")
        modified = head.get("last-modified", "") if stand.modified else ""
        if (int(said[3]), modified) != (stand.size_bytes, stand.modified):
            raise OSError(errno.ESTALE, f"{self.file.shown} was changed or replaced while it was read")

    def _must_be(self, answer: Answer, *wanted: int) -> None:
        if answer.status not in wanted:
            raise SiteRefused(
                f"{self._connection.shown} answers {answer.status} for {self.file.shown}",
                "check that the account may browse the datastore and read its files",
            )

    def _ask(
        self,
        method: str,
        take: Callable[[Answer], T],
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> T:
        connection, session = self._connection, self._connection.session
        begun, pause_s, renewed = connection.clock(), _FIRST_PAUSE_S, 0
        while True:
            key = session.key
            mine = {"Accept-Encoding": "identity", "Cookie": f'{_COOKIE}="{key}"', **(headers or {})}
            failed: Exception
            try:
                answer = session.wire.request(method, self._url, body, mine)
                if renewed < _RENEWED.get(answer.status, 0):
                    answer.body(_SMALL_BYTES)
                    session.renew(key)
                    renewed += 1
                    continue
                if answer.status in _LATER:
                    answer.body(_SMALL_BYTES)
                    raise Dropped(f"HTTP status {answer.status}")
                return take(answer)
            except ssl.SSLCertVerificationError as error:
                raise untrusted(session.login, error) from error
            except (Dropped, Unreachable) as error:
                failed = error
            if connection.clock() - begun >= connection.patience_s:
                raise Unreachable(
                    f"{connection.shown} does not serve {self.file.shown}: {failed}",
                    "look at the vCenter and its host, then try again",
                ) from failed
            connection.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _head(answer: Answer) -> dict[str, str]:
    return {name.casefold(): value.strip() for name, value in answer.headers.items()}


def as_os_error(error: WherryError) -> OSError:
    """Return what a disk raises for an error of the file behind it."""
    return OSError(errno.ETIMEDOUT if error.retryable else errno.EIO, error.message)
