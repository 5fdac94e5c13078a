"""Errors: every class is told apart by its code, and its exit code is one of those documented."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner import errors
from planner.errors import WherryError

ROOT = Path(__file__).resolve().parents[2]
EXIT_CODES = {1, 2, 3, 4, 5, 6}
CLASSES = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, WherryError)]


def test_codes_are_unique_and_exit_codes_documented() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert {kind.exit_code for kind in CLASSES} == EXIT_CODES


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_an_object_for_machines(kind: type[WherryError]) -> None:
    body = json.loads(json.dumps(kind("crm-db-01 has no disks", "add one").as_json()))
    assert body == {
        "error": kind.code,
        "message": "crm-db-01 has no disks",
        "hint": "add one",
        "retryable": kind.retryable,
        "exit_code": kind.exit_code,
    }
    assert str(kind("x")) == "x"


def raised() -> Iterator[tuple[str, ast.expr]]:
    """Yield where, and the message of, each of our errors that the product makes."""
    names = {kind.__name__ for kind in CLASSES}
    for room in ("planner", "migrate", "tui"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if node.func.id in names and node.args:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.args[0]


def last_text(message: ast.expr) -> str:
    if isinstance(message, ast.JoinedStr) and message.values:
        message = message.values[-1]
    return message.value if isinstance(message, ast.Constant) and isinstance(message.value, str) else ""


def test_no_message_ends_with_a_full_stop() -> None:
    ends = [(where, last_text(message)) for where, message in raised()]
    assert len(ends) > 50
    assert [where for where, text in ends if text.endswith((".", "!"))] == []
