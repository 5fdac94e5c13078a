"""Where the journals of a store are asked about: at the receiver that has the store, or here.

A receiver attends to its journals while it serves. When none is at work whoever asks takes the store
for as long as that lasts, and gets the same answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.daemons.control import Asks, ControlClient, ControlServer, InProcess
from migrate.daemons.registered import Registered
from migrate.daemons.remembered import Remembered, remember
from migrate.journal import serving
from migrate.journal.answers import Answers
from migrate.journal.group import GroupJournal
from migrate.journal.health import Health
from migrate.journal.store import Journals
from migrate.replication.service import open_store

HealthOf = Callable[[GroupJournal], Health | None]


@contextmanager
def attended(
    store: Path,
    disks: Iterable[Registered],
    journals: Journals,
    health: HealthOf = lambda _group: None,
) -> Iterator[None]:
    """Answer about journals until the block ends, and close them then; the caller holds the store."""
    try:
        remember(store, disks)
        serving.clear(store)
        server = ControlServer(store, Answers(journals, store, receives=True, health=health).handlers())
        try:
            yield
        finally:
            server.close()
    finally:
        journals.close()


@contextmanager
def desk(store: Path) -> Iterator[Asks]:
    """Yield who answers about the journals of a store.

    Raises NotFound for what is no store, ProjectBusy when a process has it that does not answer.
    """
    client = ControlClient(store)
    if store.is_dir() and client.is_answered():
        yield client
        return
    disks = Remembered(store)
    lock = open_store(store)
    try:
        serving.clear(store)
        journals = Journals(store, disks.groups(), disks)
        try:
            yield InProcess(Answers(journals, store, receives=False).handlers())
        finally:
            journals.close()
    finally:
        os.close(lock)
