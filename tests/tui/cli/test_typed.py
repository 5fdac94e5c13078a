"""On a terminal the wave's name is typed; anything else, or nothing, does nothing."""

from __future__ import annotations

import pytest

from tests.tui.cli.command import Wherry
from tests.tui.cli.terminal import typing


def typed(cli: Wherry, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, type ``answer`` when it asks, return how it ended."""
    return typing([(b"to replicate: ", answer)], *arguments, "--project", str(cli.root))


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (b"W02\n", 2, "'W02' is not the wave's name, nothing was done"),
        (b"yes\n", 2, "'yes' is not the wave's name"),
        (b"\x04", 130, "nothing was done"),
        (b"\x03", 130, "nothing was done"),
        (b"W01\n", 2, "the project has no source site"),
    ],
)
def test_typed(planned: Wherry, answer: bytes, code: int, words: str) -> None:
    planned.done("plan", "approve")
    before = planned.stored()
    ended, said = typed(planned, answer, "replicate", "W01", "--live")
    assert "This is live. Type W01 to replicate: " in said
    assert words in said
    assert "Traceback" not in said
    assert ended == code
    assert planned.stored() == before
