"""The receiver of a site, beside us or on another machine: passes to it, and requests."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.away import Away, find_away, keys_of
from migrate.daemons.receiver import asked_receiver, connect_receiver, store_of
from migrate.sites.opening import folder_of
from planner.errors import SiteRefused
from planner.names import visible

if TYPE_CHECKING:
    from migrate.daemons.control import Asks, Told
    from migrate.replication.channel import Channel
    from migrate.replication.tls import TlsChannel
    from migrate.sites.reached import Reached

_AT_ONCE = 100  # volumes in a request, which has a bounded length


def channel_to(where: str) -> Channel:
    """Return a channel for one pass or look; raises Unreachable, SiteRefused, BadInput."""
    away = find_away(where)
    if away is not None:
        return _connected(away, keys_of(where))
    from migrate.replication.channel import SocketChannel

    return SocketChannel(connect_receiver(where))


def streams_of(first: Channel) -> int:
    """Return over how many connections a disk goes: one beside us, on a network what the line is worth."""
    from migrate.replication.tls import TlsChannel

    return first.streams() if isinstance(first, TlsChannel) else 1


def asks_of(where: str) -> Asks:
    """Return a way to ask the receiver of a site; raises Unreachable, SiteRefused, BadInput."""
    away = find_away(where)
    return asked_receiver(where) if away is None else _asks(away, keys_of(where), store_of(where))


def address_of(where: str) -> str:
    """Return HOST:PORT of a site's receiver on another machine, empty for one beside us; raises BadInput."""
    away = find_away(where)
    return away.address if away is not None else ""


def must_be_at(where: str, address: str) -> None:
    """Raise SiteRefused unless this machine has a site's receiver at the address that another one has it at.

    Two receivers of one site would each keep its journals and its fencing generations.
    """
    if (known := address_of(where)) != address:
        theirs, ours = (f"at {visible(one, 100)}" if one else "beside it" for one in (address, known))
        folder = folder_of(where)
        raise SiteRefused(
            f"the receiver of {visible(folder.name, 80)} is {theirs} for the engine and {ours} for a mover",
            f"let the mover's machine see the engine's {visible(str(folder), 200)}",
        )


def look(site: Reached, away: Away, keys: Path) -> Told:
    """Return what a receiver on another machine says of itself.

    Raises SiteRefused when it serves another site than ours, Unreachable, BadInput.
    """
    said = _asks(away, keys, store_of(site.where)).ask("site", {})
    if said.get("identity") != site.identity:
        raise SiteRefused(
            f"the receiver at {visible(away.address, 100)} serves another site than "
            f"{visible(site.name, 80)}: {visible(str(said.get('name')), 80)}",
            "log in there to the same site, or name the right receiver with 'wherry site receiver'",
        )
    return said


def introduce(site: Reached, volumes: Iterable[str]) -> None:
    """Tell a receiver on another machine where volumes of the site lie, once it has shown which it serves.

    Nothing is done for one beside us. Raises what ``look`` does.
    """
    from migrate.sites.placed import TellsPlaces

    away = find_away(site.where)
    if away is None:
        return
    look(site, away, keys_of(site.where))
    if isinstance(site, TellsPlaces):
        places = list(site.places(volumes).items())
        for begin in range(0, len(places), _AT_ONCE):
            told = {volume: list(found) for volume, found in places[begin : begin + _AT_ONCE]}
            asks_of(site.where).ask("places", {"places": told})


def _asks(away: Away, keys: Path, store: Path) -> Asks:
    from migrate.daemons.control import ControlClient

    def reach() -> socket.socket:
        return _connected(away, keys, control=True).lines

    return ControlClient(store, reach=reach, shown=f"the receiver at {away.address}")


def _connected(away: Away, keys: Path, *, control: bool = False) -> TlsChannel:
    from migrate.daemons.address import parse_address
    from migrate.replication.tls import TlsKeys, connect_tls

    host, port = parse_address(away.address)
    return connect_tls(host, port, TlsKeys(keys), away.site, control=control)
