"""wherry receiver: takes disks in from senders on a network, in the foreground, until it is ended."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, project_option
from tui.cli.output import data, line, say
from tui.cli.seeds import bring_in, told


@click.command(
    epilog="Examples: wherry receiver --store /var/lib/wherry --keys dc2.pem --register db=/srv/db.img "
    "--seed-from db=/media/usb/db.img; "
    "wherry receiver --store st --keys dc2.pem --volumes volumes.json --listen 10.0.0.5:7643; "
    "wherry receiver --site dc2 --keys dc2.pem --listen 10.0.0.5:7643"
)
@click.option("--store", type=click.Path(path_type=Path), help="Its own folder for progress.")
@click.option("--site", default="", metavar="NAME", help="A site of the project: all that its waves need.")
@click.option("--keys", required=True, type=click.Path(path_type=Path), help="Its bundle, role receiver.")
@click.option("--listen", default="127.0.0.1:7643", show_default=True, metavar="ADDRESS:PORT",
              help="Where it listens; port 0 is any.")  # fmt: skip
@click.option("--volumes", type=click.Path(path_type=Path), help="JSON with id, path and group of disks.")
@click.option("--register", multiple=True, metavar="ID=PATH", help="One disk that may be written.")
@click.option("--seed-from", "seeds", multiple=True, metavar="ID=PATH",
              help="A copy that came by drive, brought in first.")  # fmt: skip
@click.option("--history", default="24h", show_default=True, metavar="TIME",
              help="How far back checkpoints reach, 1h to 30d.")  # fmt: skip
@click.option("--journal-limit", "hard", default="", metavar="SIZE|PERCENT",
              help="What the journal of a group may take, as 100GiB or 20% of its disks.")  # fmt: skip
@click.option("--journal-warning", "warning", default="", metavar="SIZE|PERCENT",
              show_default="3/4 of the limit", help="From where on it is a warning.")  # fmt: skip
@click.option("--free-reserve", "reserve", default="", metavar="SIZE|PERCENT",
              show_default="2%, 4GiB at most",
              help="What stays free of the file system of the store.")  # fmt: skip
@click.option("--scratch-limit", "scratch", default="", metavar="SIZE|PERCENT", show_default="10GiB",
              help="What may be written to each disk of an image.")  # fmt: skip
@click.option("--revoked", type=click.Path(path_type=Path), help="The list of revoked keys.")
@project_option
@json_option
def command(
    store: Path | None,
    site: str,
    keys: Path,
    listen: str,
    volumes: Path | None,
    register: tuple[str, ...],
    seeds: tuple[str, ...],
    history: str,
    hard: str,
    warning: str,
    scratch: str,
    reserve: str,
    revoked: Path | None,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Serve registered disks, or a site, to the senders of one project; SIGTERM or Ctrl-C ends it.

    With --site it serves the waves of a project whose engine is on another machine: see 'wherry site
    receiver'. What was acknowledged is durable, whatever ends it. Who came and what came of it
    stands in conversations.jsonl of the store. Disks of one group have one journal there, from
    their first checkpoint on.
    """
    import logging
    import signal
    import threading
    from collections.abc import Iterator
    from contextlib import contextmanager

    from migrate.daemons.address import listen_tcp
    from migrate.daemons.registered import Register, read_volumes
    from migrate.journal.attending import attended
    from migrate.journal.limits import parse_limits
    from migrate.journal.store import Journals
    from migrate.replication.dedupe.pools import Pools
    from migrate.replication.memory import keep_memory
    from migrate.replication.network import NetworkService
    from migrate.replication.tls import TlsKeys
    from planner.errors import BadInput
    from planner.names import visible
    from planner.units import show_bytes, show_count

    if site:
        from tui.cli.site_receiving import serve_site

        if store or volumes or register or seeds:
            raise BadInput("a site's receiver has its own store and disks", "give --site without the others")
        serve_site(project_dir, site, keys, listen, revoked, as_json=as_json)
        return
    if store is None:
        raise BadInput("it is not said what is served", "give --site NAME, or --store DIR and disks")
    asked = {"history": history, "hard": hard, "warning": warning, "scratch": scratch, "reserve": reserve}
    parse_limits(**asked)  # what makes no sense is refused before anything is touched
    wanted = read_volumes(volumes) if volumes else []
    for text in register:
        volume, equals, path = text.partition("=")
        if not (volume and equals and path):
            raise BadInput(f"{visible(text, 200)} is not ID=PATH", "write --register db=/srv/db.img")
        wanted.append((volume, Path(path), ""))
    ours = TlsKeys(keys)
    placed = bring_in(seeds, wanted, store)
    disks = Register(wanted)
    journals = Journals(store, disks.groups(), disks)
    pools = Pools(store, journals.open_read, sum(disk.size_bytes for disk in disks.disks))
    service = NetworkService(
        ours,
        journals.open_write,
        disks.groups(),
        store,
        revoked=revoked,
        pools=pools,
        resynced=journals.resynced,
        journals=journals,
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stopping.set())
    keep_memory()
    with listen_tcp(listen) as listening:
        if revoked is None:
            say("no list of revoked keys is given: every key of this project counts until it ends")
        host, port = listening.getsockname()[:2]
        size = sum(disk.size_bytes for disk in disks.disks)

        @contextmanager
        def beside() -> Iterator[None]:
            with attended(store, disks.disks, journals, asked):
                if as_json:
                    served = [disk.volume for disk in disks.disks]
                    data({"address": host, "port": port, "volumes": served, "size_bytes": size}
                         | ({"seeds": list(map(told, placed))} if placed else {}))  # fmt: skip
                else:
                    line(f"{host}:{port} serves {show_count(len(disks.disks), 'disk')}, {show_bytes(size)}")
                yield

        service.serve(listening, stopping.is_set, beside)
