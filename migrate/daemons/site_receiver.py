"""The receiver of a site on a network: the passes and the journals of a project's waves, by TLS.

What a run asks of a receiver beside it is asked over the line here, all but images of a disk, which are
served to programs of the receiver's own machine. A volume is opened through the site, once the site knows
where it lies; see ``migrate.sites.placed``.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.control import Caller, Handler, Told, answer
from migrate.daemons.lock import ServerLock
from migrate.daemons.receiver import (
    NAME,
    ON_NETWORK,
    KeptVolumes,
    SiteVolumes,
    must_be_site,
    run_of,
    store_of,
)
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.placed import TellsPlaces
from planner.errors import BadInput, Blocked, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from migrate.replication.tls import TlsKeys


class SiteReceiver:
    """Serves one site, ``where``, to the senders of one project."""

    def __init__(self, where: str, keys: TlsKeys, revoked: Path | None = None) -> None:
        """Look whether the site is there; raises Unreachable, BadInput, Blocked."""
        from migrate.replication.dedupe.pools import Pools
        from migrate.replication.network import NetworkService

        must_be_site(where)
        holder = keys.bundle.holder
        with SiteVolumes(where).site() as site:
            if holder.site != site.name:
                raise BadInput(
                    f"the keys are those of the {holder}, and the site is {visible(site.name, 80)}",
                    "issue keys for this site: a sender trusts their name",
                )
        self._where = where
        self._store = store_of(where)
        self._volumes = SiteVolumes(where)
        self._kept = KeptVolumes(self._volumes, self._store)
        self._handlers: dict[str, Handler] = {"site": self._site, "places": self._places}
        self._store.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._service = NetworkService(
            keys,
            self._open_write,
            None,
            self._store,
            answers=lambda sock, admit: answer(sock, self._handlers, admit),
            revoked=revoked,
            pools=Pools(self._store, self._open_read),
            resynced=self._kept.resynced,
        )

    def serve(
        self, listening: socket.socket, stop: Callable[[], bool], begun: Callable[[Told], None]
    ) -> None:
        """Answer until told to stop, ``begun`` hears which site it is; raises ProjectBusy, WherryError."""

        @contextmanager
        def beside() -> Iterator[None]:
            with self._kept.attended() as attending:
                self._handlers |= {**attending.handlers, "serve-image": _served_there}
                begun(self._standing())
                yield

        run = run_of(self._where)
        with ServerLock(run, NAME), ServerLock(run, ON_NETWORK):
            self._service.serve(listening, stop, beside)

    def _open_write(self, volume: str) -> WritableDisk:
        self._must_be_placed(volume)
        return self._kept.open_write(volume)

    def _open_read(self, volume: str) -> ReadableDisk:
        self._must_be_placed(volume)
        return self._kept.open_read(volume)

    def _must_be_placed(self, volume: str) -> None:
        """Raise NotFound for a volume of which the site was not told: its id alone may name any disk."""
        with self._volumes.site() as site:
            if isinstance(site, TellsPlaces) and not site.places((volume,)):
                raise NotFound(
                    f"volume {visible(volume, 80)} is not known to the receiver",
                    "run the verb again: a run tells where its volumes lie as it begins",
                )

    def _standing(self) -> Told:
        there = os.statvfs(self._store)
        with self._volumes.site() as site:
            return {
                "name": site.name, "identity": site.identity, "free_bytes": there.f_bavail * there.f_frsize
            }  # fmt: skip

    def _site(self, _request: Told, _caller: Caller) -> Told:
        return self._standing()

    def _places(self, request: Told, _caller: Caller) -> Told:
        told = request.get("places")
        if not isinstance(told, dict) or not all(
            isinstance(found, list) and all(isinstance(place, str) for place in found)
            for found in told.values()
        ):
            raise BadInput("a request does not say where volumes lie", "use the same release on both sides")
        with self._volumes.site() as site:
            if isinstance(site, TellsPlaces):
                site.take_places({volume: tuple(found) for volume, found in told.items()})
        return {"known": len(told)}


def _served_there(_request: Told, _caller: Caller) -> Told:
    raise Blocked(
        "images are served to programs of the receiver's own machine",
        "run 'wherry checkpoints' and 'wherry image' there, in the receiver's project",
    )
