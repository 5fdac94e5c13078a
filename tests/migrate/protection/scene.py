"""What the tests of freezing share: policies over fake agents and hooks that are real scripts."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path

from migrate.protection.policy import Member, Policy
from migrate.sites.ports import Consistency

CRASH, FILESYSTEM, APPLICATION = Consistency


def policy(*members: Member, consistency: Consistency = APPLICATION, limit_s: float = 20.0) -> Policy:
    """Return a policy whose limits are far away unless a test is about them."""
    return Policy("crm", consistency, members, freeze_limit_s=limit_s, hook_limit_s=20.0)


def agent_member(path: Path, name: str = "db") -> Member:
    return Member(name, FILESYSTEM, str(path))


def hooked(folder: Path, name: str = "db", before: str = "", after: str = "", check: str = "") -> Member:
    """Return a member whose hooks are shell scripts; each notes in ``NAME.did`` that it ran."""

    def command(hook: str, body: str) -> tuple[str, ...]:
        noted = f"echo {hook} >> {shlex.quote(str(folder / name))}.did"
        return (str(script(folder, f"{name}-{hook}", f"{noted}\n{body}")),)

    looks = command("check", check) if check else ()
    return Member(name, APPLICATION, "", command("before", before), looks, command("after", after))


def script(folder: Path, name: str, body: str) -> Path:
    """Write a shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o700)
    return path


def did(folder: Path, name: str = "db") -> list[str]:
    """Return which hooks of a member ran, in order."""
    path = folder / f"{name}.did"
    return path.read_text("utf-8").split() if path.exists() else []


def eventually(what: Callable[[], object], seconds: float = 30.0) -> bool:
    """Wait until something is so; False when it isn't in that time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def alive(path: Path) -> bool:
    """Whether the process lives whose id is in a file."""
    stat = Path("/proc") / path.read_text("utf-8").strip() / "stat"
    return stat.exists() and stat.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
