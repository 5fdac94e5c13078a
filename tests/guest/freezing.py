"""The policy under which the guest is frozen; run as a program it freezes the guest and dies while it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from migrate.protection.freezing import checkpoint
from migrate.protection.policy import Member, Policy
from migrate.sites.ports import Consistency


def policy(agent: Path) -> Policy:
    """Return one that takes no less than the guest at rest: its agent's hook stops it between two records."""
    member = Member("guest", Consistency.APPLICATION, str(agent))
    # Far more than it takes: an emulated processor that is shared with others is no failure.
    return Policy("guest", Consistency.APPLICATION, (member,), freeze_limit_s=90.0, required=True)


def die_frozen(agent: Path) -> None:
    """Have another process freeze the guest and die at the moment of its checkpoint."""
    command = [sys.executable, "-m", "tests.guest.freezing", str(agent)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout == "frozen\n"


def _die() -> None:
    print("frozen", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    checkpoint(policy(Path(sys.argv[1])), _die, lambda _: None)
