"""Runs the command line in this process, as ``main`` does, and keeps what it said."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.cli.main import run


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; anything more or less fails here."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Everything that was said."""
        return self.out + self.err


class Wherry:
    """The command line on one project."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *arguments: str) -> Ran:
        return wherry(*arguments, "--project", str(self.root))

    def live(self, verb: str, wave: str, *more: str) -> Ran:
        return self(verb, wave, "--live", "--confirm", wave, *more)

    def done(self, *arguments: str) -> Ran:
        """Run a command that must succeed."""
        ran = self(*arguments)
        assert ran.code == 0, ran.text
        return ran

    def state(self, wave: str) -> dict[str, Any]:
        """Return what ``status --json`` says of a wave."""
        return next(item for item in self.done("status", "--json").document["waves"] if item["name"] == wave)

    def stored(self) -> list[str]:
        """Return the whole content of the store, to be compared before and after."""
        with sqlite3.connect(f"file:{self.root / 'project.db'}?mode=ro", uri=True) as db:
            return list(db.iterdump())

    def report(self, wave: str) -> Any:
        """Return the run report of a wave as exported."""
        self.done("export", "json")
        return json.loads((self.root / "exports" / f"report-{wave}.json").read_text("utf-8"))


def wherry(*arguments: str) -> Ran:
    """Run one command line."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(list(arguments))
    return Ran(code, out.getvalue(), err.getvalue())


def files(directory: Path) -> set[str]:
    """Return every path under a directory."""
    return {str(Path(base) / name) for base, folders, names in os.walk(directory) for name in folders + names}


def refused(ran: Ran, code: int, *said: str) -> None:
    """Check the shape of a refusal: nothing on stdout, one sentence, one hint, the exit code."""
    assert ran.code == code, ran.text
    assert ran.out == "", ran.out
    lines = [line for line in ran.err.splitlines() if not line.startswith("reading ")]
    assert len(lines) == 2, ran.err
    sentence, hint = lines
    assert sentence.startswith("wherry: ")
    assert not sentence.endswith(".")
    assert hint.startswith("  hint: ")
    assert len(hint) > len("  hint: "), "the hint is empty"
    for words in said:
        assert words in ran.err, ran.err


@contextmanager
def descriptor(text: str) -> Iterator[str]:
    """Give the number of a pipe that holds a password."""
    ours, theirs = os.pipe()
    os.write(theirs, text.encode())
    os.close(theirs)
    try:
        yield str(ours)
    finally:
        os.close(ours)
