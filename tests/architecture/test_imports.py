"""The floors and rooms: who may import whom, as pyproject.toml says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("importlinter", reason="not run: import-linter is not installed")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--no-logo", "--config", str(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_nobody_reaches_up_or_into_another_room() -> None:
    done = lint(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_contract_that_is_broken_is_seen(tmp_path: Path) -> None:
    """Negative control: the floors upside down."""
    config = tmp_path / "upside-down.ini"
    config.write_text(
        "[importlinter]\nroot_packages =\n    planner\n    migrate\n"
        "[importlinter:contract:1]\nname = upside down\ntype = layers\nlayers =\n    planner\n    migrate\n"
    )
    assert lint(config).returncode == 1


def test_every_room_a_contract_names_exists() -> None:
    """A contract about a module that was renamed would hold for ever."""
    body = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    named = {
        module
        for contract in body["contracts"]
        for key in ("source_modules", "forbidden_modules")
        for module in contract.get(key, ())
        if module.split(".")[0] in body["root_packages"]
    }
    assert named
    paths = {module: ROOT / module.replace(".", "/") for module in named}
    assert [
        name for name, path in paths.items() if not path.is_dir() and not path.with_suffix(".py").is_file()
    ] == []
