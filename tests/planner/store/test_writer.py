"""What writes rows is loaded without libraries that no row comes from."""

from __future__ import annotations

import importlib.util
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from planner.store.writer import _Missing, writer

ROOT = Path(__file__).resolve().parents[3]
WRITES = "import sqlite3; from planner.store.writer import writer; writer(sqlite3.connect(':memory:'))"


def loaded(code: str) -> set[str]:
    ran = f"{code}; import sys; sys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", ran], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="not run: there is no pandas to load")
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
