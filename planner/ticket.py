"""Patterns of change tickets: a small part of regular expressions, so that no text takes long to match.

What a pattern may choose between is multiplied up: a repetition counts as many ways as a ticket has
characters, an alternation as many as it has branches. Past a limit the pattern is refused, so that
matching ends in milliseconds whatever somebody types at a gate at night.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 60  # characters of a ticket
_LONGEST_PATTERN = 200
_MOST_WAYS = 500_000
_COUNTED = re.compile(r"\{(?=[\d,])(\d*)(?:(,)(\d*))?\}")
_UNREADABLE = "the pattern {0!r} is no regular expression"


@dataclass
class _Group:
    """An open bracket of the pattern: its branches, and what stands in it."""

    branches: int = 1
    parts: list[int] = field(default_factory=list)  # ways of each part; the last one can be repeated

    @property
    def total(self) -> int:
        """Ways through the whole group."""
        found = self.branches
        for part in self.parts:
            found = min(found * part, _MOST_WAYS + 1)
        return found


def compile_ticket(pattern: str) -> re.Pattern[str]:
    """Return the pattern, ready for ``fullmatch``; raises ValueError with what it may not hold."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"a ticket's pattern is longer than {_LONGEST_PATTERN} characters")
    if _ways(pattern) > _MOST_WAYS:
        raise ValueError(f"the pattern {pattern!r} leaves too much open: repeat fewer parts of it")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{_UNREADABLE.format(pattern)}: {error}") from error


def matches(pattern: str, ticket: str) -> bool:
    """Return whether the whole ticket has the form of the pattern; one too long never has."""
    return len(ticket) <= LONGEST and compile_ticket(pattern).fullmatch(ticket) is not None


def _ways(pattern: str) -> int:
    """Return an upper bound of the ways in which a ticket can be laid on the pattern."""
    stack = [_Group()]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            if pattern[at + 1 : at + 2] in ("", *"123456789gk"):
                raise ValueError(f"the pattern {pattern!r} refers back to a group, or ends in a backslash")
            stack[-1].parts.append(1)
            at += 2
        elif char == "[":
            at = _class_end(pattern, at)
            stack[-1].parts.append(1)
        elif char == "(":
            if pattern[at + 1 : at + 2] == "?" and pattern[at + 2 : at + 3] != ":":
                raise ValueError(f"the pattern {pattern!r} has a group of another kind than (…) and (?:…)")
            stack.append(_Group())
            at += 3 if pattern[at + 1 : at + 2] == "?" else 1
        elif char == ")":
            if len(stack) == 1:
                raise ValueError(f"{_UNREADABLE.format(pattern)}: a bracket is closed that none opened")
            closed = stack.pop()
            stack[-1].parts.append(closed.total)
            at += 1
        elif char == "|":
            stack[-1].branches += 1
            at += 1
        elif char in "*+?" or (char == "{" and _COUNTED.match(pattern, at)):
            at = _repeat(pattern, at, stack[-1])
        else:
            stack[-1].parts.append(1)
            at += 1
    return max(group.total for group in stack)


def _repeat(pattern: str, at: int, group: _Group) -> int:
    """Count a repetition of the last part, and return where the pattern goes on."""
    if not group.parts:
        raise ValueError(f"{_UNREADABLE.format(pattern)}: there is nothing to repeat")
    counted = _COUNTED.match(pattern, at)
    if counted:
        low = int(counted[1] or 0)
        high = (int(counted[3]) if counted[3] else LONGEST) if counted[2] else low
        at = counted.end()
    else:
        low, high = (0, 1) if pattern[at] == "?" else (0, LONGEST)
        at += 1
    if pattern[at : at + 1] in ("?", "+"):  # lazy and possessive: the same ways
        at += 1
    high = min(high, LONGEST)
    part = group.parts.pop()
    each = min(part**high, _MOST_WAYS + 1) if part > 1 else 1
    group.parts.append(min(each * max(high - low + 1, 1), _MOST_WAYS + 1))
    return at


def _class_end(pattern: str, at: int) -> int:
    """Return where the pattern goes on after a class of characters; what it means is for ``re`` to say."""
    end = at + 1
    if pattern[end : end + 1] == "^":
        end += 1
    if pattern[end : end + 1] == "]":  # one that would close it at once stands for itself
        end += 1
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1
