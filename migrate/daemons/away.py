"""Where the receiver of a site answers that is on another machine, and with which keys it is asked.

    FOLDER OF THE SITE/receiver.json   its address, and the site that its keys are for
                       receiver.pem    our bundle of keys, role sender; 0600

Without these files the receiver of a site is a process beside us, started when it is needed.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from migrate.disks.durable import remove_file, replace_file
from migrate.keys.bundle import read_private
from migrate.sites.opening import folder_of
from planner.errors import BadInput, NotFound
from planner.names import visible

_FILE = "receiver.json"
_KEYS = "receiver.pem"


@dataclass(frozen=True, slots=True)
class Away:
    """The receiver of the site that its keys call ``site``, at HOST:PORT."""

    address: str
    site: str


def keys_of(where: str) -> Path:
    """Return the file with the keys that a site's receiver is asked with."""
    return folder_of(where) / _KEYS


def find_away(where: str) -> Away | None:
    """Return where the receiver of a site is, None when it is beside us; raises BadInput."""
    path = folder_of(where) / _FILE
    with contextlib.suppress(NotFound):
        try:
            return Away(**json.loads(read_private(path)))
        except (ValueError, TypeError) as error:
            raise BadInput(
                f"{visible(str(path), 200)} does not say where a receiver is", "run 'wherry site receiver'"
            ) from error
    return None


def keep_away(where: str, away: Away, keys: bytes) -> None:
    """Keep where the receiver of a site is from now on, and our keys; raises OSError."""
    replace_file(keys_of(where), keys)
    replace_file(folder_of(where) / _FILE, (json.dumps(asdict(away), indent=2) + "\n").encode())


def forget_away(where: str) -> bool:
    """Have the receiver of a site beside us again; return whether it was away."""
    there = (folder_of(where) / _FILE).exists()
    if there:
        for path in (folder_of(where) / _FILE, keys_of(where)):
            remove_file(path)
    return there
