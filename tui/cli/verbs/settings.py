"""wherry settings: show and change the project's settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
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
    from planner.names import visible
    from planner.units import show_count
    from tui.acts.settling import add_holidays

    with open_project(project_dir) as project:
        fresh, timed, every = add_holidays(project, file, years)
    if as_json:
        added = [item.model_dump(mode="json") for item in fresh]
        data({"read": str(file), "added": added, "timed_events_left_aside": timed})
        return
    say(visible(f"{show_count(len(fresh), 'holiday')} added from {file}, {every} in all"))
    if timed:
        say(f"{show_count(timed, 'event')} with a time of day left aside: holidays are whole days")


@command.command("versions", epilog="Example: wherry settings versions --json")
@project_option
@json_option
def list_versions(project_dir: Path, as_json: bool) -> None:
    """List every version of the settings, the newest first; version 0 are the defaults."""
    from dataclasses import asdict

    from planner.store import settings as settings_store

    with open_project(project_dir) as project:
        found = settings_store.versions(project)
    if as_json:
        data([asdict(item) for item in found])
    else:
        table(("version", "when", "who"),
              [(str(item.number), item.at or "the defaults", item.who) for item in found])  # fmt: skip


@command.command("restore", epilog="Example: wherry settings restore 3")
@click.argument("number", type=click.IntRange(0), metavar="VERSION")
@project_option
@json_option
def restore_version(number: int, project_dir: Path, as_json: bool) -> None:
    """Set the settings of VERSION again, as a new version; sites stay as they are."""
    from tui.acts.settling import restore

    with open_project(project_dir) as project:
        settings = restore(project, number)
    if as_json:
        data({"restored": number, "fingerprint": settings.fingerprint})
    else:
        say(f"the settings are those of version {number} again")


@command.command(
    "map",
    epilog="Examples: wherry settings map 'vlan-*' 'prod-*' --check; "
    "wherry settings map 'VM Network' prod-120; wherry settings map --datastores 'vmfs-*' gold-01; "
    "wherry settings map --folders Prod Migrated/Prod; wherry settings map --pools gold prod-gold; "
    "wherry settings map --storage-policies 'Gold*' Mirrored",
)
@click.argument("pattern")
@click.argument("target")
@click.option(
    "--networks",
    "table",
    flag_value="networks",
    default="networks",
    help="Map networks; this is what it does unless told otherwise.",
)
@click.option(
    "--datastores",
    "table",
    flag_value="datastores",
    help="Map datastores to those of the target, or to storage classes.",
)
@click.option(
    "--folders",
    "table",
    flag_value="folders",
    help="Map VM folders; the longest path decides, and folders in it come along.",
)
@click.option(
    "--pools",
    "table",
    flag_value="pools",
    help="Map resource pools; the longest path decides, for pools in it too.",
)
@click.option(
    "--storage-policies",
    "table",
    flag_value="storage_policies",
    help="Map storage policies of VMs and disks; without a map they get the default of their datastore.",
)
@click.option("--check", is_flag=True, help="Say what it would map, and change nothing.")
@project_option
@json_option
def map_names(pattern: str, target: str, table: str, check: bool, project_dir: Path, as_json: bool) -> None:
    """Map what matches PATTERN at the source to TARGET: networks unless an option says what else.

    Folders are named by their path below the datacenter (Prod/Web), resource pools by theirs below the pool
    of their cluster (gold/db); / is all of them. * stands for any
    characters; each * of TARGET is what the one at its place in PATTERN stood for.
    """
    from planner.names import visible
    from planner.store import inventories
    from planner.units import show_count
    from tui.acts.mapping import NOUNS, matched_in, put_maps

    with open_project(project_dir) as project:
        found = matched_in(table, inventories.latest(project).inventory, pattern, target)
        if not check:
            put_maps(project, table, found)
    if as_json:
        data({"mapped": found, "applied": not check})
        return
    for name, where in found.items():
        line(f"{visible(name)} → {visible(where)}")
    say(f"{show_count(len(found), NOUNS[table])} {'would be mapped' if check else 'mapped'}")


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
