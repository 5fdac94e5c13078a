"""What writes rows is loaded without libraries that no row comes from."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from planner.store.writer import _Missing, writer
from tests.loading import loaded

WRITES = "import sqlite3; from planner.store.writer import writer; writer(sqlite3.connect(':memory:'))"


def test_a_process_that_writes_loads_no_pandas_and_may_later() -> None:
    found = loaded(WRITES)
    assert "sqlite_utils.db" in found
    assert not found & {"pandas", "numpy"}
    assert "numpy" in loaded(f"{WRITES}; import numpy")
    assert "pandas" in loaded("import sqlite_utils")  # negative control


def test_rows_are_written_inside_the_callers_transaction() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE vm (id TEXT PRIMARY KEY, name TEXT)")
    connection.execute("BEGIN")
    writer(connection).table("vm").insert({"id": "1", "name": "x'); DROP TABLE vm; --"})
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM vm").fetchone() == (0,)
    connection.close()


def test_other_threads_import_what_they_like() -> None:
    missing, said = _Missing(), []

    def find() -> None:
        said.append(missing.find_spec("numpy", None))

    with pytest.raises(ModuleNotFoundError, match="numpy"):
        missing.find_spec("numpy", None)
    assert missing.find_spec("json", None) is None
    thread = threading.Thread(target=find)
    thread.start()
    thread.join()
    assert said == [None]
