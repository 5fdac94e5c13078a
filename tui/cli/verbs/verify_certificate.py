"""Check a data-identity certificate, and the disk it is of when there is one at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.output import data, say, table

if TYPE_CHECKING:
    from planner.identity import Identity


def _left_out(identity: Identity) -> list[tuple[str, str]]:
    """Return what was decided on a disk that travels once or never."""
    from planner.model import LeftOut, Sending
    from planner.names import visible
    from planner.sending import spoken

    said = identity.excluded
    if said is None:
        return []
    decision = LeftOut(Sending(said.send), said.why, said.who)
    rows = [("left out", f"sent {said.send}, {spoken(decision)}")]
    if said.seeded_at:
        rows.append(
            ("compared as of", f"{visible(said.seeded_at, 40)}; what the source wrote since stays there")
        )
    return rows


def _moving(identity: Identity) -> list[tuple[str, str]]:
    """Return when the pieces of a disk that was written to were compared."""
    from planner.names import visible
    from planner.units import show_bytes

    said = identity.moving
    if said is None:
        return []
    when = f"from {visible(said.since, 40)} to {visible(said.until, 40)}"
    return [("compared", f"{when}, each {show_bytes(said.piece_bytes)} at a place of its own in the order "
             "of writes")]  # fmt: skip


def check_file(
    file: Path, disk: str | None, authority: Path | None, revoked: Path | None, as_json: bool
) -> int:
    """Check signature and signer, then the disk; raises BadInput (2) or Corrupt (1) for what is wrong."""
    from contextlib import closing

    from migrate.disks.opening import open_disk
    from migrate.papers.certificate import check_certificate
    from migrate.papers.identities import must_be_of
    from planner.names import visible
    from planner.units import show_bytes
    from tui.cli.progress import Bar

    checked = check_certificate(file, authority, revoked)
    identity = checked.identity
    if disk is not None:
        with closing(open_disk(disk).disk) as opened, Bar() as bar:
            bar.begin(f"read {disk}")
            must_be_of(identity, opened, bar.report)
    if as_json:
        data({"valid": True, "signer": checked.signer, "authority_given": checked.authority_given,
              "fingerprint": checked.fingerprint, "disk_read": disk is not None,
              "certificate": identity.model_dump(mode="json", by_alias=True)})  # fmt: skip
        return 0
    part = f" {identity.part}" if identity.part else ""
    table(
        ("what", "found"),
        [
            ("volume", visible(identity.volume, 200)),
            ("size", f"{show_bytes(identity.size_bytes)}, {identity.size_bytes} bytes"),
            ("source", visible(identity.source.site, 80)),
            ("target", visible(identity.target.site, 80)),
            ("method", f"{identity.method}{part}, {show_bytes(identity.looked_bytes)} looked at"),
            ("digest", identity.target.digest or "none"),
            *_left_out(identity),
            *_moving(identity),
            ("when", visible(identity.at, 40)),
            ("signed by", checked.signer),
            ("authority", f"SHA-256 {checked.fingerprint}"),
        ],
    )
    if disk is not None:
        say("the disk holds what the certificate says")
    if identity.excluded is not None:
        say("the disk is left out by decision: the certificate does not say that both sides are alike")
    if not checked.authority_given:
        say("only the authority inside the file vouches for it: compare its fingerprint, or use --authority")
    return 0
