"""A checkpoint under a policy: the label is what was really reached, in every combination."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.protection.freezing import Reached, checkpoint
from migrate.protection.guard import Guard
from migrate.protection.policy import Member, Policy
from migrate.sites.consistency import Consistency, lowest
from planner.errors import Blocked
from tests.migrate.protection.fake_agent import FREEZE, SYNC, THAW, FakeAgent
from tests.migrate.protection.scene import (
    APPLICATION,
    CRASH,
    FILESYSTEM,
    agent_member,
    alive,
    did,
    eventually,
    hooked,
    policy,
)


class Scene:
    """Fake agents by name, and what was inserted and withdrawn."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.agents: dict[str, FakeAgent] = {}
        self.at_insert: dict[str, bool] = {}
        self.inserted: list[str] = []
        self.withdrawn: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def agent(self, name: str = "db") -> Member:
        self.agents[name] = self._stack.enter_context(FakeAgent(self.folder / f"{name}.sock"))
        return agent_member(self.agents[name].path, name)

    def insert(self) -> str:
        self.at_insert = {name: agent.frozen for name, agent in self.agents.items()}
        self.inserted.append("it")
        self.meanwhile()
        return "it"

    def log(self) -> str:
        """Return the watchdog's line, which comes when all is over."""
        path = self.folder / "log"
        assert eventually(lambda: path.exists() and path.read_text("utf-8"))
        return path.read_text("utf-8")

    def make(self, asked: Policy, still_frozen: tuple[str, ...] = ()) -> Reached[str]:
        try:
            return checkpoint(asked, self.insert, self.withdrawn.append, self.folder / "log")
        finally:
            assert tuple(name for name, agent in self.agents.items() if agent.frozen) == still_frozen


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def test_all_members_are_held_at_one_instant_and_let_go(scene: Scene) -> None:
    """Two agents, two applications, and one that has both."""
    both = replace(hooked(scene.folder, "both"), agent=scene.agent("both").agent)
    members = (
        scene.agent("a"),
        scene.agent("b"),
        hooked(scene.folder, "c"),
        hooked(scene.folder, "d", check="true"),
        both,
    )
    during: list[list[str]] = []
    scene.meanwhile = lambda: during.append([*did(scene.folder, "c"), *did(scene.folder, "both")])
    reached = scene.make(policy(*members))
    assert scene.at_insert == {"both": True, "a": True, "b": True}
    assert during == [["before", "before"]]
    assert (did(scene.folder, "c"), did(scene.folder, "both")) == (["before", "after"], ["before", "after"])
    assert did(scene.folder, "d") == ["before", "check", "after"]
    assert reached.consistency is FILESYSTEM
    assert [found.consistency for found in reached.members] == [
        FILESYSTEM, FILESYSTEM, APPLICATION, APPLICATION, APPLICATION
    ]  # fmt: skip
    assert (reached.inserted, reached.fired, reached.complaints, reached.shortfall) == ("it", "", (), ())
    assert "let go when asked" in scene.log()


def test_the_guest_is_frozen_after_its_hook_and_thawed_before_it(scene: Scene) -> None:
    member = replace(hooked(scene.folder), agent=scene.agent().agent)
    then: list[tuple[str, list[str]]] = []
    scene.agents["db"].on_command = lambda command: then.append((command, did(scene.folder)))
    assert scene.make(policy(member)).consistency is APPLICATION
    assert (FREEZE, ["before"]) in then
    assert (THAW, ["before"]) in then


def _mute(*commands: str) -> Callable[[FakeAgent], None]:
    return lambda agent: agent.mute.update(commands)


def _refusing(agent: FakeAgent) -> None:
    agent.refused[FREEZE] = "VSS writer \x1b[31mfailed"


def _nothing_to_freeze(agent: FakeAgent) -> None:
    agent.filesystems = 0


def _thaw_complains(agent: FakeAgent) -> None:
    agent.said[THAW] = b'{"error": {"desc": "could not hold writes: limited up to 10 seconds"}}\n'


# what goes wrong, what the agent's member reaches then, and the words for it
AGENTS = [
    (lambda _agent: None, FILESYSTEM, ""),
    (_mute(SYNC), CRASH, "does not answer|was given no more time"),
    (_refusing, CRASH, r"refuses: VSS writer ␛\[31mfailed"),
    (_nothing_to_freeze, CRASH, "none of its file systems"),
    (_thaw_complains, CRASH, "its thaw was not confirmed"),
]


@pytest.mark.parametrize(("fault", "level", "why"), AGENTS)
def test_the_label_of_an_agent_is_honest(
    scene: Scene, fault: Callable[[FakeAgent], None], level: Consistency, why: str
) -> None:
    members = scene.agent("a"), scene.agent("b")
    fault(scene.agents["b"])
    limit_s = 2.0 if scene.agents["b"].mute else 20.0  # of one that says nothing
    reached = scene.make(policy(*members, consistency=FILESYSTEM, limit_s=limit_s))
    assert [found.consistency for found in reached.members] == [FILESYSTEM, level]
    assert reached.consistency is level
    assert scene.at_insert["a"]  # the other one was held all the same
    assert len(reached.shortfall) == (level is CRASH)
    assert not why or re.search(f"^b: .*({why})", reached.shortfall[0])


HOOKS = [
    ({}, APPLICATION, ""),
    ({"check": "true"}, APPLICATION, ""),
    ({"before": "exit 1"}, CRASH, "its before hook ended with code 1"),
    ({"before": "sleep 1000"}, CRASH, "its before hook was not done within 1.0 s"),
    ({"check": "echo gone; exit 1"}, CRASH, "its check hook ended with code 1: gone"),
]


@pytest.mark.parametrize("with_agent", [False, True])
@pytest.mark.parametrize(("hooks", "level", "why"), HOOKS)
def test_the_label_of_hooks_is_honest(
    scene: Scene, hooks: dict[str, str], level: Consistency, why: str, with_agent: bool
) -> None:
    """With an agent besides, a failed hook leaves what the agent gives."""
    member = hooked(scene.folder, **hooks)
    if with_agent:
        member = replace(member, agent=scene.agent().agent)
        level = FILESYSTEM if level is CRASH else level
    reached = scene.make(replace(policy(member), hook_limit_s=1.0 if why.endswith("1.0 s") else 20.0))
    assert reached.consistency is level
    assert reached.members[0].why == why
    assert did(scene.folder)[-1] == "after"  # also after a before hook that failed half-way


def test_all_that_lowered_a_label_is_said(scene: Scene) -> None:
    member = replace(hooked(scene.folder, before="exit 1"), agent=scene.agent().agent)
    _nothing_to_freeze(scene.agents["db"])
    reached = scene.make(policy(member))
    assert reached.shortfall == (
        "db: its before hook ended with code 1; none of its file systems could be frozen",
    )


@pytest.mark.parametrize("asked", Consistency)
def test_no_more_is_done_than_is_asked_for(scene: Scene, asked: Consistency) -> None:
    both = replace(hooked(scene.folder), agent=scene.agent().agent)
    reached = scene.make(policy(both, consistency=asked))
    assert reached.consistency is asked
    assert scene.at_insert == {"db": asked is not CRASH}
    assert did(scene.folder) == (["before", "after"] if asked is APPLICATION else [])
    assert asked is CRASH or scene.log()


def test_one_that_nothing_holds_decides_for_all(scene: Scene) -> None:
    reached = scene.make(policy(scene.agent("a"), Member("b")))
    assert reached.consistency is CRASH
    assert reached.shortfall == ("b: nothing holds it",)
    assert scene.make(policy(Member("b"))).shortfall == ("b: nothing holds it",)
    assert scene.make(policy(Member("b"), consistency=CRASH)).shortfall == ()


def test_one_that_thaws_while_the_checkpoint_is_made(scene: Scene) -> None:
    """Negative control in it: a label taken before the insert would lie."""
    asked = policy(scene.agent("a"), scene.agent("b"), consistency=FILESYSTEM)
    scene.meanwhile = scene.agents["b"].thaw_by_itself
    with Guard(asked) as guard:
        before = guard.freeze()
        scene.insert()
        after = guard.release()
    assert lowest(found.consistency for found in before.members) is FILESYSTEM
    assert lowest(found.consistency for found in after.members) is CRASH
    reached = scene.make(asked)
    assert [found.consistency for found in reached.members] == [FILESYSTEM, CRASH]
    assert reached.shortfall == ("b: it was thawed before the checkpoint was made",)


def test_a_lock_that_ends_with_its_session_is_no_lock(scene: Scene) -> None:
    """The before hook leaves a session behind; while it lives the lock does."""
    before = f"setsid sleep 1000 >/dev/null 2>&1 & echo $! > {scene.folder}/session"
    asked = policy(hooked(scene.folder, before=before))
    assert scene.make(asked).consistency is APPLICATION

    def lose() -> None:
        os.kill(int((scene.folder / "session").read_text("utf-8")), signal.SIGTERM)
        assert eventually(lambda: not alive(scene.folder / "session"))

    scene.meanwhile = lose
    assert scene.make(asked).shortfall == (
        "db: what its before hook left running ended before the checkpoint was made",
    )


def test_one_that_thaws_after_it_was_looked_at(scene: Scene) -> None:
    """It says that it is frozen, and the thaw finds nothing to thaw."""
    asked = policy(scene.agent(), consistency=FILESYSTEM)
    fake = scene.agents["db"]
    fake.on_command = lambda command: fake.thaw_by_itself() if command == THAW else None
    assert scene.make(asked).shortfall == ("db: somebody else thawed it meanwhile",)


def test_one_that_somebody_else_froze_is_left_alone(scene: Scene) -> None:
    asked = policy(scene.agent(), consistency=FILESYSTEM)
    fake = scene.agents["db"]
    fake.frozen = True
    reached = scene.make(asked, still_frozen=("db",))
    assert reached.shortfall == ("db: somebody else holds it frozen",)
    assert {FREEZE, THAW} & set(fake.heard) == set()


def test_a_slow_one_is_left_behind_and_thawed(scene: Scene) -> None:
    """It freezes after its part of the limit; the others reach what they were to reach."""
    asked = policy(scene.agent("a"), scene.agent("slow"), consistency=FILESYSTEM, limit_s=2.5)
    scene.agents["slow"].takes_s[FREEZE] = 2.0
    reached = scene.make(asked)
    assert [found.consistency for found in reached.members] == [FILESYSTEM, CRASH]
    heard = scene.agents["slow"].heard
    assert heard.index(FREEZE) < heard.index(THAW)


def test_a_hook_that_is_slow_is_left_behind_when_others_are_held(scene: Scene) -> None:
    asked = policy(hooked(scene.folder, "a"), hooked(scene.folder, "slow", before="sleep 1000"), limit_s=2.5)
    reached = scene.make(asked)
    assert [found.consistency for found in reached.members] == [APPLICATION, CRASH]
    assert (reached.fired, reached.shortfall) == ("", ("slow: its before hook was stopped",))
    assert did(scene.folder, "slow") == ["before", "after"]


def test_a_checkpoint_that_takes_too_long_is_worth_a_crash(scene: Scene) -> None:
    asked = policy(scene.agent(), hooked(scene.folder, "app"), limit_s=0.5)
    scene.meanwhile = lambda: None if scene.agents["db"].await_state(False) else pytest.fail("still frozen")
    reached = scene.make(asked)
    assert reached.consistency is CRASH
    assert reached.fired == "they were held for 0.5 s, which is the limit"
    assert did(scene.folder, "app") == ["before", "after"]
    assert len(reached.shortfall) == 2


def test_a_thaw_that_is_not_answered_is_asked_for_again(scene: Scene) -> None:
    """And is not proof that nobody thawed before."""
    asked = policy(scene.agent(), consistency=FILESYSTEM)
    fake = scene.agents["db"]
    fake.said[THAW] = b"what\n"
    fake.refused[THAW] = "not now"

    def relent(command: str) -> None:
        if fake.heard.count(THAW) == 3:
            fake.said.clear()
            fake.refused.clear()

    fake.on_command = relent
    reached = scene.make(asked)
    assert reached.consistency is CRASH
    assert fake.heard.count(THAW) == 3
    assert reached.complaints == ()


def test_an_after_hook_that_fails_is_said_loudly_and_takes_nothing_from_the_label(scene: Scene) -> None:
    before = f"setsid sleep 1000 >/dev/null 2>&1 & echo $! > {scene.folder}/session"
    reached = scene.make(policy(hooked(scene.folder, before=before, after="echo no; exit 4")))
    assert reached.consistency is APPLICATION
    assert reached.complaints == ("db may still be held: its after hook ended with code 4: no",)
    assert "NOT LET GO FOR CERTAIN" in scene.log()
    assert eventually(lambda: not alive(scene.folder / "session"))


@pytest.mark.parametrize("before", ["exit 1", ""])
def test_what_is_required_or_nothing(scene: Scene, before: str) -> None:
    """Not reached: nothing is inserted. Reached and lost again: it is withdrawn."""
    members = scene.agent(), hooked(scene.folder, "app", before=before)
    asked = replace(policy(*members, consistency=FILESYSTEM), required=True)
    if not before:
        scene.meanwhile = scene.agents["db"].thaw_by_itself
    with pytest.raises(Blocked, match="requires filesystem, which was not reached") as refused:
        scene.make(asked)
    assert scene.inserted == ([] if before else ["it"])
    assert scene.withdrawn == ([] if before else ["it"])
    assert ("app: its before hook" if before else "db: it was thawed") in refused.value.message
    assert did(scene.folder, "app") == ["before", "after"]


def test_what_is_required_and_reached_is_kept(scene: Scene) -> None:
    asked = replace(policy(scene.agent(), consistency=FILESYSTEM), required=True)
    assert scene.make(asked).consistency is FILESYSTEM
    assert scene.withdrawn == []
    never = replace(policy(Member("bare")), required=True)
    with pytest.raises(Blocked, match="bare: nothing holds it"):
        scene.make(never)
    assert scene.inserted == ["it"]


@pytest.mark.parametrize("error", [OSError("the journal is full"), KeyboardInterrupt()])
def test_whatever_the_insert_meets_all_are_let_go(scene: Scene, error: BaseException) -> None:
    asked = policy(scene.agent(), hooked(scene.folder, "app", after="exit 2"))

    def fail() -> None:
        assert scene.agents["db"].frozen
        raise error

    scene.meanwhile = fail
    with pytest.raises(type(error)) as met:
        scene.make(asked)
    assert met.value.__notes__ == ["app may still be held: its after hook ended with code 2"]


def test_hostile_names_are_harmless_in_every_sentence(scene: Scene) -> None:
    name = "\x1b[31m[bold]‮"
    member = replace(hooked(scene.folder, "app", before="exit 1", after="exit 1"), name=name)
    asked = replace(policy(member), group=name, required=True)
    with pytest.raises(Blocked) as refused:
        scene.make(asked)
    for text in (refused.value.message, scene.log()):
        assert "␛[31m[bold]<U+202E>" in text
        assert "\x1b" not in text
        assert "‮" not in text
