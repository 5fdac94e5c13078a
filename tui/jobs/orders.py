"""What can be ordered as a job, each as the command line that does it.

What a person typed goes behind ``--`` or an ``=``, so that a name with a dash in front is never an option.
Runs at a site are no jobs: they outlive the application.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from pathlib import Path

from planner.names import visible


class Kind(Enum):
    """What jobs do; of each kind one runs at a time."""

    IMPORT = "import"
    PLAN = "plan"
    WHAT_IF = "what-if"
    EXPORT = "export"
    REHEARSE = "rehearse"
    ASSESS = "assess"
    CHECKPOINT = "checkpoint"
    VERIFY = "verify"
    BOOT = "boot"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Order:
    """One job to be done: its kind, what people call it, and the verb with options and operands."""

    kind: Kind
    title: str
    verb: tuple[str, ...]
    options: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)

    def argv(self, root: Path) -> tuple[str, ...]:
        """Return the command line, without ``wherry``, for the project in ``root``."""
        operands = ("--", *self.operands) if self.operands else ()
        return (*self.verb, *self.options, f"--project={root}", *operands)


def import_file(paths: Sequence[str], *, is_target: bool = False, add: bool = False, cap: str = "") -> Order:
    """Return the order to read inventories: workbooks, csv folders, documents, samples."""
    options = [*_flags({"--target": is_target, "--add": add}), *_valued({"--cap": cap})]
    return Order(Kind.IMPORT, f"import {_named(paths)}", ("discover", "--json"), tuple(options), tuple(paths))


def import_vcenter(
    url: str,
    user: str = "",
    *,
    password: str | None = None,
    trust: str = "",
    ca_file: str = "",
    is_target: bool = False,
    add: bool = False,
    check: bool = False,
) -> Order:
    """Return the order to read a vCenter, ``vcenter://HOST`` or ``vcenter://USER@HOST``.

    Without ``password`` the keyring is asked. ``check`` only logs in and says what the account may see.
    Raises BadInput for an address that is none, or that holds a password: it would be seen by others.
    """
    from urllib.parse import quote

    from planner.sources.vcenter.address import parse_address

    scheme, mark, host = url.partition("://")
    spec = f"{scheme}://{quote(user, safe='@')}@{host}" if user and mark and "@" not in host else url
    address = parse_address(spec)
    flags = _flags({"--target": is_target, "--add": add, "--check": check})
    return Order(
        Kind.IMPORT,
        f"import {visible(address.endpoint, 60)}",
        ("discover", "--json"),
        (*flags, *_valued({"--trust": trust, "--ca-file": ca_file})),
        (spec,),
        password,
    )


def import_flows(paths: Sequence[str], kind: str = "") -> Order:
    """Return the order to read flows and application lists."""
    return Order(
        Kind.IMPORT,
        f"import {_named(paths)}",
        ("flows", "import", "--json"),
        _valued({"--kind": kind}),
        tuple(paths),
    )


def import_table(path: str, check: bool = False) -> Order:
    """Return the order to read an edited table of the plan back; ``check`` only says what it would change."""
    return Order(
        Kind.IMPORT,
        f"import {_named((path,))}",
        ("plan", "import-csv", "--json"),
        _flags({"--check": check}),
        (path,),
    )


def plan(effort: str = "normal", seed: int = 1) -> Order:
    """Return the order to make a plan; without ``--json``, since a plan is as large as its estate."""
    return Order(Kind.PLAN, "plan", ("plan",), (f"--effort={effort}", f"--seed={seed}"))


def what_if(
    *,
    link: str = "",
    drop_hosts: Sequence[str] = (),
    freezes: Sequence[tuple[date, date]] = (),
    exclude_apps: Sequence[str] = (),
    caps_vms: int | None = None,
    caps_tib: float | None = None,
    exit_date: date | None = None,
    effort: str = "",
    keep: bool = False,
) -> Order:
    """Return the order to plan on other settings beside the plan; ``keep`` makes it the plan."""
    options = [
        *_valued({"--link": link}),
        *(f"--drop-host={name}" for name in drop_hosts),
        *(word for start, end in freezes for word in ("--add-freeze", start.isoformat(), end.isoformat())),
        *(f"--exclude-app={name}" for name in exclude_apps),
        *_valued({
            "--caps-vms": "" if caps_vms is None else str(caps_vms),
            "--caps-tib": "" if caps_tib is None else str(caps_tib),
            "--exit-date": exit_date.isoformat() if exit_date else "",
            "--effort": effort,
        }),
        *_flags({"--keep": keep}),
    ]  # fmt: skip
    return Order(Kind.WHAT_IF, "what if", ("plan", "what-if", "--json"), tuple(options))


def export(formats: Sequence[str] = (), out: str = "", waves: Sequence[str] = ()) -> Order:
    """Return the order to write the plan in these formats, into the project's exports or ``out``.

    With ``waves`` these alone.
    """
    called = " ".join(visible(name, 20) for name in formats[:4]) or "papers"
    options = (*_valued({"--to": out}), *(f"--wave={name}" for name in waves))
    return Order(Kind.EXPORT, f"export {called}", ("export", "--json"), options, tuple(formats))


def rehearse(wave: str, runs: int = 200, fault: str = "", seed: int = 1) -> Order:
    """Return the order to run a wave many times on the twin."""
    options = (f"--runs={runs}", f"--seed={seed}", *_valued({"--fault": fault}))
    return Order(Kind.REHEARSE, f"rehearse {visible(wave, 40)}", ("rehearse", "--json"), options, (wave,))


def rehearse_dry(wave: str) -> Order:
    """Return the order to ask both sites what a run of a wave would meet; nothing is changed."""
    called = f"dry run of {visible(wave, 40)}"
    return Order(Kind.REHEARSE, called, ("rehearse", "--json"), ("--depth=dry",), (wave,))


def checkpoint(group: str, name: str = "", pin: bool = False) -> Order:
    """Return the order to make a checkpoint of a group, WAVE/GROUP, once no cycle of it is under way."""
    options = ("--wait", *_flags({"--pin": pin}))
    called = f"checkpoint {visible(group, 40)}"
    return Order(Kind.CHECKPOINT, called, ("checkpoint", "--json"), options, (group, name))


def verify(wave: str) -> Order:
    """Return the order to read every replica of a wave again and hold it against the record."""
    return Order(Kind.VERIFY, f"verify {visible(wave, 40)}", ("verify", "--json"), (), (wave,))


def boot(wave: str, chosen: Mapping[str, str], *, newest: bool = False) -> Order:
    """Return the order to boot a copy of a wave as it was at checkpoints ``chosen`` of its groups.

    A group is WAVE/GROUP. Of the others it is their ``newest``, else the newest that is not newer than
    those; with none chosen it is the newest of all. It is live: who orders it has confirmed it.
    """
    words = [f"--checkpoint={group}={point}" for group, point in chosen.items()]
    others = ("--checkpoint=latest",) if newest else ()
    options = ("--depth=boot", "--live", f"--confirm={wave}", *words, *others)
    return Order(Kind.BOOT, f"boot a copy of {visible(wave, 40)}", ("rehearse", "--json"), options, (wave,))


def serve_image(group: str, checkpoint: int) -> Order:
    """Return the order to serve a group's disks as they were at a checkpoint, until the job is stopped."""
    called = f"disks of {visible(group, 40)} at {checkpoint}"
    return Order(Kind.IMAGE, called, ("image", "--json"), ("--serve",), (group, str(checkpoint)))


def write_image(group: str, checkpoint: int, to: str, form: str) -> Order:
    """Return the order to write a group's disks out as they were at a checkpoint; a form is raw or vmdk."""
    called = f"restore {visible(group, 40)} to {checkpoint}"
    options = (f"--to={to}", f"--format={form}")
    return Order(Kind.IMAGE, called, ("image", "--json"), options, (group, str(checkpoint)))


def write_onto(group: str, checkpoint: int, volume: str, device: str, *, live: bool = False) -> Order:
    """Return the order to write a disk as it was at a checkpoint over a device, dry unless ``live``.

    It is destructive: who orders it live has confirmed it.
    """
    called = f"{'write' if live else 'look at'} {visible(device, 60)}"
    options = (f"--disk={volume}", f"--onto={device}", *((f"--confirm={device}", "--live") if live else ()))
    return Order(Kind.IMAGE, called, ("image", "--json"), options, (group, str(checkpoint)))


def assess(vm: str = "") -> Order:
    """Return the order to assess the estate, or one VM."""
    called = f"assess {visible(vm, 40)}" if vm else "assess"
    return Order(Kind.ASSESS, called, ("assess", "--json"), (), (vm,) if vm else ())


def _flags(wanted: dict[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, is_set in wanted.items() if is_set)


def _valued(given: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in given.items() if value)


def _named(paths: Sequence[str]) -> str:
    first = visible(Path(paths[0]).name or paths[0], 40) if paths else "nothing"
    return f"{first} and {len(paths) - 1} more" if len(paths) > 1 else first
