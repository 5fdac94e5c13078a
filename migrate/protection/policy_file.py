"""Policies as people write them: one TOML file a group, strict, refused by file and entry.

A policy names commands that will be run, so a file that others can write to is refused. Its commands
and sockets are looked for beside it unless their paths are absolute; a command without a slash is one
of the search path. What is missing is found out when the file is read, not at the first freeze.
"""

from __future__ import annotations

import os
import shutil
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from migrate.protection.policy import Member, Policy
from migrate.sites.consistency import Consistency, at_least
from planner.errors import BadInput
from planner.names import visible
from planner.units import parse_duration, show_duration

_MAX_BYTES = 1024 * 1024
_HINT = "correct it there; docs/protection.md shows whole policies"
_WRONG = {  # by what kinds of errors begin with
    "extra_forbidden": "there is no such entry",
    "missing": "it is missing",
    "bool": "it must be true or false",
    "string_type": "it must be text",
    "list_type": "it must be a list",
    "model": "it must be a table",
    "enum": "it must be crash, filesystem or application",
}


def _seconds(said: object) -> float:
    if not isinstance(said, str):
        raise ValueError("it must be a duration like 90s or 15m, in quotes")
    try:
        return parse_duration(said)
    except BadInput as error:
        raise ValueError(f"{visible(error.message, 100)}: {error.hint}") from error


def _bounded(least_s: float, most_s: float) -> AfterValidator:
    def check(seconds: float) -> float:
        if not least_s <= seconds <= most_s:
            raise ValueError(f"it must be from {show_duration(least_s)} to {show_duration(most_s)}")
        return seconds

    return AfterValidator(check)


def _plain(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("it must not be empty, nor hold a NUL")
    return text


def _command(arguments: list[str]) -> list[str]:
    if not arguments or not arguments[0] or any("\0" in item for item in arguments):
        raise ValueError("it must be a list of arguments that begins with a command")
    return arguments


_Text = Annotated[str, Field(max_length=512), AfterValidator(_plain)]
_Level = Annotated[Consistency, Field(strict=False)]
_Command = Annotated[list[str], Field(max_length=256), AfterValidator(_command)]
_Duration = BeforeValidator(_seconds)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Member(_Part):
    name: _Text
    agent: Annotated[str, Field(max_length=4096), AfterValidator(_plain)] | None = None
    before: _Command | None = None
    check: _Command | None = None
    after: _Command | None = None
    worth: _Level | None = None
    disks: Annotated[list[_Text], Field(min_length=1, max_length=4096)] | None = None


class _File(_Part):
    group: _Text
    consistency: _Level
    every: Annotated[float, _Duration, _bounded(1, 31 * 86400)] = 900.0
    freeze_limit: Annotated[float, _Duration, _bounded(0.1, 300)] = 10.0
    hook_limit: Annotated[float, _Duration, _bounded(0.1, 3600)] = 60.0
    required: bool = False
    member: Annotated[list[_Member], Field(min_length=1, max_length=256)]


def read_policy(path: Path) -> Policy:
    """Return the policy of a file; raises BadInput."""
    shown = visible(str(path), 200)
    try:
        told = _File.model_validate(tomllib.loads(_text(path, shown)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = visible(str(error), 200)
        raise BadInput(f"{shown} is not valid TOML: {why}", "correct the line it names") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(f"{shown} is wrong at {_place(first['loc'])}: {_said(first)}", _HINT) from error
    policy = Policy(
        told.group,
        told.consistency,
        tuple(_member(shown, number, item, path.parent) for number, item in enumerate(told.member, 1)),
        told.every,
        told.freeze_limit,
        told.hook_limit,
        told.required,
    )
    _check_members(shown, policy)
    return policy


def _text(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as file:
            seen = os.fstat(file.fileno())
            body = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", "check the path") from error
    if seen.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(seen.st_mode) & 0o022:
        raise BadInput(
            f"{shown} names commands to run and can be changed by other users",
            "make it your own, with mode 0600 or 0644",
        )
    if len(body) > _MAX_BYTES:
        raise BadInput(f"{shown} is larger than a policy can be", _HINT)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{shown} is not valid TOML: it is not UTF-8", _HINT) from error


def _place(steps: tuple[int | str, ...]) -> str:
    """Return where an entry stands as people count: ``member 2: before``."""
    words: list[str] = []
    for step in steps:
        if isinstance(step, int):
            words[-1] += f" {step + 1}"
        else:
            words.append(visible(step, 60))
    return ": ".join(words) or "the top"


def _said(wrong: Any) -> str:
    kind = str(wrong["type"])
    for start, words in _WRONG.items():
        if kind.startswith(start):
            return words
    return visible(str(wrong["msg"]).removeprefix("Value error, "), 200)


def _member(shown: str, number: int, told: _Member, folder: Path) -> Member:
    where = f"{shown}: member {number} ({visible(told.name, 60)})"
    if (told.before is None) != (told.after is None):
        one, other = ("before", "after") if told.after is None else ("after", "before")
        raise BadInput(f"{where} has {one} and no {other}", "name both: what is held has to be let go")
    if told.check is not None and told.before is None:
        raise BadInput(f"{where} has check and no before", "leave it out: an agent is asked anyway")
    usual = Consistency.FILESYSTEM if told.agent else Consistency.CRASH
    worth = told.worth or (Consistency.APPLICATION if told.before else usual)
    if not (told.agent or told.before) and worth is not Consistency.CRASH:
        raise BadInput(f"{where} is worth {worth} and held by nothing", "name its agent, or before and after")
    return Member(
        told.name,
        worth,
        str(folder.absolute() / told.agent) if told.agent else "",
        _found(where, "before", told.before, folder),
        _found(where, "check", told.check, folder),
        _found(where, "after", told.after, folder),
        tuple(told.disks or ()),
    )


def _found(where: str, entry: str, command: list[str] | None, folder: Path) -> tuple[str, ...]:
    """Return a command with the path of what is run."""
    if command is None:
        return ()
    program = command[0]
    found = shutil.which(str(folder.absolute() / program) if "/" in program else program)
    if found is None:
        raise BadInput(
            f"{where}: {entry} names {visible(program, 100)}, which cannot be run here",
            "name a command of the search path, or the path of one that is executable",
        )
    return str(Path(found).absolute()), *command[1:]


def _check_members(shown: str, policy: Policy) -> None:
    names: set[str] = set()
    agents: dict[str, str] = {}
    disks: dict[str, str] = {}
    for member in policy.members:
        name = visible(member.name, 60)
        if member.name in names:
            raise BadInput(f"{shown} names the member {name} twice", "name each VM once")
        names.add(member.name)
        if member.agent and (other := agents.setdefault(os.path.normpath(member.agent), name)) != name:
            raise BadInput(f"{shown}: {other} and {name} have one agent", "name the socket of each")
        for disk in member.disks:
            if (other := disks.setdefault(disk, name)) != name:
                raise BadInput(
                    f"{shown}: {other} and {name} have one disk, {visible(disk, 60)}",
                    "name it at one of them: a disk that is shared is held by whoever writes it",
                )
    for member in policy.acting():
        if policy.required and not at_least(member.worth, policy.consistency):
            raise BadInput(
                f"{shown} requires {policy.consistency}, and {visible(member.name, 60)} can reach "
                f"{member.worth} at most",
                "say how it is held, ask for less, or leave required out",
            )
