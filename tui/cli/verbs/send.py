"""wherry send: one disk to a receiver on a network, with a bar; run again, it resumes."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option
from tui.cli.output import data, say


@click.command(
    epilog="Examples: wherry send db.img 10.0.0.5:7643 --volume db --keys dc1.pem --site dc2 "
    "--pass-id monday --live; wherry send db.img 10.0.0.5:7643 --volume db --keys dc1.pem --site dc2 "
    "--pass-id tuesday --compare --verify --live"
)
@click.argument("disk")
@click.argument("receiver", metavar="ADDRESS:PORT")
@click.option("--volume", required=True, metavar="ID", help="The id the receiver knows the disk by.")
@click.option("--keys", required=True, type=click.Path(path_type=Path), help="Our bundle, role sender.")
@click.option("--site", required=True, help="The site the receiver has to be of.")
@click.option("--pass-id", "pass_id", required=True, metavar="NAME",
              help="Names this content of the disk; the same name resumes.")  # fmt: skip
@click.option("--compare", is_flag=True, help="Send only what differs by digest.")
@click.option("--verify", is_flag=True, help="Hash both sides afterwards.")
@click.option("--live", is_flag=True, help="Really send; without it, only say what would be done.")
@json_option
def command(
    disk: str,
    receiver: str,
    volume: str,
    keys: Path,
    site: str,
    pass_id: str,
    compare: bool,
    verify: bool,
    live: bool,
    as_json: bool,
) -> None:
    """Send DISK, a path or an NBD address, to the receiver at ADDRESS:PORT.

    Dry unless --live is given. The disk must not change meanwhile. When it changed
    since, use another --pass-id.
    """
    from migrate.daemons.address import parse_address
    from migrate.replication.passes import Mode
    from migrate.replication.tls import TlsKeys, connect_tls
    from migrate.transfers.direct import OneDisk
    from migrate.transfers.ports import Wanted
    from migrate.transfers.streamed import StreamedTransfers
    from planner.errors import StepFailed
    from planner.names import visible
    from planner.units import show_bytes
    from tui.cli.progress import Bar
    from tui.cli.transfers import known

    host, port = parse_address(receiver)
    ours = TlsKeys(keys)
    source = OneDisk(disk)
    size = source.size_bytes()
    if not live:
        connect_tls(host, port, ours, site).close()  # the far end is who it should be
        if as_json:
            data({"volume": volume, "size_bytes": size, "live": False})
        else:
            say(f"would send {show_bytes(size)} to {visible(volume, 200)}; nothing was sent, add --live")
        return
    transfers = StreamedTransfers(
        source,
        lambda: connect_tls(host, port, ours, site),
        generation=0,
        level=1,
        block_bytes=1024 * 1024,
        adapts=True,
    )
    mode = Mode.COMPARE if compare else Mode.SEED
    equal: bool | None = None
    with Bar() as bar:
        bar.begin(f"send {volume}")
        sent = transfers.copy(
            Wanted(volume, size, mode, pass_id),
            lambda moving: bar.report(moving.done_bytes, moving.total_bytes, known(moving)),
        )
        if verify:
            bar.begin(f"verify {volume}")
            equal = transfers.compare(
                volume, size, None, lambda moving: bar.report(moving.done_bytes, moving.total_bytes)
            ).equal
    if equal is False:
        raise StepFailed(
            f"volume {visible(volume, 200)} differs from its source", "send it again with another --pass-id"
        )
    if as_json:
        data({"volume": volume, "live": True, "mode": sent.mode.value, "size_bytes": size,
              "data_bytes": sent.data_bytes, "wire_bytes": sent.wire_bytes,
              "resumed_bytes": sent.resumed_bytes, "seconds": round(sent.seconds, 3),
              "verified": equal})  # fmt: skip
        return
    say(f"{show_bytes(sent.data_bytes)} sent as {show_bytes(sent.wire_bytes)}, durable there"
        + (", both sides are equal" if equal else ""))  # fmt: skip
