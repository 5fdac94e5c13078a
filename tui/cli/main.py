"""The command line: ``wherry VERB``. A verb's module is imported only when the verb is used.

Every ending has a documented exit code: 0 done, 1 failed, 2 usage or bad input, 3 blocked,
4 partly done, 5 another run holds it, 6 unreachable, 130 interrupted.
"""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module

import click

from planner import __version__
from planner.effects import Effect
from planner.errors import WherryError


class Left(StrEnum):
    """What an interrupted verb leaves behind, in words."""

    NOTHING = "nothing was stored"  # it records all or nothing, at its end
    PARTS = "what was finished stays"
    RUN = "what was recorded stays, and the same verb goes on from there"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb as the overview shows it."""

    summary: str
    effect: Effect
    left: Left = Left.NOTHING


VERBS: dict[str, dict[str, Verb]] = {
    "Know and plan": {
        "init": Verb("make a project", Effect.EDIT_PLAN),
        "discover": Verb("read an estate: RVTools workbook, inventory document, sample", Effect.EDIT_PLAN),
        "flows": Verb("import flows and application lists, settle names", Effect.EDIT_PLAN),
        "inventory": Verb("list VMs, with a filter", Effect.VIEW),
        "filters": Verb("filters saved under a name: list, save, forget", Effect.EDIT_PLAN),
        "check": Verb("readiness findings, each with a remedy", Effect.VIEW),
        "waive": Verb("accept findings until a day, with reason and owner", Effect.EDIT_PLAN),
        "assess": Verb("complexity, data and churn, what is unknown", Effect.VIEW),
        "estimate": Verb("days to seed over a line, whether churn fits, what binds", Effect.VIEW),
        "deps": Verb("what is tied, what must move together and why", Effect.EDIT_PLAN),
        "plan": Verb("make, show, import and approve plans", Effect.EDIT_PLAN),
        "export": Verb("write plan and run reports for people to read and sign", Effect.VIEW, Left.PARTS),
        "remap": Verb("what disks become at the target, and which travel once or never", Effect.EDIT_PLAN),
        "settings": Verb("link, windows, freezes, caps, maps, policies", Effect.EDIT_PLAN),
        "addresses": Verb("which addresses guests get: list, read from a table", Effect.EDIT_PLAN),
        "site": Verb("where VMs leave and where they go", Effect.EDIT_PLAN),
    },
    "Try": {
        "lab": Verb("two folders as two sites, with VMs that really write", Effect.LIVE, Left.PARTS),
        "synth": Verb("invent an estate of any size, with ground truth beside it", Effect.VIEW),
        "anonymise": Verb("an estate under pseudonyms, to be shown to others", Effect.VIEW),
        "rehearse": Verb("run a wave many times on the simulated twin", Effect.DRY_RUN),
        "demo": Verb("the whole job on a sample, end to end", Effect.LIVE, Left.PARTS),
    },
    "Move": {
        "remedy": Verb("tasks before a wave: list, do, take back, tick off", Effect.DESTRUCTIVE, Left.RUN),
        "replicate": Verb("copy a wave's disks and keep them up to date", Effect.LIVE, Left.RUN),
        "cutover": Verb("stop at the source, run at the target", Effect.DESTRUCTIVE, Left.RUN),
        "gate": Verb("what people say before a wave goes on: list, approve, hold", Effect.LIVE),
        "probe": Verb("what VMs are asked once they run at the target; ask it now", Effect.VIEW),
        "hook": Verb("programs and human steps around a cutover", Effect.VIEW),
        "schedule": Verb("waves that begin by calendar: add, list, remove", Effect.LIVE),
        "run": Verb("levers of a run: retry, skip, pause, resume, abort", Effect.DESTRUCTIVE, Left.RUN),
        "pause": Verb("ask a running wave to stop at the next edge", Effect.LIVE, Left.PARTS),
        "commit": Verb("the point of no return: fence the sources", Effect.DESTRUCTIVE, Left.RUN),
        "rollback": Verb("before commit: back to the source", Effect.DESTRUCTIVE, Left.RUN),
        "failback": Verb("after commit: back to where it came from", Effect.DESTRUCTIVE, Left.RUN),
        "abort": Verb("before cutover: drop snapshots and replicas of a run", Effect.DESTRUCTIVE, Left.RUN),
        "engine": Verb("the process that carries out orders: start, stop, status", Effect.LIVE, Left.RUN),
        "recover": Verb("go on with a project whose host is lost", Effect.LIVE, Left.PARTS),
        "mover": Verb("carry disks for an engine on another host", Effect.LIVE, Left.PARTS),
        "send": Verb("one disk to a receiver on a network", Effect.LIVE, Left.PARTS),
        "receiver": Verb("take disks in from senders on a network", Effect.LIVE, Left.PARTS),
        "keys": Verb("who may send and receive over a network: issue, list, revoke", Effect.EDIT_PLAN),
    },
    "Protect": {
        "tap": Verb("disks for guests, streamed to a receiver as they are written", Effect.LIVE, Left.PARTS),
        "checkpoint": Verb("a point to go back to, all disks of a group at one instant", Effect.EDIT_PLAN),
        "checkpoints": Verb("list such points, see where data went bad, pin, note", Effect.EDIT_PLAN),
        "image": Verb("disks as they were at a checkpoint: served, or written out", Effect.LIVE),
    },
    "Watch": {
        "metrics": Verb("figures of the project for Prometheus", Effect.VIEW),
        "status": Verb("where every wave stands and what needs you", Effect.VIEW),
        "log": Verb("who did what, when; --verify checks the chain", Effect.VIEW),
        "verify": Verb(
            "replicas again: a wave's, or a receiver's, repaired; certificates", Effect.LIVE, Left.PARTS
        ),
        "disks": Verb("what a disk is, how large, how much of it is data", Effect.VIEW),
        "doctor": Verb("is this machine and this project all right", Effect.VIEW),
        "ui": Verb("look at it in a terminal application", Effect.VIEW, Left.PARTS),
        "serve": Verb("look at it in a browser on this machine, read-only", Effect.VIEW, Left.PARTS),
    },
}
_NAMES = [name for verbs in VERBS.values() for name in verbs]


class _Verbs(click.Group):
    """A group that knows its verbs by name and loads them when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _NAMES

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _NAMES:
            return None
        command = import_module(f"tui.cli.verbs.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in VERBS.items():
            with formatter.section(title):
                formatter.write_dl([(name, verb.summary) for name, verb in verbs.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _NAMES and not args[0].startswith("-"):
            from difflib import get_close_matches

            from planner.errors import NotFound

            near = get_close_matches(args[0], _NAMES, 1, 0.65)
            hint = f"did you mean {near[0]!r}?" if near else "see 'wherry --help'"
            raise NotFound(f"there is no verb {args[0]!r}", hint)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    epilog="Begin with: wherry demo.  Or: wherry init move && cd move && wherry discover FILE.xlsx",
)
@click.version_option(__version__, prog_name="wherry")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Plan and carry out the move of a VMware datacenter.

    Nothing is changed at a site unless a verb is given --live and the wave's name.
    Without a verb the terminal application opens on the project in the current directory.
    For scripts: WHERRY_PROGRESS=json makes every verb tell how it goes as JSON lines on stderr.
    """
    if ctx.invoked_subcommand is None:
        from planner.store.project import FILE

        if click.get_current_context().args == [] and _is_file(FILE):
            ctx.invoke(import_module("tui.cli.verbs.ui").command)
        else:
            click.echo(ctx.get_help())


def _is_file(name: str) -> bool:
    from pathlib import Path

    return Path(name).is_file()


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code, with events on stderr where they are wanted."""
    from tui.cli import events

    try:
        told = events.are_wanted()
    except WherryError as error:
        return _refuse(error, arguments)
    return events.telling(lambda: _run(arguments)) if told else _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        result = cli.main(args=arguments, prog_name="wherry", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _refuse(_usage(error), arguments)
    except WherryError as error:
        return _refuse(error, arguments)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"interrupted; {_left(arguments)}", err=True)
        return 130
    except SystemExit:
        return 0  # click's answer when whoever read has gone, as in "wherry log | head -1"
    except (OSError, sqlite3.Error) as error:
        return _refuse(_unexpected(error), arguments)
    return result if isinstance(result, int) else 0


def _left(arguments: list[str]) -> Left:
    """Return what an interrupted command line leaves behind."""
    known = {name: verb.left for verbs in VERBS.values() for name, verb in verbs.items()}
    return known.get(arguments[0], Left.NOTHING) if arguments else Left.PARTS  # without a verb: the screens


def _refuse(error: WherryError, arguments: list[str]) -> int:
    from tui.cli.output import complain

    complain(error, as_json="--json" in arguments)
    return error.exit_code


def _usage(error: click.ClickException) -> WherryError:
    """Say what click found wrong in our words: a sentence without a full stop, and a hint."""
    from planner.errors import BadInput

    context = getattr(error, "ctx", None)
    where = context.command_path if context else "wherry"
    said, mark, near = error.format_message().partition(" Did you mean ")
    hint = f"did you mean {near.strip()}" if mark else f"see '{where} --help'"
    return BadInput(f"{said[:1].lower()}{said[1:].rstrip('.')}", hint)


def _unexpected(error: OSError | sqlite3.Error) -> WherryError:
    """Say what the machine refused: a full disk, a file that may not be written."""
    if isinstance(error, sqlite3.Error):
        hint = "look for a full disk or missing rights, then run the same command again"
        return WherryError(f"the project could not be read or written: {error}", hint)
    what = f"{error.filename}: " if error.filename else ""
    return WherryError(f"{what}{error.strerror or error}", "look at that file and its disk, then try again")


def main() -> None:
    """Entry point of the ``wherry`` command."""
    sys.exit(run(sys.argv[1:]))
