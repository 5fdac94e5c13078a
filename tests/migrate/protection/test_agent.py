"""The guest agent as a client: what was left behind, what lies, what says nothing, what never ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrate.protection.agent import Agent, AgentFailed
from migrate.protection.stopping import Stop
from tests.migrate.protection.fake_agent import FREEZE, STATUS, SYNC, THAW, FakeAgent


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeAgent]:
    with FakeAgent(tmp_path / "qga.sock") as fake:
        yield fake


def soon() -> float:
    return time.monotonic() + 20


def test_a_guest_is_frozen_looked_at_and_thawed(fake: FakeAgent) -> None:
    with closing(Agent(str(fake.path), Stop())) as agent:
        assert not agent.is_frozen(soon())
        agent.freeze()
        assert agent.frozen(soon()) == 2
        assert agent.is_frozen(soon())
        assert fake.frozen
        assert agent.thaw(soon()) == 2
        assert not fake.frozen
        assert agent.thaw(soon()) == 0


def test_what_others_left_behind_is_passed_over(fake: FakeAgent) -> None:
    """Half a sentence, an answer to somebody else, and one with another number."""
    fake.leftover = b'{"return": 7}\n\xff{"return": 12345}\n\xff[1]\n{"ret'
    with closing(Agent(str(fake.path), Stop())) as agent:
        assert agent.thaw(soon()) == 0


def test_an_answer_that_came_too_late_is_not_taken_for_another(fake: FakeAgent) -> None:
    """The freeze is answered while the client waits for the thaw: the counts differ."""
    fake.takes_s[FREEZE] = 0.3
    with closing(Agent(str(fake.path), Stop())) as agent:
        agent.is_frozen(soon())
        agent.freeze()
        with pytest.raises(AgentFailed, match="does not answer"):
            agent.frozen(time.monotonic() + 0.05)
        fake.filesystems = 3
        assert agent.thaw(soon()) == 3
        assert fake.heard.index(FREEZE) < fake.heard.index(THAW)


def test_a_path_may_be_longer_than_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.chdir(deep)
    with FakeAgent(Path("a.sock")), closing(Agent(str(deep / "a.sock"), Stop())) as agent:
        assert not agent.is_frozen(soon())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"nonsense\n", "what is no answer"),
        (b"[" * 60_000 + b"\n", "what is no answer"),
        (b'["return"]\n', "what is no answer"),
        (b"x" * 200_000 + b"\n", "line without an end"),
        (b'{"return": true}\n', "how many"),
        (b'{"return": -1}\n', "how many"),
        (b'{"return": 1e99}\n', "how many"),
        (b'{"return": {"a": 1}}\n', "how many"),
        (b'{"error": {"desc": "\\u001b[31mred\\u202e"}}\n', "refuses: ␛\\[31mred<U\\+202E>"),
        (b'{"error": "down"}\n', "what is no answer"),
    ],
)
def test_what_an_agent_says_is_not_trusted(fake: FakeAgent, said: bytes, why: str) -> None:
    fake.said[THAW] = said
    with closing(Agent(str(fake.path), Stop())) as agent, pytest.raises(AgentFailed, match=why):
        agent.thaw(soon())


def test_neither_frozen_nor_thawed_is_no_answer(fake: FakeAgent) -> None:
    fake.said[STATUS] = b'{"return": "perhaps"}\n'
    with closing(Agent(str(fake.path), Stop())) as agent, pytest.raises(AgentFailed, match="neither"):
        agent.is_frozen(soon())


def test_an_agent_that_talks_without_end_is_left(fake: FakeAgent) -> None:
    fake.leftover = b"y" * 3_000_000
    with closing(Agent(str(fake.path), Stop())) as agent, pytest.raises(AgentFailed, match="no end"):
        agent.thaw(soon())


def test_nobody_there(tmp_path: Path, fake: FakeAgent) -> None:
    fake.mute.add(SYNC)
    with closing(Agent(str(fake.path), Stop())) as agent, pytest.raises(AgentFailed, match="not answer"):
        agent.thaw(time.monotonic() + 0.05)
    for path in (tmp_path / "none", tmp_path / "none" / "none"):
        with closing(Agent(str(path), Stop())) as agent, pytest.raises(AgentFailed, match="be reached"):
            agent.thaw(soon())


def test_one_that_is_stopped_waits_no_more(fake: FakeAgent) -> None:
    fake.mute.add(SYNC)
    stop = Stop()
    stop.say()
    with closing(Agent(str(fake.path), stop)) as agent, pytest.raises(AgentFailed, match="no more time"):
        agent.thaw(time.monotonic() + 3600)


def test_an_agent_that_hangs_up_is_called_again(fake: FakeAgent) -> None:
    def hang_up(command: str) -> None:
        if command == THAW:
            fake.on_command = lambda _command: None
            raise ConnectionResetError

    fake.on_command = hang_up
    with closing(Agent(str(fake.path), Stop())) as agent:
        with pytest.raises(AgentFailed, match=r"hung up|is gone"):
            agent.thaw(soon())
        assert agent.thaw(soon()) == 0
