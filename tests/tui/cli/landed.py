"""What a run left behind on a lab: the disks' bytes, and what its steps put into the record."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from planner.units import MIB
from tests.tui.cli.command import Wherry


def flat(cli: Wherry, site: str, size_mib: int) -> Path:
    """Return the bytes of the lab's disk of that size at a site."""
    (found,) = (
        path
        for path in (cli.root / "lab" / site / "vms").glob("*/*-flat.vmdk")
        if path.stat().st_size == size_mib * MIB
    )
    return found


def results(cli: Wherry) -> dict[str, dict[str, Any]]:
    """Return step → what it left in the record, of all steps that ended."""
    with sqlite3.connect(f"file:{cli.root / 'project.db'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT step, detail FROM step_record WHERE kind = 'done'").fetchall()
    return {step: json.loads(detail) for step, detail in rows}
