"""One session with a database server, through its own client program: statements in, lines out."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class Session:
    """Speaks to a client program that was started with ``command``; one thread a time; ``close`` it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._asked = 0
        self._client = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def ask(self, statements: str) -> list[str]:
        """Return the lines that statements answer; raises ConnectionError when the client ends instead."""
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._asked += 1
        end = f"end {self._asked}"
        lines: list[str] = []
        try:
            self._client.stdin.write(f"{statements} SELECT '{end}';\n")
            self._client.stdin.flush()
        except BrokenPipeError as error:
            raise ConnectionError(self._client.stdout.read()) from error
        while line := self._client.stdout.readline():
            if line.rstrip("\n") == end:
                return lines
            lines.append(line.rstrip("\n"))
        raise ConnectionError("\n".join(lines))

    def close(self) -> None:
        """End the session."""
        self._client.kill()
        self._client.communicate()
