"""Rolling verification: which part of a disk was found equal when, in a small file that is kept.

A part that differed counts as not verified, however often it was before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from migrate.disks.durable import replace_file
from planner.errors import BadInput
from planner.names import visible

_SCHEMA = "wherry.rounds/1"
_MAX_BYTES = 64 * 1024 * 1024
_HINT = "name another file with --record, or remove this one to begin anew"


@dataclass(frozen=True, slots=True)
class Rounds:
    """The parts of one disk. ``verified`` holds when each was last found equal, by number from 1."""

    volume: str
    size_bytes: int
    parts: int
    verified: dict[int, datetime]

    def next(self) -> int:
        """Return the part that was never verified, or else the longest ago."""
        never = datetime.min.replace(tzinfo=UTC)
        return min(range(1, self.parts + 1), key=lambda part: (self.verified.get(part, never), part))

    def oldest(self) -> datetime | None:
        """Return since when every part was verified, None while one never was."""
        return min(self.verified.values()) if len(self.verified) == self.parts else None

    def noted(self, part: int, equal: bool, at: datetime) -> Rounds:
        """Return the rounds after one more look at a part."""
        others = {number: when for number, when in self.verified.items() if number != part}
        return replace(self, verified={**others, part: at} if equal else others)


def read_rounds(path: Path, volume: str, size_bytes: int, parts: int) -> Rounds:
    """Return what is kept in ``path``, nothing yet when it is not there; raises BadInput."""
    shown = visible(str(path), 200)
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MAX_BYTES))
        if set(told) != {"schema", "volume", "size_bytes", "parts", "verified"} or told["schema"] != _SCHEMA:
            raise ValueError
        verified = {int(part): datetime.fromisoformat(at) for part, at in told["verified"].items()}
        if any(not 1 <= part <= parts or at.tzinfo is None for part, at in verified.items()):
            raise ValueError
    except FileNotFoundError:
        return Rounds(volume, size_bytes, parts, {})
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", _HINT) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadInput(f"{shown} is no record of verified parts for {parts} of them", _HINT) from error
    if (told["volume"], told["size_bytes"], told["parts"]) != (volume, size_bytes, parts):
        raise BadInput(f"{shown} is the record of another disk, or of other parts", _HINT)
    return Rounds(volume, size_bytes, parts, verified)


def keep_rounds(path: Path, rounds: Rounds) -> None:
    """Write the record durably; raises OSError."""
    body = {
        "schema": _SCHEMA,
        "volume": rounds.volume,
        "size_bytes": rounds.size_bytes,
        "parts": rounds.parts,
        "verified": {str(part): at.isoformat() for part, at in sorted(rounds.verified.items())},
    }
    replace_file(path, (json.dumps(body, indent=1) + "\n").encode("ascii"), 0o644)
