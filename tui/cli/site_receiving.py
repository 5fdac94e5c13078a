"""What ``wherry receiver --site`` and ``wherry site receiver`` do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.cli.options import open_project
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from pathlib import Path

    from planner.store.project import Project


def serve_site(
    project_dir: Path, name: str, keys: Path, listen: str, revoked: Path | None, *, as_json: bool
) -> None:
    """Serve a site of the project until SIGTERM or Ctrl-C; raises WherryError."""
    import logging
    import signal
    import threading

    from migrate.daemons.address import listen_tcp
    from migrate.daemons.control import Told
    from migrate.daemons.site_receiver import SiteReceiver
    from migrate.replication.memory import keep_memory
    from migrate.replication.tls import TlsKeys
    from planner.names import visible
    from planner.units import show_bytes

    with open_project(project_dir) as project:
        where = _where(project, name)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    receiver = SiteReceiver(where, TlsKeys(keys), revoked)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stopping.set())
    keep_memory()
    with listen_tcp(listen) as listening:
        host, port = listening.getsockname()[:2]
        if revoked is None:
            say("no list of revoked keys is given: every key of this project counts until it ends")

        def begun(told: Told) -> None:
            if as_json:
                data({"address": host, "port": port, **told})
            else:
                free = show_bytes(int(told["free_bytes"]))
                line(f"{host}:{port} serves site {visible(str(told['name']), 80)}, {free} free for its store")

        receiver.serve(listening, stopping.is_set, begun)


def name_receiver(project: Project, name: str, address: str, keys: Path) -> dict[str, Any]:
    """Have a site's receiver be at an address, once it answered there; raises WherryError."""
    from contextlib import closing

    from migrate import audit
    from migrate.daemons.address import parse_address
    from migrate.daemons.away import Away, keep_away
    from migrate.daemons.reaching import look
    from migrate.keys.bundle import read_private
    from migrate.sites.opening import open_at
    from planner.effects import Effect

    host, port = parse_address(address)
    where = _where(project, name)
    away = Away(address, name)
    with closing(open_at(where)) as site:
        said = look(site, away, keys)
    keep_away(where, away, read_private(keys))
    audit.note(project, Effect.EDIT_PLAN, "site receiver", name, {"address": address})
    return {"name": name, "address": host, "port": port, "identity": said["identity"],
            "free_bytes": said["free_bytes"]}  # fmt: skip


def have_receiver_here(project: Project, name: str) -> bool:
    """Have a site's receiver beside the engine again; return whether it was away."""
    from migrate import audit
    from migrate.daemons.away import forget_away
    from planner.effects import Effect

    there = forget_away(_where(project, name))
    if there:
        audit.note(project, Effect.EDIT_PLAN, "site receiver", name, {"address": ""})
    return there


def address_of(project: Project, name: str, url: str) -> str:
    """Return where the receiver of a site is, "" for one beside the engine, and where no VM is moved to."""
    from migrate.daemons import reaching
    from migrate.sites.opening import where_of
    from planner.errors import WherryError

    try:
        return reaching.address_of(where_of(name, url, project.root))
    except WherryError:  # a simulated site is nowhere
        return ""


def _where(project: Project, name: str) -> str:
    from migrate.sites.opening import where_of
    from planner.errors import NotFound
    from planner.names import visible
    from planner.store import settings

    site = settings.load(project).sites.get(name)
    if site is None:
        raise NotFound(f"the project has no site {visible(name, 80)}", "see 'wherry site list'")
    return where_of(name, site.url, project.root)
