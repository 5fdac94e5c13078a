"""The house rules that a machine can check, over every file of the tree."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

Node = TypeVar("Node", bound=ast.AST)
ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("planner", "migrate", "tui")
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
LONGEST = 400
DOCSTRING_LINES = 8


@cache
def sources() -> tuple[tuple[str, ast.Module, str], ...]:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text("utf-8")
            found.append((str(path.relative_to(ROOT)), ast.parse(text), text))
    return tuple(found)


@cache
def nodes(kind: type[Node]) -> tuple[tuple[str, Node], ...]:
    """Return all nodes of a kind with the file that they stand in; every tree is walked once."""
    return tuple((path, node) for path, node in _walked() if isinstance(node, kind))


@cache
def _walked() -> tuple[tuple[str, ast.AST], ...]:
    kinds = (ast.Call, ast.keyword, ast.Import, ast.ImportFrom)
    return tuple(
        (path, node) for path, tree, _ in sources() for node in ast.walk(tree) if isinstance(node, kinds)
    )


def calls(name: str) -> Iterator[str]:
    for path, node in nodes(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == name:
            yield f"{path}:{node.lineno}"


def keywords(name: str, value: object) -> Iterator[str]:
    for path, node in nodes(ast.keyword):
        if node.arg == name and isinstance(node.value, ast.Constant) and node.value.value is value:
            yield f"{path}:{node.value.lineno}"


def imports(name: str) -> Iterator[str]:
    for path, node in nodes(ast.Import):
        if any(item.name.split(".")[0] == name for item in node.names):
            yield f"{path}:{node.lineno}"
    for path, node in nodes(ast.ImportFrom):
        if node.module and node.module.split(".")[0] == name:
            yield f"{path}:{node.lineno}"


def test_there_is_something_to_check() -> None:
    assert len(sources()) > 50


def test_a_module_is_a_room_with_a_noun() -> None:
    assert [path for path, _, _ in sources() if NAMELESS & set(Path(path).with_suffix("").parts)] == []


def test_no_file_wants_to_be_two() -> None:
    long = {path: text.count("\n") for path, _, text in sources() if text.count("\n") > LONGEST}
    assert long == {}


def test_every_module_says_what_lives_there_in_a_few_lines() -> None:
    missing, wordy = [], []
    for path, tree, text in sources():
        said = ast.get_docstring(tree)
        if text.strip() and not said:
            missing.append(path)
        prose = [line for line in (said or "").splitlines() if line and not line.startswith(" ")]
        if len(prose) > DOCSTRING_LINES:
            wordy.append(path)
    assert (missing, wordy) == ([], [])


@pytest.mark.parametrize("name", ["print", "eval", "exec"])
def test_product_code_never_calls(name: str) -> None:
    assert list(calls(name)) == []


@pytest.mark.parametrize("name", ["pickle", "shelve", "marshal", "dill", "cloudpickle"])
def test_product_code_never_imports(name: str) -> None:
    assert list(imports(name)) == []


@pytest.mark.parametrize(("name", "value"), [("shell", True), ("verify", False)])
def test_product_code_never_passes(name: str, value: object) -> None:
    assert list(keywords(name, value)) == []


def test_certificates_are_never_waved_through() -> None:
    weak = re.compile(r"CERT_NONE|_create_unverified_context|disableSslCertValidation")
    assert [path for path, _, text in sources() if weak.search(text)] == []


# written in parts, so that this file does not find itself
_PLACES = "|".join(("/" + "work/", "/" + "root/", "/home/" + r"[a-z]+/", "/" + "mnt/user"))


def tree_files() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not run: this is not a git work tree")
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_nothing_mentions_a_path_of_the_machine_it_was_made_on() -> None:
    place = re.compile(rf"(?<![\w.])(?:{_PLACES})".encode())
    found = [str(path.relative_to(ROOT)) for path in tree_files() if place.search(path.read_bytes())]
    assert found == []
