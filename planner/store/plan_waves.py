"""One line for each wave of a plan, and the wave behind it. Writes ``plan_wave``.

A wave is stored by its content, and so is who is in which of its groups and which disks change backing:
versions in which a wave is the same share both. What a line says is read without decoding the wave.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from sys import intern
from typing import TYPE_CHECKING

from planner.codec import digest
from planner.sized import size_of
from planner.store import contents
from planner.store.unsized import count_unsized
from planner.store.writer import writer

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

    from planner.plan import Wave


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """When a wave may cut over: what a ``Window`` says, ready to be compared and shown."""

    start_utc: datetime
    hours: float
    zone: str

    @property
    def end_utc(self) -> datetime:
        """End as aware UTC time."""
        return self.start_utc + timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class WaveRow:
    """What one line says of a wave; ``groups``, ``vms`` and ``tasks`` are counts, spreads P50 and P95.

    ``unsized`` counts the VMs whose disks are not all known; the size is ``AtLeast`` where there are any.
    """

    name: str
    title: str
    window: PlannedWindow | None
    groups: int
    vms: int
    size_bytes: int
    seed_h: tuple[float, float]
    downtime_min: tuple[float, float]
    overrun: float | None
    tasks: int
    effort_min: int
    commit_window_h: float
    fingerprint: str
    unsized: int


_SAID = (
    *("name", "title", "window_start", "window_hours", "window_zone", "groups", "vms", "size_bytes"),
    *("seed_p50_h", "seed_p95_h", "downtime_p50_min", "downtime_p95_min", "overrun", "tasks", "effort_min"),
    *("commit_window_h", "fingerprint"),
)
LINE = (*_SAID, "unsized")
_STORED = (*_SAID, "digest", "members")
_COLUMNS = ("version", "position", "unsized", *_STORED)


def insert(db: Database, version: int, waves: Iterable[Wave], inventory: str) -> None:
    """Write the waves of a version inside a transaction of the caller.

    ``inventory`` is the fingerprint of the one they were made on.
    """
    rows = []
    for position, wave in enumerate(waves):
        body = wave.model_dump_json().encode()
        members = json.dumps(_members(wave)).encode()
        named, members_named = digest(body), digest(members)
        contents.put(db, ((named, body), (members_named, members)))
        # Fingerprints of large waves are dear: one that stays as it is keeps the line it has.
        same = db.conn.execute(
            f"SELECT {', '.join(_STORED)} FROM plan_wave WHERE digest = ? LIMIT 1",  # noqa: S608
            (named,),
        ).fetchone()
        unsized = count_unsized(db.conn, inventory, wave)
        rows.append((version, position, unsized, *(same or (*_said(wave), named, members_named))))
    db.conn.executemany(
        f"INSERT INTO plan_wave ({', '.join(_COLUMNS)})"  # noqa: S608 - names of our own
        f" VALUES ({', '.join('?' * len(_COLUMNS))})",
        rows,
    )


def _members(wave: Wave) -> dict[str, object]:
    return {
        "groups": [[group.name, group.vms] for group in wave.groups],
        "becomes": [
            [held.vm, held.disk, disk.target.value, disk.rule]
            for disk in wave.disks
            if disk.converts
            for held in disk.attachments
        ],
    }


def _said(wave: Wave) -> tuple[object, ...]:
    window, seed, down = wave.window, wave.estimate.seed_h, wave.estimate.downtime_min
    return (
        *(wave.name, wave.title),
        *((window.start_utc.isoformat(), window.hours, window.zone) if window else (None, None, None)),
        *(len(wave.groups), len(wave.vms), wave.size_bytes, seed.p50, seed.p95, down.p50, down.p95),
        *(wave.overrun, len(wave.tasks), wave.effort_min, wave.policies.commit_window_h, wave.fingerprint),
    )


def line(row: sqlite3.Row) -> WaveRow:
    """Return what the columns of ``LINE`` say."""
    name, title, start, hours, zone, groups, vms, known, seed50, seed95, down50, down95, *rest = row
    window = PlannedWindow(datetime.fromisoformat(start), hours, intern(zone)) if start else None
    size = size_of(known, sized=not row["unsized"])
    return WaveRow(name, title, window, groups, vms, size, (seed50, seed95), (down50, down95), *rest)


def split(connection: sqlite3.Connection) -> None:
    """Take the waves out of documents that hold a plan whole, as the first schema stored them."""
    plans = connection.execute("SELECT version, document FROM plan").fetchall()
    if not plans:
        return  # a new project must not wait for what is heavy
    from planner.plan import Wave

    db = writer(connection)
    for version, document in plans:
        body = json.loads(document)
        if "waves" not in body:
            continue
        waves, unplanned = body.pop("waves"), body.pop("unplanned", [])
        connection.execute(
            "UPDATE plan SET document = ?, unplanned = ? WHERE version = ?",
            (json.dumps(body), json.dumps(unplanned), version),
        )
        insert(db, version, map(Wave.model_validate, waves), body["inventory"])


def weigh(connection: sqlite3.Connection) -> None:
    """Count the VMs of stored waves whose disks are not all known, which the second schema did not."""
    stored = connection.execute(
        "SELECT plan.version, position, json_extract(document, '$.inventory'), body FROM plan_wave"
        " JOIN plan USING (version) JOIN content USING (digest)"
    ).fetchall()
    if not stored:
        return
    from planner.plan import Wave

    for version, position, inventory, body in stored:
        found = count_unsized(connection, inventory, Wave.model_validate_json(body))
        if found:
            connection.execute(
                "UPDATE plan_wave SET unsized = ? WHERE version = ? AND position = ?",
                (found, version, position),
            )
