"""A project that several logins work on: what its directory needs so that each can say a word at a gate.

DIR          2770  group's, setgid: what SQLite makes beside the file belongs to the group too
project.db*   660  group's
run/, keys/   700  of the login that runs the engine, or issues keys; nobody else has to enter them
"""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from planner.names import visible
from planner.store.project import FILE

_STORE = (FILE, f"{FILE}-wal", f"{FILE}-shm")


@dataclass(frozen=True, slots=True)
class Sharing:
    """Whether a project is shared, with whom, and what is wrong with it: sentence and remedy."""

    shared: bool
    group: str
    wrong: tuple[tuple[str, str], ...]


def look(root: Path, umask: int) -> Sharing:
    """Return how a project's directory is shared; ``umask`` is that of whoever works on it."""
    seen = root.stat()
    group = _group(seen.st_gid)
    if not seen.st_mode & stat.S_IWGRP:
        return Sharing(False, group, ())
    return Sharing(True, group, tuple(_wrong(root, seen, group, umask)))


def own_umask() -> int:
    """Return the umask of this process, as the kernel tells it; setting it to find out would be a race."""
    for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o077


def _wrong(root: Path, seen: os.stat_result, group: str, umask: int) -> Iterator[tuple[str, str]]:
    shown = visible(str(root))
    if not seen.st_mode & stat.S_ISGID:
        yield f"{shown} has no setgid bit: new files get another group", f"chmod 2770 {shown}"
    if not seen.st_mode & stat.S_IXGRP or not seen.st_mode & stat.S_IRGRP:
        yield f"{shown} cannot be entered by group {group}", f"chmod 2770 {shown}"
    if seen.st_mode & stat.S_IRWXO:
        yield f"{shown} is open to everybody on this machine", f"chmod 2770 {shown}"
    if os.geteuid() not in (0, seen.st_uid) and seen.st_gid not in (os.getegid(), *os.getgroups()):
        yield f"your login is not in group {group}", f"have it added: usermod -a -G {group} LOGIN"
    for name in _STORE:
        try:
            file = (root / name).lstat()
        except FileNotFoundError:
            continue
        if file.st_gid != seen.st_gid:
            yield f"{name} belongs to group {_group(file.st_gid)}", f"chgrp {group} {shown}/{name}"
        if file.st_mode & 0o060 != 0o060:
            yield f"{name} cannot be written by group {group}", f"chmod 660 {shown}/{name}"
        if file.st_mode & stat.S_IRWXO:
            yield f"{name} is open to everybody on this machine", f"chmod 660 {shown}/{name}"
    if umask & stat.S_IWGRP:
        yield f"your umask is {umask:03o}: what you export is closed to group {group}", "umask 007"


def _group(gid: int) -> str:
    try:
        return visible(grp.getgrgid(gid).gr_name)
    except KeyError:
        return f"gid {gid}"
