"""Leases of movers on the user's PostgreSQL: who is alive, and who must not touch a disk any more.

A mover renews its lease; its own deadline counts from before the request, so that it stops before anybody
thinks it dead. Whoever was fenced stays fenced: a mover that comes back begins under a new lease.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

TERM_S = 6.0
MARGIN_S = 3.0  # between a mover's own deadline and the moment at which others believe it
_TABLE = """
CREATE SCHEMA IF NOT EXISTS wherry;
CREATE TABLE IF NOT EXISTS wherry.mover_lease (
    mover text PRIMARY KEY, site text NOT NULL, slots integer NOT NULL, expires timestamptz NOT NULL,
    begun timestamptz NOT NULL DEFAULT now(), fenced boolean NOT NULL DEFAULT false
)"""
_RENEW = """
INSERT INTO wherry.mover_lease (mover, site, slots, expires)
VALUES (%(mover)s, %(site)s, %(slots)s, now() + %(term)s * interval '1 second')
ON CONFLICT (mover) DO UPDATE SET expires = excluded.expires WHERE NOT mover_lease.fenced
RETURNING fenced"""
_FENCE = """
UPDATE wherry.mover_lease SET fenced = true
WHERE NOT fenced AND expires + %s * interval '1 second' < now() RETURNING mover"""
_ALIVE = """
SELECT mover, site, slots FROM wherry.mover_lease WHERE NOT fenced AND expires > now() ORDER BY mover"""


def prepare(url: str) -> None:
    """Make the table where there is none."""
    with connect(url) as connection, contextlib.suppress(_races()):
        connection.execute(_TABLE)


def connect(url: str) -> psycopg.Connection:
    """Return a connection that commits at once."""
    import psycopg

    return psycopg.connect(url, autocommit=True, connect_timeout=3)


def fence(url: str) -> list[str]:
    """Fence the movers whose leases are over, and return them."""
    with connect(url) as connection:
        return [row[0] for row in connection.execute(_FENCE, (MARGIN_S,)).fetchall()]


def alive(url: str) -> list[tuple[str, str, int]]:
    """Return (mover, site, slots) of all that hold a lease."""
    with connect(url) as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(_ALIVE).fetchall()]


class Lease:
    """A mover's own lease, renewed in a thread. ``lost`` is called once when somebody fenced it."""

    def __init__(
        self,
        url: str,
        mover: str,
        site: str,
        slots: int,
        lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._words = {"mover": mover, "site": site, "slots": slots, "term": TERM_S}
        self._lost = lost
        self._clock = clock
        self._deadline = float("-inf")
        self._done = threading.Event()
        threading.Thread(target=self._renew, name="lease", daemon=True).start()

    @property
    def left_s(self) -> float:
        """Seconds for which this mover may go on without another renewal; 0 when it must stop."""
        return max(self._deadline - self._clock(), 0.0)

    def close(self) -> None:
        """Renew no more."""
        self._done.set()

    def _renew(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._done.is_set():
            try:
                connection = connection or connect(self._url)
                asked_at = self._clock()
                if connection.execute(_RENEW, self._words).fetchone() is None:
                    self._deadline = float("-inf")
                    self._lost()
                    return
                self._deadline = asked_at + TERM_S
            except _failures():
                with contextlib.suppress(Exception):
                    if connection is not None:
                        connection.close()
                connection = None
            self._done.wait(TERM_S / 5)
        if connection is not None:
            connection.close()


def _failures() -> type[Exception]:
    import psycopg

    return psycopg.Error


def _races() -> type[Exception]:
    """Return what two processes see that make the same table at the same moment."""
    import psycopg

    return psycopg.errors.UniqueViolation
