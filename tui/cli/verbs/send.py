"""wherry send: one disk to a receiver on a network, with a bar; run again, it resumes."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.noted import must_be_named, noted
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
@click.option("--cycle", default="", metavar="NAME",
              help="Disks of a group with one cycle are of one instant; a checkpoint ends it.")  # fmt: skip
@click.option("--consistency", type=click.Choice(["crash", "filesystem", "application"]), default="crash",
              show_default=True, help="What the instant of the disk is worth.")  # fmt: skip
@click.option("--compare", is_flag=True, help="Send only what differs by digest.")
@click.option("--verify", is_flag=True, help="Hash both sides afterwards.")
@click.option("--patience", type=click.IntRange(1, 86_400), default=300, show_default=True, metavar="SECONDS",
              help="How long a receiver may say nothing.")  # fmt: skip
@click.option("--streams", type=click.IntRange(1, 16), metavar="N", show_default="1 with BBR, else 8",
              help="Connections the disk travels over.")  # fmt: skip
@click.option("--project", "project_dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              envvar="WHERRY_PROJECT", help="Note it in the log of this project.")  # fmt: skip
@click.option("--live", is_flag=True, help="Really send; without it, only say what would be done.")
@json_option
def command(
    disk: str,
    receiver: str,
    volume: str,
    keys: Path,
    site: str,
    pass_id: str,
    cycle: str,
    consistency: str,
    compare: bool,
    verify: bool,
    patience: int,
    streams: int | None,
    project_dir: Path | None,
    live: bool,
    as_json: bool,
) -> None:
    """Send DISK, a path or an NBD address, to the receiver at ADDRESS:PORT.

    Dry unless --live is given. The disk must not change meanwhile. When it changed
    since, use another --pass-id. A file that changed is noticed, and sent anew.
    """
    from datetime import UTC, datetime

    from migrate.daemons.address import parse_address
    from migrate.keys.ending import warning
    from migrate.replication.passes import Mode
    from migrate.replication.tls import TlsChannel, TlsKeys, connect_tls
    from migrate.sites.consistency import Consistency
    from migrate.transfers.direct import OneDisk
    from migrate.transfers.ports import Wanted
    from migrate.transfers.streamed import StreamedTransfers
    from planner.errors import StepFailed
    from planner.names import visible
    from planner.units import show_bytes
    from tui.cli.progress import Bar
    from tui.cli.transfers import known

    host, port = parse_address(receiver)
    must_be_named("the id of a volume", volume, "--volume")
    must_be_named("the name of a pass", pass_id, "--pass-id")
    if cycle:
        must_be_named("the name of a cycle", cycle, "--cycle")
    ours = TlsKeys(keys)
    if ending := warning(ours.bundle, datetime.now(UTC)):
        say(ending)
    source = OneDisk(disk)
    size = source.size_bytes()
    if not live:
        connect_tls(host, port, ours, site, patience).close()  # the far end is who it should be
        if as_json:
            data({"volume": volume, "size_bytes": size, "live": False})
        else:
            say(f"would send {show_bytes(size)} to {visible(volume, 200)}; nothing was sent, add --live")
        return
    transfers = StreamedTransfers(
        source,
        lambda: connect_tls(host, port, ours, site, patience),
        generation=0,
        level=1,
        block_bytes=1024 * 1024,
        adapts=True,
        dedupe=True,
        streams=lambda first: streams or (first.streams() if isinstance(first, TlsChannel) else 1),
    )
    mode = Mode.COMPARE if compare else Mode.SEED
    equal: bool | None = None
    told = {"receiver": receiver, "site": site, "pass": pass_id, "mode": mode.value, "size_bytes": size,
            "serial": ours.bundle.serial}  # fmt: skip
    with noted(project_dir, "send", "sent", volume, told) as came_of_it, Bar() as bar:
        bar.begin(f"send {volume}")
        content = source.content(pass_id, ours.bundle.holder.site)
        sent = transfers.copy(
            Wanted(volume, size, mode, content, cycle=cycle, consistency=Consistency(consistency)),
            lambda moving: bar.report(moving.done_bytes, moving.total_bytes, known(moving)),
        )
        if content != source.content(pass_id, ours.bundle.holder.site):
            raise StepFailed(
                f"{visible(disk, 200)} was written to while it was sent",
                "stop what writes there, or send a snapshot",
            )
        if verify:
            bar.begin(f"verify {volume}")
            equal = transfers.compare(
                volume, size, None, lambda moving: bar.report(moving.done_bytes, moving.total_bytes)
            ).equal
        came_of_it |= {"data_bytes": sent.data_bytes, "wire_bytes": sent.wire_bytes, "verified": equal}
        if equal is False:
            raise StepFailed(
                f"volume {visible(volume, 200)} differs from its source",
                "send it again with another --pass-id",
            )
    if as_json:
        data({"volume": volume, "live": True, "mode": sent.mode.value, "size_bytes": size,
              "data_bytes": sent.data_bytes, "wire_bytes": sent.wire_bytes,
              "deduped_bytes": sent.deduped_bytes,
              "resumed_bytes": sent.resumed_bytes, "seconds": round(sent.seconds, 3),
              "verified": equal, "why": sent.why or None})  # fmt: skip
        return
    if sent.why:
        say(f"compared by digests: {visible(sent.why, 200)}")
    say(f"{show_bytes(sent.data_bytes)} sent as {show_bytes(sent.wire_bytes)}, durable there"
        + (f", dedupe {show_bytes(sent.deduped_bytes)}" if sent.deduped_bytes else "")
        + (", both sides are equal" if equal else ""))  # fmt: skip
