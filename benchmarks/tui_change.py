"""From a change in a run to the same change on a screen, in a project with a thousand VMs in runs at gates.

    python -m benchmarks.tui_change OUT ROOT PLACE [CHANGES]

    a writer ──a step's outcome, durable at T──▶ project.db ──▶ 'wherry ui' on a terminal ──▶ its words drawn

Three processes with the clock of one machine. The next change comes at a random moment after the last one
was drawn, so that none is hidden by another.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import IO, Any

from benchmarks.tui_start import Terminal, on_terminal

WAVES, VMS_EACH, CHANGES = 50, 20, 60
PLACES = ("cutover", "replicate")
_GROUP = 5  # VMs
_PAUSE_S = 1.0  # at most, before a change
_QUIET_S = 8.0  # for the application to have read, and put away, what it began with
_TALK = "from benchmarks.tui_change import write; import sys; write(sys.argv[1])"


def make(root: Path, waves: int = WAVES, vms_each: int = VMS_EACH) -> None:
    """Make a project whose waves all wait at their go gate, but the first: its step behind it failed."""
    from migrate.run import store as runs
    from migrate.run.compose import compose
    from migrate.run.runbook import GO
    from planner.store.project import Project
    from tests.migrate.simulated_run import World
    from tests.migrate.stored import store_plan

    planned = [_wave(f"W{number:02}", vms_each) for number in range(1, waves + 1)]
    books = {one.name: compose(one) for one in planned}
    twin = World(planned[0], books[planned[0].name])  # all waves have steps of the same names
    twin.drive(GO)
    results = twin.history.results
    with Project.create(root, "bench") as project:
        plan = store_plan(project, *planned)
        for name, book in books.items():
            run = runs.begin(project, plan, book)
            before = [step.id for step in book.steps[: book.index[GO]]]
            rows = [(run.id, one, kind, "{}" if kind == "intent" else json.dumps(results.get(one, {})))
                    for one in before for kind in ("intent", "done")]  # fmt: skip
            rows += [(run.id, GO, "approved", '{"who": "ada"}')] if name == planned[0].name else []
            with project.write() as db:
                db.conn.executemany(
                    "INSERT INTO step_record (run, step, kind, attempt, at, detail)"
                    " VALUES (?, ?, ?, 1, strftime('%Y-%m-%dT%H:%M:%fZ'), ?)",
                    rows,
                )


def _wave(name: str, vms: int) -> Any:
    from tests.migrate.estate import disk, wave

    names = [f"{name.lower()}-vm{number:02}" for number in range(vms)]
    groups = {f"{name.lower()}-app{at // _GROUP}": names[at : at + _GROUP] for at in range(0, vms, _GROUP)}
    return wave(groups, [disk(one, size_bytes=40 << 30) for one in names], [names], name=name)


def write(root: str) -> None:
    """Fail a step of the first run once more for each word read; say when that was durable."""
    from migrate.run import store as runs
    from migrate.run.runbook import GO
    from planner.store.project import Project

    with Project.open(Path(root)) as project:
        run = runs.every(project, runs.RunKind.WAVE)[0]
        step = run.runbook.steps[run.runbook.index[GO] + 1].id
        for attempt, word in enumerate(map(str.strip, sys.stdin), 1):
            said = json.dumps({"message": f"{word} was said", "hint": "none"})
            with project.write() as db:
                db.conn.executemany(
                    "INSERT INTO step_record (run, step, kind, attempt, at, detail)"
                    " VALUES (?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ'), ?)",
                    [(run.id, step, "intent", attempt, "{}"), (run.id, step, "failed", attempt, said)],
                )
            print(time.perf_counter(), flush=True)


@dataclass(frozen=True, slots=True)
class _Writer:
    asked: IO[str]
    said: IO[str]

    def change(self, word: str) -> float:
        """Change the run; return when that was durable."""
        self.asked.write(f"{word}\n")
        self.asked.flush()
        return float(self.said.readline())


@contextmanager
def _writer(root: Path) -> Iterator[_Writer]:
    child = subprocess.Popen(
        [sys.executable, "-c", _TALK, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield _Writer(child.stdin, child.stdout)
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def measure(root: Path, place: str, changes: int = CHANGES) -> list[float]:
    """Return the seconds from each change until it was drawn at a place."""
    chance = random.Random(7)
    seen = []
    arguments = ["-m", "tui.cli.entry", "ui", "--project", str(root), "--place", place]
    with _writer(root) as writer, on_terminal(arguments) as terminal:
        writer.change("word-first")
        terminal.until("word-first")
        _read_for(terminal, _QUIET_S)
        for number in range(changes):
            _read_for(terminal, chance.uniform(0.05, _PAUSE_S))
            word = f"word-{number:04}"
            at = writer.change(word)
            terminal.until(word)
            seen.append(time.perf_counter() - at)
    return seen


def _read_for(terminal: Terminal, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        terminal.read(left)


def spread(seen: list[float]) -> tuple[float, float, float]:
    """Return the median, the 95th percentile and the most, in milliseconds."""
    parts = quantiles(seen, n=20, method="inclusive")
    return 1000 * parts[9], 1000 * parts[18], 1000 * max(seen)


def main(out: Path, root: Path, place: str, changes: int = CHANGES) -> None:
    """Make the project unless it is there, watch it, and write down what passed."""
    if not root.exists():
        make(root)
    found = measure(root, place, changes)
    out.write_text(json.dumps(found))
    p50, p95, most = spread(found)
    print(f"{place}: {p50:.0f} ms p50, {p95:.0f} ms p95, {most:.0f} ms at most", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:]))
