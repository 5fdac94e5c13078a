"""Verify the disks of a tap while guests write: each piece at a place of its own in the order of writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.cli.output import data, say
from tui.cli.verbs.verify_disk import say_found, told

if TYPE_CHECKING:
    from migrate.daemons.control import Told
    from migrate.papers.certificate import Signer
    from migrate.tap.verifying import Looked
    from planner.identity import Identity


def look_beside(
    tap: Path, volume: str | None, keys: Path | None, certificates: Path | None, as_json: bool
) -> int:
    """Have the tap of a folder compare its disks, or one of them; 1 when one differs."""
    from migrate.daemons.control import ControlClient
    from migrate.papers.certificate import Signer, keep_in, must_be_folder
    from migrate.tap.verifying import PIECE, Looked
    from planner.errors import BadInput, Unreachable
    from planner.names import visible
    from planner.units import show_bytes
    from tui.cli.progress import Bar

    if (keys is None) != (certificates is None):
        raise BadInput("a certificate needs keys and a folder", "give --keys FILE and --certificates DIR")
    signer = Signer(keys) if keys is not None else None
    if certificates is not None:
        must_be_folder(certificates)
    client = ControlClient(tap)
    if not tap.is_dir() or not client.is_answered():
        raise Unreachable(
            f"no tap answers in {visible(str(tap), 200)}", "name the --state folder of one that is at work"
        )
    status = client.ask("status", {})
    volumes = [volume] if volume else [str(disk["id"]) for disk in status["disks"]]
    sizes = {disk["id"]: int(disk["size_bytes"]) for disk in status["disks"]}
    documents: list[dict[str, Any]] = []
    wrong = 0
    for name in volumes:
        with Bar() as bar:
            waiting = ""

            def tell(one: Told, name: str = name, bar: Bar = bar) -> None:
                nonlocal waiting
                bar.report_on(f"verify {name}", int(one["done_bytes"]), sizes[name])
                if one["waiting"] != waiting and (waiting := str(one["waiting"])):
                    say(f"waiting: {visible(waiting, 300)}")

            looked = Looked.load(client.ask("verify", {"volume": name}, tell))
        identity = _certified(looked, name, signer)
        wrong += not looked.found.equal
        document = told(name, looked.found, identity)
        since, until = _moments(looked)
        document |= {"since": since, "until": until, "piece_bytes": PIECE}
        file = keep_in(certificates, identity) if identity and certificates else None
        documents.append(document | {"file": str(file) if file else None})
        if not as_json:
            say_found(name, looked.found)
            say(f"each {show_bytes(PIECE)} was compared at a place of its own in the order of writes, "
                f"between {since} and {until}")  # fmt: skip
            if file:
                say(f"certificate written to {visible(str(file), 200)}")
    if as_json:
        data(documents)
    elif wrong:
        say("next: have the tap copy again what differs, with a new --state folder and a newer --generation")
    return 1 if wrong else 0


def _moments(looked: Looked) -> tuple[str, str]:
    """Return between which moments pieces were compared."""
    from datetime import UTC, datetime

    begun, ended = (
        datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        for at_ms in (looked.begun_ms, looked.ended_ms)
    )
    return begun, ended


def _certified(looked: Looked, volume: str, signer: Signer | None) -> Identity | None:
    """Return the certificate of an equal disk, None where there is none to be signed."""
    from migrate.papers.identities import certified
    from migrate.tap.verifying import PIECE
    from planner.identity import Moving

    if signer is None or looked.peer is None or not looked.found.equal:
        return None
    since, until = _moments(looked)
    moving = Moving(since=since, until=until, piece_bytes=PIECE)
    return certified(looked.found, volume, signer, looked.peer, looked.serial, 0, moving)
