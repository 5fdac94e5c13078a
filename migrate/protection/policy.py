"""What a group's checkpoints are to be worth, and how each of its members is held still for one.

    crash        nothing is asked of anybody
    filesystem   the file systems of all members are frozen, through the agents in their guests
    application  besides that, each member's hooks have brought its application to rest

A label is the lowest of what the members really reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from migrate.sites.consistency import Consistency


@dataclass(frozen=True, slots=True)
class Member:
    """A VM of a group and how it is held still: by an agent, by hooks, by both, or not at all.

    ``agent`` is the path of a guest agent's socket; ``before``, ``check`` and ``after`` are commands as
    lists of arguments. ``worth`` is what a point is worth to it at which everything that is named holds.
    """

    name: str
    worth: Consistency = Consistency.CRASH
    agent: str = ""
    before: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()  # the volumes it has in the group; an only member has all of them

    @property
    def is_held(self) -> bool:
        """Whether there is a way to hold it still."""
        return bool(self.agent or self.before)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the checkpoints of a group are to be. ``required``: better none than one worth less.

    Nobody is held for longer than ``freeze_limit_s``, no hook runs for longer than ``hook_limit_s``.
    """

    group: str
    consistency: Consistency
    members: tuple[Member, ...]
    every_s: float = 900.0
    freeze_limit_s: float = 10.0
    hook_limit_s: float = 60.0
    required: bool = False

    @property
    def asks_more(self) -> bool:
        """Whether it asks for more than what anybody gets for nothing."""
        return self.consistency is not Consistency.CRASH

    def acting(self) -> tuple[Member, ...]:
        """Return the members with only those means that the policy's consistency asks for."""
        return tuple(map(self._acting, self.members))

    def _acting(self, member: Member) -> Member:
        if not self.asks_more:
            return Member(member.name)
        if self.consistency is Consistency.FILESYSTEM and member.agent and member.before:
            return Member(member.name, Consistency.FILESYSTEM, member.agent)
        return member

    def without_member(self, volumes: Iterable[str]) -> tuple[str, ...]:
        """Return those volumes that are of no member: nobody would hold them, and no label could say so."""
        if len(self.members) == 1 and not self.members[0].disks:
            return ()
        held = {volume for member in self.members for volume in member.disks}
        return tuple(volume for volume in volumes if volume not in held)

    def dump(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @staticmethod
    def load(plain: Mapping[str, Any]) -> Policy:
        """Return what ``dump`` made plain."""
        members = tuple(map(_member, plain["members"]))
        policy = Policy(**{**plain, "members": members})
        return replace(policy, consistency=Consistency(policy.consistency))


def _member(plain: Mapping[str, Any]) -> Member:
    commands = {word: tuple(plain[word]) for word in ("before", "check", "after", "disks")}
    return Member(**{**plain, "worth": Consistency(plain["worth"]), **commands})
