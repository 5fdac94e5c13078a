"""Untrusted files are parsed in a child process with limits; this is the parent's side of it.

    run_isolated ─▶ child: limits, then a reader ─▶ staging file (SQLite), progress over a pipe

Whatever happens to the child (a refusal, a panic, an abort, a limit) becomes one sentence here. The
staging file lies in a directory of its own that is always removed.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from planner.errors import BadInput, NoSpace, WherryError
from planner.names import visible
from planner.own_code import child_environment
from planner.units import GIB, show_bytes

Report = Callable[[int, int], None]  # (bytes done, bytes in all), as far as that is known

_LINE = 65536  # of what the child says
_HINT = "export it again with the program that wrote it; split a very large estate into several files"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a reader may use: address space, processor time, and the size of its staging file."""

    memory_bytes: int = 3 * GIB
    cpu_s: int = 600
    file_bytes: int = 4 * GIB


@contextlib.contextmanager
def staging_file() -> Iterator[Path]:
    """Give the path of a staging file that does not exist yet, and remove what was made of it."""
    with tempfile.TemporaryDirectory(prefix="wherry-", ignore_cleanup_errors=True) as directory:
        yield Path(directory) / "staging.db"


def run_isolated(
    reader: str,
    path: Path,
    staging: Path,
    *,
    options: Mapping[str, int | str] | None = None,
    bounds: Bounds | None = None,
    report: Report | None = None,
) -> None:
    """Let a reader of ``planner.sources.child`` parse ``path`` into the staging file.

    ``options`` are handed to the reader by name. Raises BadInput for whatever is wrong with the file,
    NoSpace, and WherryError for a fault of the reader; then nothing in the staging file counts.
    """
    bounds = bounds or Bounds()
    job = {
        "reader": reader,
        "path": str(path),
        "staging": str(staging),
        "options": dict(options or {}),
        "bounds": asdict(bounds),
    }
    with staging.with_name("words").open("w+b") as words:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "planner.sources.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env={**child_environment(), "RUST_BACKTRACE": "0"},
            start_new_session=True,  # Ctrl-C is ours to answer
        )
        try:
            said = _converse(child, job, report)
        finally:
            child.kill()
            code = child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    pipe.close()
        words.seek(0)
        last_words = words.read(_LINE)
    if "refused" in said:
        raise _refusal(said["refused"])
    if "done" not in said:
        if b"Traceback" in last_words and b"MemoryError" not in last_words:
            last = last_words.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise WherryError(
                f"{visible(path.name, 80)} cannot be read: {visible(last, 300)}",
                "report this as a fault of wherry, with the headers of the file",
            )
        raise BadInput(f"{visible(path.name, 80)} is refused: {_cause(code, last_words, bounds)}", _HINT)


def _converse(
    child: subprocess.Popen[bytes], job: Mapping[str, object], report: Report | None
) -> dict[str, Any]:
    """Hand over the job and return the last thing the child says; progress goes to ``report``."""
    stdin, stdout = child.stdin, child.stdout
    if stdin is None or stdout is None:
        raise AssertionError("both are pipes")
    with contextlib.suppress(BrokenPipeError):
        # A job name may hold lone surrogates: JSON writes them as escapes.
        stdin.write(json.dumps(job).encode("ascii"))
        stdin.close()
    for said in _words(stdout):
        if "at" not in said:
            return said
        done, total = said["at"]
        if report and isinstance(done, int) and isinstance(total, int):
            report(done, total)
    return {}


def _words(stdout: IO[bytes]) -> Iterator[dict[str, Any]]:
    while line := stdout.readline(_LINE):
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        yield said


def _refusal(said: Mapping[str, object]) -> BadInput | NoSpace:
    kind = NoSpace if said.get("code") == NoSpace.code else BadInput
    return kind(visible(str(said.get("message")), 1000), visible(str(said.get("hint")), 1000))


def _cause(code: int, last_words: bytes, bounds: Bounds) -> str:
    if b"memory allocation of" in last_words or b"MemoryError" in last_words:
        return f"reading it takes more than {show_bytes(bounds.memory_bytes)} of memory"
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"reading it takes more than {bounds.cpu_s} s of processor time"
    return "it breaks its reader, so it is damaged or made to do harm"
