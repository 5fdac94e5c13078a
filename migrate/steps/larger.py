"""A disk that is larger where it comes home from: what is there of it fits only if zeros lie past the rest.

    check            a quick look before anything is done: the table, where the tail begins, where it ends
    fold, quiesce    the same, before what was committed is written over, and before anything stops
    passes           all of the tail, of a delta what changed in it
    proofs           all of the tail, beside the digests of what comes home

Nothing that goes out may be larger than planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication.tail import beyond, must_be_zeros
from migrate.run.runbook import Step
from migrate.sites.ways import ReadsLive
from migrate.steps.foreign import CHECK
from migrate.steps.kind import Context
from planner.errors import NotFound, PastEnd, WherryError
from planner.names import visible
from planner.units import MIB

LARGER = "larger"  # of the result of the check: how it looked past the end, by volume
NAMED = "named"  # of its params, on the way home: what people call each disk, by volume
_LOOKS_BYTES = 64 * MIB  # of where a tail may hold data; passes and proofs read all of it


def may_be_larger(step: Step) -> bool:
    """Return whether the step reads disks that may be larger than what comes home of them."""
    return bool(step.params.get("home"))


@contextmanager
def named(ctx: Context, volume: str, *, stopped: bool = False) -> Iterator[None]:
    """Have it say of which disk, and between which sites, when it does not fit where it comes from.

    Whose VM is ``stopped`` already has no guest that could do something about it.
    """
    try:
        yield
    except PastEnd as error:
        first = f"roll back, so that it runs at site {ctx.source.name} again; " if stopped else ""
        raise PastEnd(_sentence(ctx, volume, error), f"{first}{error.hint}") from error


def look(ctx: Context, volume: str, size_bytes: int) -> str:
    """Look past the end of a disk that may be written to meanwhile, and return how it was.

    Raises PastEnd for one that does not fit. That nobody could look now keeps nobody: the passes do.
    """
    try:
        with closing(_opened(ctx, volume)) as disk, named(ctx, volume):
            must_be_zeros(disk, size_bytes, _places(disk, size_bytes))
    except PastEnd:
        raise
    except WherryError as error:
        return f"not looked at yet: {error.message}"
    except OSError as error:
        return f"not looked at yet: {error.strerror or error}"
    return "zeros, as far as was looked"


def must_still_fit(ctx: Context, vms: Iterable[str]) -> None:
    """Look again at those disks of VMs that the check found to be larger; raises PastEnd."""
    if not (known := ctx.result(CHECK).get(LARGER)):
        return
    sizes = {volume: size for volume, size, *_ in ctx.history.runbook.step(CHECK).params["volumes"]}
    for vm in vms:
        found = ctx.source.observe(vm)
        for disk in found.disks if found else ():
            if disk.volume in known:
                look(ctx, disk.volume, sizes[disk.volume])


def _opened(ctx: Context, volume: str) -> ReadableDisk:
    if isinstance(ctx.source, ReadsLive):
        return ctx.source.open_live(volume)
    return ctx.source.open_read(volume)


def _places(disk: ReadableDisk, size_bytes: int) -> Iterator[Extent]:
    """Yield where a tail may hold data, as much as is looked at, and its very end."""
    yield Extent(max(disk.size_bytes - MIB, size_bytes), MIB)
    left = _LOOKS_BYTES
    for run in beyond(disk, size_bytes):
        yield Extent(run.offset, min(run.length, left))
        if (left := left - run.length) <= 0:
            return


def _sentence(ctx: Context, volume: str, error: PastEnd) -> str:
    try:
        names: dict[str, str] = ctx.history.runbook.step(CHECK).params.get(NAMED, {})
    except NotFound:
        names = {}
    return (
        f"{visible(names.get(volume, volume), 200)} at site {ctx.source.name} does not fit onto the one at "
        f"site {ctx.target.name}: {error.message}"
    )
