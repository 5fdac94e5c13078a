"""Other logins: a command of wherry under another user id, as the kernel sees it, in a process of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.tui.cli.command import Ran, wherry

GROUP = 60_042  # of the people who work on a shared project


def share(root: Path) -> None:
    """Share a project's directory with the group, as docs/gates.md says."""
    for path in (root, *root.glob("project.db*")):
        os.chown(path, -1, GROUP)
        path.chmod(0o2770 if path.is_dir() else 0o660)


def as_login(uid: int, *arguments: str, groups: tuple[int, ...] = (GROUP,), umask: int = 0o007) -> Ran:
    """Run one command line as another login. What it imports has to be loaded: it may not read our files."""
    if os.geteuid() != 0:
        pytest.skip("not run: only root can become another login")
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.close(here)
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            os.umask(umask)
            ran = wherry(*arguments)
            with os.fdopen(there, "w") as pipe:
                json.dump([ran.code, ran.out, ran.err], pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(there)
    with os.fdopen(here) as pipe:
        said = pipe.read()
    assert os.waitpid(child, 0)[1] == 0, said
    return Ran(*json.loads(said))
