"""Start-up is a feature: what the command line loads before it knows what is asked of it."""

from __future__ import annotations

from tests.loading import loaded

HEAVY = (
    "networkx",
    "pydantic",
    "pyVmomi",
    "sqlite_utils",
    "textual",
    "xlsxwriter",
    "python_calamine",
    "zstandard",
    "blake3",
    "cryptography",
    "tomlkit",
    "lxml",
    "yaml",
    "rapidfuzz",
    "keyring",
    "ortools",
    "icalendar",
    "textual_serve",
    "aiohttp",
)
PACKAGES = ("planner", "migrate", "tui", "planner.sources", "planner.store", "migrate.sites", "migrate.steps")


def loaded_by(module: str) -> set[str]:
    return {name.split(".")[0] for name in loaded(f"import {module}")}


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    assert loaded_by("tui.cli.main") & set(HEAVY) == set()


def test_packages_load_nothing_by_themselves() -> None:
    assert loaded_by(", ".join(PACKAGES)) & set(HEAVY) == set()


def test_the_core_of_a_run_needs_no_store_and_no_documents() -> None:
    found = loaded_by("migrate.run.actions, migrate.run.history, migrate.run.runbook")
    assert found & {*HEAVY, "sqlite3"} == set()


def test_a_heavy_library_would_be_seen() -> None:
    """Negative control."""
    assert "pydantic" in loaded_by("planner.plan")
