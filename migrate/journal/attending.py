"""Who answers about the journals of a store: the receiver that has it, or whoever asks.

A receiver attends to its journals while it serves. When none is at work whoever asks takes the store
for as long as that lasts, and gets the same answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrate.daemons.control import Asks, ControlClient, ControlServer, Handler, InProcess
from migrate.daemons.registered import Registered
from migrate.daemons.remembered import Remembered, remember
from migrate.journal import serving
from migrate.journal.answers import Answers
from migrate.journal.keeper import Keeper
from migrate.journal.limits import Limits, parse_limits
from migrate.journal.site import SiteJournals
from migrate.journal.site_answers import SiteAnswers
from migrate.journal.store import Journals
from migrate.replication.service import PATIENCE_S, open_store
from planner.errors import ProjectBusy


@contextmanager
def attended(
    store: Path, disks: Iterable[Registered], journals: Journals, asked: Mapping[str, str]
) -> Iterator[None]:
    """Keep journals and answer about them until the block ends, and close them then.

    The caller holds the store. ``asked`` is what is asked of them, in the words of ``parse_limits``.
    """
    try:
        limits = parse_limits(**asked)
        remember(store, disks, asked)
        serving.clear(store)
        with Keeper(journals, lambda _group: limits) as keeper:
            answers = Answers(journals, store, limits, receives=True, health=keeper.health)
            server = ControlServer(store, answers.handlers())
            try:
                yield
            finally:
                server.close()
    finally:
        journals.close()


@dataclass(frozen=True, slots=True)
class Attending:
    """``is_needed``: whether a request is under way, or history moved on. ``handlers``: what is answered."""

    is_needed: Callable[[], bool]
    handlers: Mapping[str, Handler]


@contextmanager
def attended_site(store: Path, journals: SiteJournals) -> Iterator[Attending]:
    """Keep the journals of a site and answer about them until the block ends, and close them then.

    The caller holds the store.
    """
    try:
        serving.clear(store)
        with Keeper(journals, journals.limits, leave=journals.hurried.__contains__) as keeper:
            answers = Answers(journals, store, Limits(), receives=True, health=keeper.health)
            handlers = answers.handlers() | SiteAnswers(journals).handlers()
            server = ControlServer(store, handlers)
            try:
                yield Attending(lambda: server.is_asked or keeper.is_moving, handlers)
            finally:
                server.close()
    finally:
        journals.close()


@contextmanager
def answering(store: Path, patience_s: float = PATIENCE_S) -> Iterator[Asks]:
    """Yield who answers about the journals of a store; another verb that has it is waited for a moment.

    Raises NotFound for what is no store, ProjectBusy when a process has it that does not answer.
    """
    client = ControlClient(store)
    if store.is_dir() and client.is_answered():
        yield client
        return
    disks = Remembered(store)
    limits = parse_limits(**disks.asked)
    try:
        lock = open_store(store, patience_s)
    except ProjectBusy:
        if not client.is_answered():
            raise
        yield client  # a receiver that was about to begin
        return
    try:
        serving.clear(store)
        journals = Journals(store, disks.groups(), disks)
        try:
            yield InProcess(Answers(journals, store, limits, receives=False).handlers())
        finally:
            journals.close()
    finally:
        os.close(lock)
