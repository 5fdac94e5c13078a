"""wherry settings: show and change the project's settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say
from tui.cli.words import Words


@click.group(cls=Words, epilog="Examples: wherry settings show; wherry settings set link.rate_mbit 400")
def command() -> None:
    """Link, windows, freezes, caps, owners, maps and policies, as TOML."""


def _store(project_dir: Path, text: str, where: str, act: str) -> None:
    from tui.acts.settling import store_text

    with open_project(project_dir) as project:
        store_text(project, text, where, act)


def _text(project_dir: Path) -> str:
    from planner.store import settings as settings_store

    with open_project(project_dir) as project:
        return settings_store.write_toml(settings_store.load(project))


@command.command("show", epilog="Example: wherry settings show --json")
@project_option
@json_option
def show(project_dir: Path, as_json: bool) -> None:
    """Print all settings, defaults included."""
    if as_json:
        from planner.store import settings as settings_store

        with open_project(project_dir) as project:
            data(settings_store.load(project).model_dump(mode="json"))
    else:
        line(_text(project_dir).rstrip())


@command.command(
    "set",
    epilog="Examples: wherry settings set link.rate_mbit 400; wherry settings set caps.vms 20",
)
@click.argument("name")
@click.argument("value")
@project_option
@json_option
def set_value(name: str, value: str, project_dir: Path, as_json: bool) -> None:
    """Set one entry: NAME is dotted, VALUE is a TOML value (text may stand without quotes)."""
    import tomllib

    from planner.names import visible
    from tui.acts.settling import set_values

    try:
        parsed: Any = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    with open_project(project_dir) as project:
        set_values(project, {name: parsed})
    if as_json:
        data({name: parsed})
    else:
        say(visible(f"{name} = {value}"))


@command.command("edit", epilog="Example: EDITOR=nano wherry settings edit")
@project_option
def edit(project_dir: Path) -> None:
    """Open the settings in $EDITOR; nothing is stored until all of it is valid."""
    if not sys.stdin.isatty():
        from planner.errors import BadInput

        raise BadInput(
            "there is no terminal to edit in", "use 'wherry settings export', change it, import it"
        )
    changed = click.edit(_text(project_dir), extension=".toml")
    if changed is None:
        say("nothing was changed")
        return
    _store(project_dir, changed, "the edited settings", "settings edit")
    say("settings stored")


@command.command("export", epilog="Example: wherry settings export settings.toml")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@project_option
@json_option
def export(file: Path, project_dir: Path, as_json: bool) -> None:
    """Write all settings to FILE."""
    from planner.export.formats import write_atomically
    from planner.names import visible

    write_atomically(file, _text(project_dir).encode())
    if as_json:
        data({"written": str(file)})
    else:
        say(visible(f"settings written to {file}"))


@command.command(
    "import-holidays", epilog="Example: wherry settings import-holidays holidays-bavaria.ics --years 3"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--years", type=click.IntRange(1, 20), default=3, show_default=True,
              help="How far ahead days that come back every year are written down.")  # fmt: skip
@project_option
@json_option
def import_holidays(file: Path, years: int, project_dir: Path, as_json: bool) -> None:
    """Add the all-day events of an ics calendar to the holidays; no wave cuts over on one."""
    from migrate import audit
    from planner.effects import Effect
    from planner.names import visible
    from planner.readiness import today
    from planner.sources.holidays import read_holidays
    from planner.store import settings as settings_store
    from planner.units import show_count

    with open_project(project_dir) as project:
        settings = settings_store.load(project)
        found = read_holidays(file, today(), years)
        known = {item.day for item in settings.holidays}
        fresh = [item for item in found.holidays if item.day not in known]
        every = tuple(sorted((*settings.holidays, *fresh), key=lambda item: item.day))
        settings_store.save(project, settings.model_copy(update={"holidays": every}), audit.person())
        audit.note(project, Effect.EDIT_PLAN, "settings import-holidays", str(file), {"added": len(fresh)})
    if as_json:
        added = [item.model_dump(mode="json") for item in fresh]
        data({"read": str(file), "added": added, "timed_events_left_aside": found.timed})
        return
    say(visible(f"{show_count(len(fresh), 'holiday')} added from {file}, {len(every)} in all"))
    if found.timed:
        say(f"{show_count(found.timed, 'event')} with a time of day left aside: holidays are whole days")


@command.command("import", epilog="Example: wherry settings import settings.toml")
@click.argument("file", type=click.Path(path_type=Path))
@project_option
@json_option
def import_file(file: Path, project_dir: Path, as_json: bool) -> None:
    """Replace the settings by those in FILE. Sites stay unless FILE names its own."""
    import tomllib

    from planner.errors import BadInput
    from planner.names import visible
    from planner.store import settings as settings_store

    try:
        text = file.read_text("utf-8")
        named = "sites" in tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}", "name a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{file} is not valid TOML: {error}", "correct the line it names") from error
    if not named:
        import tomlkit

        with open_project(project_dir) as project:
            sites = settings_store.load(project).model_dump(mode="json")["sites"]
        if sites:
            text = tomlkit.dumps({**tomlkit.parse(text), "sites": sites})
    _store(project_dir, text, str(file), "settings import")
    if as_json:
        data({"read": str(file)})
    else:
        say(visible(f"settings read from {file}"))
