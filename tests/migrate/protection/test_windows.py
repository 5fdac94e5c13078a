"""A guest agent that answers as QEMU's does on Windows, after its source: no VSS is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.protection.freezing import Reached, checkpoint
from migrate.protection.policy import Member
from tests.migrate.protection.fake_agent import FREEZE, STATUS, THAW, FakeAgent
from tests.migrate.protection.scene import APPLICATION, CRASH, policy

_LAPSED = "couldn't hold writes: fsfreeze is limited up to 10 seconds: "


class WindowsAgent(FakeAgent):
    """VSS lets writes go by itself when it ``lapses``: the agent says frozen all the same, until it thaws."""

    lapses = False

    def _answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = super()._answer(command, arguments)
        if command == THAW and self.lapses:
            return {"error": {"class": "GenericError", "desc": _LAPSED}}
        return answer


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[WindowsAgent]:
    with WindowsAgent(tmp_path / "qga.sock") as agent:
        yield agent


def made(agent: WindowsAgent) -> Reached[bool]:
    """Make a checkpoint under a policy that knows that the guest is Windows."""
    asked = policy(Member("win", APPLICATION, str(agent.path)))
    return checkpoint(asked, lambda: agent.frozen, lambda _it: None)


def test_writers_that_came_to_rest_are_worth_an_application(agent: WindowsAgent) -> None:
    reached = made(agent)
    assert (reached.inserted, reached.consistency, reached.shortfall) == (True, APPLICATION, ())


def test_one_that_was_held_for_too_long_says_frozen_and_is_worth_a_crash(agent: WindowsAgent) -> None:
    """Negative control in it: by the status alone the label would lie."""
    agent.lapses = True
    reached = made(agent)
    assert agent.heard.index(STATUS, agent.heard.index(FREEZE)) < agent.heard.index(THAW)
    assert reached.consistency is CRASH
    assert reached.shortfall[0].startswith("win: its thaw was not confirmed: ")
    assert _LAPSED.strip() in reached.shortfall[0]
    assert reached.complaints == (), "it says thawed after that, and nobody has to look after it"


@pytest.mark.parametrize(
    "said",
    [
        "this feature or command is not currently supported",  # the VSS provider is not installed
        "failed to add \\\\?\\Volume{0}\\ to snapshot set: ",
        "timeout when try to receive Frozen event from VSS provider: ",
    ],
)
def test_a_freeze_that_vss_refuses_is_worth_a_crash(agent: WindowsAgent, said: str) -> None:
    agent.refused[FREEZE] = said
    reached = made(agent)
    assert (reached.inserted, reached.consistency) == (False, CRASH)
    assert said.strip() in reached.shortfall[0]
