"""The progress of transfers under way, as whoever looks reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.run.following import ProgressFile
from migrate.transfers.ports import Moving, Packing

FULL = Moving("db-é/2000", 10, 20, 5, 92e6, Packing(3, 2.3, Binds.LINK), Left(60.0, 90.0), 7, 2)
BARE = Moving("db/2001", 20, 20, 0)


def test_what_is_written_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    writing, reading = ProgressFile(tmp_path, 4), ProgressFile(tmp_path, 4)
    assert reading.news() == []
    writing.report(FULL)
    writing.report(BARE)  # whole, so written at once
    assert reading.news() == [FULL, BARE]
    assert reading.news() == []


@pytest.mark.parametrize(
    "body", ["", "[", "{}", '["x"]', json.dumps([FULL._asdict()]), json.dumps([[*FULL, "more"]])]
)
def test_what_another_release_writes_is_no_news(tmp_path: Path, body: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "order-4.progress").write_text(body)
    assert ProgressFile(tmp_path, 4).news() == []
