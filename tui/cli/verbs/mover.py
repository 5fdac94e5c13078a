"""wherry mover: carry disks for an engine on another host."""

from __future__ import annotations

import click


@click.command(epilog="Example: wherry mover --engine-url postgresql://wherry@db/wherry --site dc1 --slots 4")
@click.option("--engine-url", metavar="URL", required=True, help="The PostgreSQL that the engine uses.")
@click.option("--site", metavar="NAME", required=True, help="The source site whose disks it can read.")
@click.option("--slots", type=click.IntRange(1, 64), default=2, show_default=True, help="Disks at once.")
@click.option("--name", metavar="NAME", help="What it is called in logs; without it, the host's name.")
def command(engine_url: str, site: str, slots: int, name: str | None) -> int:
    """Take transfers of a site from the engine's queue, until SIGTERM.

    Start as many as there are hosts that can read the disks. One that dies, or that does not answer
    for some seconds, loses its transfers to the others; the receiver refuses what it still sends.
    """
    import socket

    from migrate.engine.hauling import main
    from migrate.engine.where import check

    check(engine_url)
    return main(engine_url, name or socket.gethostname(), site, slots)
