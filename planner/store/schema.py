"""The schema of ``project.db``: every table, who writes it, and how older files are brought up.

Migrations lose nothing. A newer wherry opens an older file and migrates it in one transaction; an older
wherry refuses a newer file. The version is SQLite's ``user_version``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from planner.errors import BadInput

Step = str | Callable[[sqlite3.Connection], None]  # SQL, or what SQL cannot say


def _split_plans(connection: sqlite3.Connection) -> None:
    """Take the waves out of the documents of plans that hold them."""
    from planner.store.plan_waves import split

    split(connection)


def _weigh_plans(connection: sqlite3.Connection) -> None:
    """Say of each stored wave how many of its VMs have disks that nobody knows."""
    from planner.store.plan_waves import weigh

    weigh(connection)


_VERSION_1 = (
    # planner.store.project
    "CREATE TABLE project (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    # planner.store.inventories
    """CREATE TABLE inventory (
        id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, source TEXT NOT NULL, taken_at TEXT NOT NULL,
        stored_at TEXT NOT NULL, vms INTEGER NOT NULL, size_bytes INTEGER NOT NULL, estate TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE inventory_vm (
        inventory INTEGER NOT NULL REFERENCES inventory(id), position INTEGER NOT NULL,
        id TEXT NOT NULL, name TEXT NOT NULL, cluster TEXT NOT NULL, power TEXT NOT NULL,
        guest_os TEXT NOT NULL, cpus INTEGER NOT NULL, memory_bytes INTEGER NOT NULL,
        disk_bytes INTEGER NOT NULL, application TEXT NOT NULL, detail TEXT NOT NULL,
        PRIMARY KEY (inventory, position)
    ) STRICT, WITHOUT ROWID""",
    # planner.store.settings
    """CREATE TABLE settings (
        version INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, document TEXT NOT NULL
    ) STRICT""",
    # planner.store.plans
    """CREATE TABLE plan (
        version INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL,
        document TEXT NOT NULL
    ) STRICT""",
    # planner.store.approvals
    """CREATE TABLE approval (
        id INTEGER PRIMARY KEY, plan INTEGER NOT NULL REFERENCES plan(version), wave TEXT NOT NULL,
        fingerprint TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL
    ) STRICT""",
    # migrate.run.controls
    """CREATE TABLE control (
        id INTEGER PRIMARY KEY, wave TEXT NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL,
        at TEXT NOT NULL, answered_at TEXT
    ) STRICT""",
    # migrate.run.store
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY, wave TEXT NOT NULL, fingerprint TEXT NOT NULL, plan INTEGER NOT NULL,
        at TEXT NOT NULL, who TEXT NOT NULL, runbook TEXT NOT NULL
    ) STRICT""",
    # migrate.run.record
    """CREATE TABLE step_record (
        seq INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id), step TEXT NOT NULL,
        kind TEXT NOT NULL, attempt INTEGER NOT NULL, at TEXT NOT NULL, detail TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX step_record_run ON step_record (run, seq)",
    # migrate.audit
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, effect TEXT NOT NULL,
        act TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
        previous TEXT NOT NULL, digest TEXT NOT NULL
    ) STRICT""",
)

# What inventories hold is stored once by its digest; rows of snapshots name it.
_VERSION_2: tuple[Step, ...] = (
    # planner.store.contents
    "CREATE TABLE content (digest TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT",
    "INSERT INTO content (digest, body)"
    " SELECT 'v1/' || inventory || '/' || position, detail FROM inventory_vm",
    # planner.store.inventories
    "ALTER TABLE inventory ADD COLUMN role TEXT NOT NULL DEFAULT 'source'",
    "ALTER TABLE inventory ADD COLUMN base INTEGER REFERENCES inventory(id)",
    """CREATE TABLE inventory_row (
        inventory INTEGER NOT NULL REFERENCES inventory(id), position INTEGER NOT NULL,
        id TEXT NOT NULL, name TEXT NOT NULL, cluster TEXT NOT NULL, power TEXT NOT NULL,
        guest_os TEXT NOT NULL, cpus INTEGER NOT NULL, memory_bytes INTEGER NOT NULL,
        disk_bytes INTEGER NOT NULL, application TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES content(digest),
        PRIMARY KEY (inventory, position)
    ) STRICT, WITHOUT ROWID""",
    "INSERT INTO inventory_row SELECT inventory, position, id, name, cluster, power, guest_os, cpus,"
    " memory_bytes, disk_bytes, application, 'v1/' || inventory || '/' || position FROM inventory_vm",
    "DROP TABLE inventory_vm",
    "ALTER TABLE inventory_row RENAME TO inventory_vm",
    # migrate.run.store
    "ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'wave'",
    # planner.store.trust
    """CREATE TABLE trusted_certificate (
        id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, thumbprint TEXT NOT NULL,
        at TEXT NOT NULL, who TEXT NOT NULL
    ) STRICT""",
    # planner.store.evidence
    """CREATE TABLE evidence_import (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
        at TEXT NOT NULL, who TEXT NOT NULL, rows INTEGER NOT NULL, refused INTEGER NOT NULL,
        ignored TEXT NOT NULL, withdrawn_at TEXT
    ) STRICT""",
    """CREATE TABLE evidence_endpoint (
        import INTEGER NOT NULL REFERENCES evidence_import(id), number INTEGER NOT NULL,
        name TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (import, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE evidence_conversation (
        id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES evidence_import(id),
        source INTEGER NOT NULL, destination INTEGER NOT NULL, port INTEGER, protocol TEXT NOT NULL,
        size_bytes INTEGER, count INTEGER NOT NULL, first_seen INTEGER, last_seen INTEGER,
        days INTEGER NOT NULL, rows TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE evidence_fact (
        import INTEGER NOT NULL REFERENCES evidence_import(id), row INTEGER NOT NULL, field TEXT NOT NULL,
        subject INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (import, row, field)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE evidence_settled (
        label TEXT PRIMARY KEY, vm TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL
    ) STRICT""",
    # planner.store.decisions
    """CREATE TABLE decision (
        id INTEGER PRIMARY KEY, ruling TEXT NOT NULL, a TEXT NOT NULL, a_uuid TEXT NOT NULL,
        a_name TEXT NOT NULL, b TEXT NOT NULL, b_uuid TEXT NOT NULL, b_name TEXT NOT NULL, port INTEGER,
        why TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE decision_end (
        decision INTEGER PRIMARY KEY REFERENCES decision(id), at TEXT NOT NULL, who TEXT NOT NULL
    ) STRICT""",
    # planner.store.ticks
    """CREATE TABLE tick (
        id INTEGER PRIMARY KEY, task TEXT NOT NULL, check_id TEXT NOT NULL, vm TEXT NOT NULL,
        wave TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL
    ) STRICT""",
    # planner.store.waivers
    """CREATE TABLE waiver (
        id INTEGER PRIMARY KEY, check_id TEXT NOT NULL, subjects TEXT NOT NULL, chosen_by TEXT NOT NULL,
        reason TEXT NOT NULL, owner TEXT NOT NULL, until TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE waiver_end (
        waiver INTEGER PRIMARY KEY REFERENCES waiver(id), who TEXT NOT NULL, at TEXT NOT NULL,
        why TEXT NOT NULL
    ) STRICT""",
    # planner.store.plans, planner.store.plan_waves
    "ALTER TABLE plan ADD COLUMN unplanned TEXT NOT NULL DEFAULT '[]'",
    """CREATE TABLE plan_wave (
        version INTEGER NOT NULL REFERENCES plan(version), position INTEGER NOT NULL,
        name TEXT NOT NULL, title TEXT NOT NULL,
        window_start TEXT, window_hours REAL, window_zone TEXT,
        groups INTEGER NOT NULL, vms INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
        seed_p50_h REAL NOT NULL, seed_p95_h REAL NOT NULL,
        downtime_p50_min REAL NOT NULL, downtime_p95_min REAL NOT NULL, overrun REAL,
        tasks INTEGER NOT NULL, effort_min INTEGER NOT NULL, commit_window_h REAL NOT NULL,
        fingerprint TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES content(digest), members TEXT NOT NULL REFERENCES content(digest),
        PRIMARY KEY (version, position)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX plan_wave_digest ON plan_wave (digest)",
    # planner.store.columns
    """CREATE TABLE inventory_column (
        inventory INTEGER NOT NULL REFERENCES inventory(id), field TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (inventory, field)
    ) STRICT""",
    # planner.store.neighbours
    """CREATE TABLE inventory_neighbours (
        inventory INTEGER PRIMARY KEY REFERENCES inventory(id), made_by TEXT NOT NULL, vms INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT""",
    # planner.store.judged
    """CREATE TABLE judged (
        id INTEGER PRIMARY KEY, inventory INTEGER NOT NULL REFERENCES inventory(id), stamp TEXT NOT NULL,
        at TEXT NOT NULL, tallies BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE judged_check (
        number INTEGER PRIMARY KEY, check_id TEXT NOT NULL, severity TEXT NOT NULL, remedy TEXT NOT NULL,
        kind TEXT NOT NULL, findings INTEGER NOT NULL, waived INTEGER NOT NULL, unknown INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE judged_finding (
        number INTEGER PRIMARY KEY, of_check INTEGER NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL,
        message TEXT NOT NULL, waiver TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX judged_finding_check ON judged_finding (of_check)",
    "CREATE INDEX judged_finding_subject ON judged_finding (subject)",
    # planner.store.filters
    """CREATE TABLE saved_filter (
        place TEXT NOT NULL, name TEXT NOT NULL, filter TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (place, name)
    ) STRICT, WITHOUT ROWID""",
    # planner.store.edits
    """CREATE TABLE plan_edit (
        id INTEGER PRIMARY KEY, act TEXT NOT NULL, what TEXT NOT NULL, other TEXT NOT NULL,
        vms TEXT NOT NULL, partners TEXT NOT NULL, wave TEXT NOT NULL, start TEXT NOT NULL,
        before INTEGER NOT NULL REFERENCES plan(version), after INTEGER NOT NULL REFERENCES plan(version),
        who TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE plan_edit_end (
        edit INTEGER PRIMARY KEY REFERENCES plan_edit(id), who TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT""",
    # planner.store.dismissed
    """CREATE TABLE suggestion_dismissed (
        title TEXT PRIMARY KEY, vms TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)

_VERSION_3: tuple[Step, ...] = (
    # planner.store.plan_waves
    "ALTER TABLE plan_wave ADD COLUMN unsized INTEGER NOT NULL DEFAULT 0",
    _split_plans,  # those of the first schema, once the lines have all their columns
    _weigh_plans,
)

_VERSION_4: tuple[Step, ...] = (
    # migrate.run.orders
    """CREATE TABLE work_order (
        id INTEGER PRIMARY KEY, wave TEXT NOT NULL, purpose TEXT NOT NULL, options TEXT NOT NULL,
        who TEXT NOT NULL, at TEXT NOT NULL, begun_at TEXT, ended_at TEXT, result TEXT
    ) STRICT""",
    "CREATE INDEX work_order_open ON work_order (id) WHERE ended_at IS NULL",
    # migrate.gates.words
    """CREATE TABLE gate_word (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id), gate TEXT NOT NULL,
        verdict TEXT NOT NULL, who TEXT NOT NULL, uid INTEGER NOT NULL, at TEXT NOT NULL,
        fingerprint TEXT NOT NULL, ticket TEXT NOT NULL, reason TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX gate_word_run ON gate_word (run, gate)",
    # migrate.schedule.calendar
    """CREATE TABLE appointment (
        id INTEGER PRIMARY KEY, wave TEXT NOT NULL, purpose TEXT NOT NULL, due TEXT NOT NULL,
        fingerprint TEXT NOT NULL, ticket TEXT NOT NULL, who TEXT NOT NULL, uid INTEGER NOT NULL,
        made_at TEXT NOT NULL, ended_at TEXT, ended_why TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    # migrate.rehearsals.book
    """CREATE TABLE rehearsed (
        id INTEGER PRIMARY KEY, wave TEXT NOT NULL, fingerprint TEXT NOT NULL, plan INTEGER NOT NULL,
        depth TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, verdict TEXT NOT NULL,
        notes TEXT NOT NULL, report TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX rehearsed_wave ON rehearsed (wave, id)",
)

_VERSION_5: tuple[Step, ...] = (
    # migrate.run.cycles
    """CREATE TABLE cycle (
        run INTEGER NOT NULL REFERENCES run(id), part TEXT NOT NULL, number INTEGER NOT NULL,
        instant TEXT NOT NULL, ended_at TEXT NOT NULL, data_bytes INTEGER NOT NULL,
        wire_bytes INTEGER NOT NULL, PRIMARY KEY (run, number, part)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX audit_act ON audit (act)",
)

_VERSION_6: tuple[Step, ...] = (
    # migrate.run.controls
    "ALTER TABLE control ADD COLUMN detail TEXT NOT NULL DEFAULT '{}'",
)

# How runbooks are stored from here on, no older wherry can read.
_VERSION_7: tuple[Step, ...] = (
    # migrate.run.store
    "ALTER TABLE run ADD COLUMN params TEXT NOT NULL DEFAULT ''",
)

_VERSION_8: tuple[Step, ...] = (
    # migrate.run.cycles
    "ALTER TABLE cycle ADD COLUMN proven TEXT NOT NULL DEFAULT ''",
)

MIGRATIONS: tuple[tuple[Step, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
    _VERSION_7,
    _VERSION_8,
)
VERSION = len(MIGRATIONS)
APPLICATION_ID = 0x57485259  # "WHRY", in the file's header


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def check(connection: sqlite3.Connection, where: str) -> int:
    """Return the file's version; raises BadInput when it is newer or not ours. Changes nothing."""
    found, owner = _pragma(connection, "user_version"), _pragma(connection, "application_id")
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if owner != APPLICATION_ID and (owner or found or tables):
        raise BadInput(f"{where} is a database of another program", "choose another directory")
    if found > VERSION:
        raise BadInput(
            f"{where} was written by a newer wherry (schema {found}, this one knows {VERSION})",
            "upgrade wherry",
        )
    return found


def migrate(connection: sqlite3.Connection, where: str) -> None:
    """Bring the database to ``VERSION``; raises BadInput when it is newer than this program."""
    if check(connection, where) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[check(connection, where) :]:  # another process may have been first
            for statement in statements:
                if callable(statement):
                    statement(connection)
                else:
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
        connection.execute(f"PRAGMA user_version = {VERSION:d}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
