"""Verify one disk against a receiver on a network, with a repair when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.cli.noted import must_be_named, noted
from tui.cli.output import data, say

if TYPE_CHECKING:
    from migrate.replication.comparing import Likeness
    from migrate.replication.coverage import Coverage
    from migrate.replication.trees import DiskTree
    from migrate.transfers.rounds import Rounds
    from planner.identity import Identity

_SHOWN = 5  # runs that are named to people


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line; without ``quick`` and ``part`` all of it is looked at.

    A repair is noted in the log of the project in ``project_dir``, when there is one.
    """

    disk: str
    receiver: str
    volume: str
    keys: Path
    site: str
    quick: bool
    part: str | None
    record: Path | None
    repair: bool
    certificate: Path | None
    project_dir: Path | None
    patience_s: int


def look(asked: Asked, as_json: bool, *, would_repair: bool) -> int:
    """Compare, repair when asked, say what was found; 1 when it differs in the end."""
    import os
    from datetime import UTC, datetime

    from migrate.daemons.address import parse_address
    from migrate.keys.ending import warning
    from migrate.papers.certificate import Signer, keep
    from migrate.papers.identities import certified
    from migrate.replication.coverage import full, part, quick
    from migrate.replication.tls import TlsKeys, connect_tls
    from migrate.transfers.direct import OneDisk
    from migrate.transfers.verified import verify_disk
    from planner.errors import BadInput
    from planner.names import visible
    from tui.cli.progress import Bar

    host, port = parse_address(asked.receiver)
    must_be_named("the id of a volume", asked.volume, "--volume")
    ours, signer = TlsKeys(asked.keys), Signer(asked.keys)
    if ending := warning(ours.bundle, datetime.now(UTC)):
        say(ending)
    source = OneDisk(asked.disk)
    size = source.size_bytes()
    if asked.certificate and asked.certificate.exists():
        raise BadInput(f"{visible(str(asked.certificate), 200)} exists already", "name another file")
    rounds, number = _due(asked, size)

    def choose(tree: DiskTree) -> Coverage:
        if rounds is not None:
            return part(size, number, rounds.parts)
        return quick(size, tree.runs(), os.urandom(16).hex()) if asked.quick else full(size)

    about = {"receiver": asked.receiver, "site": asked.site, "serial": ours.bundle.serial}
    noting = noted(
        asked.project_dir if asked.repair else None, "verify --repair", "verified", asked.volume, about
    )
    with noting as came_of_it, Bar() as bar:
        found = verify_disk(
            source,
            lambda: connect_tls(host, port, ours, asked.site, asked.patience_s),
            asked.volume,
            choose,
            lambda what, done, total: bar.report_on(f"{what} {asked.volume}", done, total),
            repair=asked.repair,
        )
        came_of_it |= {"repaired_bytes": found.repaired_bytes, "equal": found.last.equal}
    if rounds is not None:
        rounds = _note(asked, rounds, number, found.last.equal, everything=found.was_repaired)
    identity = None
    if found.last.equal:
        identity = certified(found.last, asked.volume, signer, found.peer, found.serial, found.repaired_bytes)
        if asked.certificate:
            keep(identity, asked.certificate)
    if as_json:
        before = told(asked.volume, found.first, None) if found.was_repaired else None
        data({**told(asked.volume, found.last, identity), "repaired_bytes": found.repaired_bytes,
              "before_repair": before})  # fmt: skip
    else:
        if found.was_repaired:
            say_found(asked.volume, found.first)
            _say_repaired(found.repaired_bytes)
        say_found(asked.volume, found.last)
        if rounds is not None:
            _say_rounds(rounds)
        if identity and asked.certificate:
            say(f"certificate written to {visible(str(asked.certificate), 200)}")
    if would_repair and not found.last.equal:
        say("nothing was changed; add --live to send again what differs")
    return 0 if found.last.equal else 1


def _due(asked: Asked, size: int) -> tuple[Rounds | None, int]:
    """Return the record of parts and the part to look at; no record where none is asked for."""
    from migrate.replication.coverage import parse_part, part
    from migrate.transfers.rounds import read_rounds

    if asked.part is None or asked.record is None:
        return None, 0
    chosen, parts = parse_part(asked.part)
    part(size, 1, parts)  # refused before anything is read
    rounds = read_rounds(asked.record, asked.volume, size, parts)
    number = rounds.next() if chosen is None else chosen
    part(size, number, parts)
    return rounds, number


def _note(asked: Asked, rounds: Rounds, number: int, equal: bool, *, everything: bool) -> Rounds:
    """Keep what was found of a part, or of all of them after a repair."""
    from datetime import UTC, datetime

    from migrate.transfers.rounds import keep_rounds

    at = datetime.now(UTC).replace(microsecond=0)
    for each in range(1, rounds.parts + 1) if everything else (number,):
        rounds = rounds.noted(each, equal, at)
    if asked.record is not None:
        keep_rounds(asked.record, rounds)
    return rounds


def told(volume: str, found: Likeness, identity: Identity | None) -> dict[str, Any]:
    """Return what was found as a document."""
    coverage = found.coverage
    return {
        "volume": volume,
        "equal": found.equal,
        "method": coverage.method.value,
        "part": "/".join(map(str, coverage.part)) if coverage.part else None,
        "size_bytes": coverage.size_bytes,
        "looked_bytes": coverage.looked_bytes,
        "escape_chance": round(coverage.escape_chance, 9),
        "data_escape_chance": round(coverage.data_escape_chance, 9),
        "source_digest": found.here,
        "target_digest": found.there,
        "differing": [[run.offset, run.length] for run in found.differing],
        "differing_exact": found.exact,
        "tail_zero": found.tail_zero,
        "certificate": identity.model_dump(mode="json", by_alias=True) if identity else None,
    }


def say_found(volume: str, found: Likeness) -> None:
    """Say what was found to a person."""
    from migrate.replication.coverage import Method
    from planner.names import visible
    from planner.units import show_bytes, show_count

    coverage, shown = found.coverage, visible(volume, 200)
    if coverage.method is Method.FULL:
        seen = f"all {show_bytes(coverage.size_bytes)} of {shown}"
    elif coverage.part:
        seen = (
            f"part {coverage.part[0]} of {coverage.part[1]} of {shown}, {show_bytes(coverage.looked_bytes)}"
        )
    else:
        seen = f"a sample of {shown}, {show_bytes(coverage.looked_bytes)}"
    if found.equal:
        say(f"{seen}: both sides are equal, {found.here[:32]}")
    else:
        size = sum(run.length for run in found.differing)
        about = "" if found.exact else "at most "
        say(f"{seen}: {about}{show_bytes(size)} differ in {show_count(len(found.differing), 'run')}")
        for run in found.differing[:_SHOWN]:
            say(f"  {run.offset} + {run.length}")
        if len(found.differing) > _SHOWN:
            say(f"  and {len(found.differing) - _SHOWN:,} more; --json lists them")
        if not found.tail_zero:
            say("  the target holds data behind the end of its source")
    if coverage.method is Method.QUICK:
        say(
            f"a single wrong piece of 64 KiB would have been missed with a chance of "
            f"{coverage.escape_chance:.2%}, of {coverage.data_escape_chance:.2%} where there is data"
        )


def _say_repaired(size: int) -> None:
    from planner.units import show_bytes

    say(f"{show_bytes(size)} sent again; what follows is the look after it")


def _say_rounds(rounds: Rounds) -> None:
    oldest = rounds.oldest()
    since = f", all of them since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
    say(f"{len(rounds.verified)} of {rounds.parts} parts are verified{since}; next is {rounds.next()}")
