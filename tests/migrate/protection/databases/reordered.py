"""The disks of a group as they would be at a checkpoint had the journal kept another order of writes."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from migrate.daemons.registered import Register
from migrate.journal.store import FOLDER, Journals
from migrate.journal.writes import Write
from planner.names import content_id
from tests.guest.disorder import Disorder
from tests.guest.journals import checkpoints, order_in
from tests.migrate.protection.databases.mounted import Filesystem
from tests.migrate.protection.databases.protected import Protected


@contextmanager
def reordered(
    stage: Protected, name: str, disorder: Disorder, rng: random.Random
) -> Iterator[dict[str, Filesystem]]:
    """Yield the disks at a checkpoint of a stage that has ended, to be mounted, and remove them."""
    folder = stage.folder / f"reordered-{disorder.__name__}"
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, folder)
        folder.mkdir()
        writes, before = _writes(stage, name)
        writes = disorder(writes, rng)[:before]  # those that come too late are not in it
        disks = {}
        for number, disk in enumerate(stage.names):
            # nothing was promoted yet, so the replica is what the journal began with
            path = Path(shutil.copyfile(stage.folder / f"{disk}.target", folder / f"{disk}.img"))
            _apply([write for write in writes if write.disk == number], path)
            disks[disk] = Filesystem(path, folder / disk / "place")
            ending.callback(disks[disk].close)
        yield disks


def _writes(stage: Protected, name: str) -> tuple[list[Write], int]:
    """Return all writes that the journal has, and how many of them are before a checkpoint."""
    register = Register((disk, stage.folder / f"{disk}.target", stage.group) for disk in stage.names)
    store = stage.folder / "store"
    journals = Journals(store, register.groups(), register)
    try:
        log = journals.group(stage.group).log
        (record,) = [made.record for made in checkpoints(log) if made.name == name]
        kept = order_in(store / FOLDER / content_id(stage.group), log)
        return [write for _, write in kept], sum(number < record for number, _ in kept)
    finally:
        journals.close()


def _apply(writes: Sequence[Write], path: Path) -> None:
    with path.open("r+b") as file:
        for write in writes:
            file.seek(write.offset)
            file.write(bytes(write.length) if write.data is None else write.data)
