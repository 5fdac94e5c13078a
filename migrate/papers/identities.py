"""From what a comparison found to a certificate, and from a certificate back to a disk.

Only what is equal is ever certified.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from migrate.disks.ports import ReadableDisk
from migrate.keys.names import Holder
from migrate.papers.certificate import Signer, pem
from migrate.replication.comparing import Likeness
from migrate.replication.coverage import Method
from migrate.replication.hashing import hash_disk
from migrate.replication.trees import DiskTree, is_root_of, is_sample_of
from migrate.sites.ports import Extent
from planner import __version__
from planner.errors import Blocked, Corrupt
from planner.identity import Excluded, Identity, Moving, Side
from planner.names import visible

TOOL = f"wherry {__version__}"


def certified(
    found: Likeness,
    volume: str,
    signer: Signer,
    peer: Holder,
    serial: str,
    repaired_bytes: int,
    moving: Moving | None = None,
) -> Identity:
    """Return a signed certificate of a comparison over a network; raises Corrupt when it was not equal.

    ``moving`` says when, where the disk was written to meanwhile.
    """
    holder, coverage = signer.holder, found.coverage
    if not found.equal or holder is None:
        raise Corrupt(f"volume {visible(volume, 200)} has no proof of identity", "verify it again")
    number = coverage.part
    return signer.sign(
        Identity(
            schema_="wherry.identity/3" if moving else "wherry.identity/1",
            project=holder.project,
            volume=volume,
            size_bytes=coverage.size_bytes,
            source=Side(site=holder.site, names=holder.uris(), serial=signer.serial, digest=found.here),
            target=Side(site=peer.site, names=peer.uris(), serial=serial, digest=found.there),
            method=coverage.method.value,
            algorithm="wherry-sample/1" if coverage.method is Method.QUICK else "wherry-tree/1",
            offset=coverage.area.offset,
            length=coverage.area.length,
            part=f"{number[0]}/{number[1]}" if number else "",
            seed=coverage.seed,
            grains=coverage.grains,
            looked_bytes=coverage.looked_bytes,
            escape_chance=round(coverage.escape_chance, 9),
            data_escape_chance=round(coverage.data_escape_chance, 9),
            repaired_bytes=repaired_bytes,
            moving=moving,
            at=_now(),
            tool=TOOL,
            signer=pem(signer.certificate),
            authority=pem(signer.authority),
        )
    )


def recorded(
    project: str,
    volume: str,
    size_bytes: int,
    sites: tuple[str, str],
    digests: tuple[str, str],
    signer: Signer,
    excluded: Excluded | None = None,
) -> Identity:
    """Return a signed certificate of a replica whose digest is the recorded one of its source.

    Of one that is ``excluded`` it says that it is as it was seeded, or that nothing was compared.
    """
    source, target = (Side(site=site, digest=digest) for site, digest in zip(sites, digests, strict=True))
    if source.digest != target.digest:
        raise Corrupt(f"volume {visible(volume, 200)} differs from its record", "replicate it again")
    looked_bytes = size_bytes if target.digest else 0
    unseen = 0.0 if target.digest else 1.0
    return signer.sign(
        Identity(
            schema_="wherry.identity/2" if excluded else "wherry.identity/1",
            project=project,
            volume=volume,
            size_bytes=size_bytes,
            source=source,
            target=target,
            method="record" if target.digest else "none",
            algorithm="blake3",
            offset=0,
            length=looked_bytes,
            looked_bytes=looked_bytes,
            escape_chance=unseen,
            data_escape_chance=unseen,
            excluded=excluded,
            at=_now(),
            tool=TOOL,
            signer=pem(signer.certificate),
            authority=pem(signer.authority),
        )
    )


def must_be_of(identity: Identity, disk: ReadableDisk, progress: Callable[[int, int], None]) -> None:
    """Read a disk again; raises Corrupt unless it holds what the certificate says, OSError."""
    size = identity.size_bytes
    if identity.moving is not None:
        raise Blocked(
            "the certificate is of a disk that was written to meanwhile, of no one content of it",
            "check the certificate without a disk",
        )
    if not identity.target.digest:
        raise Blocked(
            "the certificate is of a disk that is left out by decision, there is nothing to hold a disk to",
            "check the certificate without a disk",
        )
    if disk.size_bytes < size:
        raise Corrupt(
            f"the disk has {disk.size_bytes} bytes, the certificate is of one with {size}", "name its disk"
        )
    if identity.algorithm == "blake3":
        hashed = hash_disk(disk, size_bytes=size, progress=lambda done: progress(done, size))
        same, tail_zero = hashed.digest == identity.target.digest, hashed.tail_zero
    else:
        tree = DiskTree(disk, size)
        if identity.algorithm == "wherry-sample/1":
            same = is_sample_of(tree, identity.grains, identity.target.digest)
        else:
            same = is_root_of(
                tree, Extent(identity.offset, identity.length), identity.target.digest, progress=progress
            )
        tail_zero = tree.tail_is_zero()
    if not same:
        raise Corrupt("the disk does not hold what the certificate says", "do not rely on it")
    if not tail_zero:
        raise Corrupt("the disk holds data behind what the certificate is of", "name its disk")


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()
