"""wherry tap: disks for guests over NBD, each write streamed to a journal at the target as it passes."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option
from tui.cli.output import line, say

if TYPE_CHECKING:
    from migrate.protection.policy import Policy
    from migrate.replication.channel import Channel
    from migrate.tap.answers import TapAnswers
    from migrate.tap.opening import Opened

_PATIENCE_S = 60  # a receiver that says nothing for so long is taken for gone


@click.command(
    epilog="Examples: wherry tap --state /var/lib/wherry/crm --group crm --disk db=/srv/db.img "
    "--disk log=/srv/log.img --listen unix:/run/crm.sock --to 10.0.0.5:7643 --keys dc1.pem --site dc2; "
    "wherry tap --state st --group crm --disk db=/srv/db.img --listen 127.0.0.1:10809"
)
@click.option("--state", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Its own folder: which areas may differ from the target.")  # fmt: skip
@click.option("--group", required=True, metavar="NAME", help="The group the receiver knows the disks by.")
@click.option("--disk", "disks", required=True, multiple=True, metavar="ID=PATH",
              help="A raw file or device; ID is its volume there and its export here.")  # fmt: skip
@click.option("--listen", required=True, metavar="unix:PATH|ADDRESS:PORT",
              help="Where guests connect; an address of this machine alone.")  # fmt: skip
@click.option("--to", metavar="ADDRESS:PORT", help="The receiver; without it only the map is kept.")
@click.option("--keys", type=click.Path(path_type=Path), help="Our bundle, role sender.")
@click.option("--site", help="The site the receiver has to be of.")
@click.option("--buffer", "limit", default="256MiB", show_default=True, metavar="SIZE",
              help="Memory for writes the target does not have yet.")  # fmt: skip
@click.option("--every", default="5s", show_default=True, metavar="DURATION",
              help="Between two checkpoints.")  # fmt: skip
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="How guests are held for checkpoints that are worth more than a crash.")  # fmt: skip
@click.option("--generation", type=click.IntRange(0, 2**31), default=0, show_default=True, metavar="N",
              help="A newer one than the last takes the group over from another tap.")  # fmt: skip
@click.option("--report", default="10s", show_default=True, metavar="DURATION",
              help="Between two lines that say how it stands.")  # fmt: skip
@json_option
def command(
    state: Path,
    group: str,
    disks: tuple[str, ...],
    listen: str,
    to: str | None,
    keys: Path | None,
    site: str | None,
    limit: str,
    every: str,
    policy: Path | None,
    generation: int,
    report: str,
    as_json: bool,
) -> None:
    """Serve the disks of GROUP over NBD and stream what is written to them; SIGTERM or Ctrl-C ends it.

    Guests never wait for the target: without it, areas are remembered and caught up later.
    What writes to a disk past the tap is not seen. With --json each report is a line.
    """
    from migrate.daemons.lock import ServerLock
    from migrate.tap.listening import listened_at
    from migrate.tap.opening import open_group
    from planner.units import parse_bytes, parse_duration
    from tui.cli.noted import must_be_named

    must_be_named("the name of a group", group, "--group")
    wanted = [_pair(text) for text in disks]
    connect = _connector(to, keys, site)
    held = _policy(policy, to)
    limit_bytes, every_s, report_s = parse_bytes(limit), parse_duration(every), parse_duration(report)
    _check(limit_bytes, every_s, report_s)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    with ServerLock(state, "tap"), listened_at(listen) as listening:
        opened = open_group(state, group, wanted)
        asyncio.run(
            _run(state, opened, listening, connect, limit_bytes, every_s, held, generation, report_s, as_json)
        )


async def _run(
    state: Path,
    opened: Opened,
    listening: socket.socket,
    connect: Callable[[], Channel] | None,
    limit_bytes: int,
    every_s: float,
    policy: Policy | None,
    generation: int,
    report_s: float,
    as_json: bool,
) -> None:
    from migrate.tap.running import run
    from planner.names import visible

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reporting: set[asyncio.Task[None]] = set()

    def ready(answers: TapAnswers) -> None:
        for volume, why in opened.why.items():
            say(f"all of {visible(volume, 80)} is compared with the target: {why}")
        _begin(answers, listening, as_json)
        reporting.add(asyncio.create_task(_report(answers, report_s, as_json)))

    try:
        await run(state, opened, listening, stop, limit_bytes=limit_bytes, connect=connect,
                  every_s=every_s, ready=ready, policy=policy, generation=generation)  # fmt: skip
    finally:
        for task in reporting:
            task.cancel()


def _begin(answers: TapAnswers, listening: socket.socket, as_json: bool) -> None:
    """Say where guests find which disks."""
    from migrate.tap.listening import shown
    from planner.names import visible
    from planner.units import show_bytes

    served = answers.disks()
    if as_json:
        line(json.dumps({"listens": shown(listening), "disks": served}))
        return
    line(f"{visible(shown(listening), 300)} serves")
    for disk in served:
        line(f"  {visible(disk['id'], 200)}  {show_bytes(disk['size_bytes'])}")


async def _report(answers: TapAnswers, every_s: float, as_json: bool) -> None:
    """Say how the tap stands, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every_s)
        told = await loop.run_in_executor(None, answers.status)
        line(json.dumps(told) if as_json else _sentence(told))


def _sentence(told: dict[str, Any]) -> str:
    """Return one line about a tap, as a person reads it."""
    from planner.names import visible
    from planner.units import show_bytes, show_count, show_duration

    rpo = "unknown" if told["rpo_s"] is None else show_duration(told["rpo_s"])
    parts = [told["mode"], f"RPO {rpo}"]
    if told["rpo_p99_s"] is not None:
        parts[-1] += f" (p99 {show_duration(told['rpo_p99_s'])})"
    if told["why"]:
        parts.append(visible(told["why"], 200))
    if told["left_bytes"]:
        parts.append(f"{show_bytes(told['left_bytes'])} to copy")
    parts.append(f"buffer {show_bytes(told['buffered_bytes'])} of {show_bytes(told['buffer_bytes'])}")
    parts.append(show_count(told["hot_areas"], "hot area"))
    parts.append(show_count(told["writes"], "write"))
    if told["protection"] and told["protection"].get("last_at_ms"):
        held = told["protection"]
        why = f" ({visible(held['last_why'], 200)})" if held["last_why"] else ""
        parts.append(f"last under the policy: {held['last'] or 'not made'}{why}")
    stalls = show_count(told["stalls"], "stall")
    parts.append(f"{stalls}, the longest {show_duration(told['longest_s'])}" if told["stalls"] else stalls)
    if told["map_failed"]:
        parts.append(visible(told["map_failed"], 200))
    return f"{datetime.now().astimezone():%H:%M:%S} {visible(told['group'], 80)}: {', '.join(parts)}"


def _pair(text: str) -> tuple[str, Path]:
    from planner.errors import BadInput
    from planner.names import visible

    volume, equals, path = text.partition("=")
    if not (volume and equals and path):
        raise BadInput(f"{visible(text, 200)} is not ID=PATH", "write --disk db=/srv/db.img")
    return volume, Path(path)


def _connector(to: str | None, keys: Path | None, site: str | None) -> Callable[[], Channel] | None:
    """Return what leads to the receiver, None when none is named; raises BadInput."""
    from planner.errors import BadInput

    if to is None:
        if keys is not None or site is not None:
            raise BadInput("keys and a site are for a receiver, and none is named", "add --to ADDRESS:PORT")
        return None
    if keys is None or not site:
        raise BadInput("a receiver is named, but not who it is", "add --keys FILE and --site NAME")
    from migrate.daemons.address import parse_address
    from migrate.keys.ending import warning
    from migrate.replication.tls import TlsKeys, connect_tls

    host, port = parse_address(to)
    ours = TlsKeys(keys)
    if ending := warning(ours.bundle, datetime.now(UTC)):
        say(ending)
    return lambda: connect_tls(host, port, ours, site, _PATIENCE_S)


def _policy(path: Path | None, to: str | None) -> Policy | None:
    """Return the policy of a file, None when none is named; raises BadInput."""
    from migrate.protection.policy_file import read_policy
    from planner.errors import BadInput

    if path is None:
        return None
    if to is None:
        raise BadInput(
            "a policy is for checkpoints, and there are none without a target", "add --to ADDRESS:PORT"
        )
    return read_policy(path)


def _check(limit_bytes: int, every_s: float, report_s: float) -> None:
    from planner.errors import BadInput

    if limit_bytes > 2**40:
        raise BadInput("a buffer of more than 1 TiB is no memory", "write it like --buffer 256MiB")
    for option, seconds in (("--every", every_s), ("--report", report_s)):
        if not 0.2 <= seconds <= 86_400:
            raise BadInput(f"{option} is between 0.2 s and a day", f"write it like {option} 5s")
