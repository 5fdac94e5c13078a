"""Options that many verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from planner.errors import NotFound
from planner.store.project import FILE, Project

Command = Callable[..., Any]


def _inherited(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Take what was given to the group, as in ``plan --project DIR show``, unless given here too."""
    name = str(parameter.name)
    given = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    if not given and ctx.parent is not None and name in ctx.parent.params:
        return ctx.parent.params[name]
    return value


def project_option(function: Command) -> Command:
    """Add ``--project DIR``, passed on as ``project_dir``."""
    return click.option(
        "--project",
        "project_dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        envvar="WHERRY_PROJECT",
        metavar="DIR",
        callback=_inherited,
        help="The project's directory; default: the current one.",
    )(function)


def noted_option(function: Command) -> Command:
    """Add ``--project DIR`` to a verb that needs no project, passed on as ``project_dir`` or None."""
    return click.option(
        "--project",
        "project_dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="WHERRY_PROJECT",
        metavar="DIR",
        help="Note it in the log of this project.",
    )(function)


def store_option(function: Command) -> Command:
    """Add ``--store DIR``, the folder of a receiver, passed on as None where it is not given."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="WHERRY_STORE",
        metavar="DIR",
        help="The receiver's folder; default: WHERRY_STORE, else that of the project's target.",
    )(function)


def json_option(function: Command) -> Command:
    """Add ``--json``, passed on as ``as_json``."""
    return click.option(
        "--json", "as_json", is_flag=True, callback=_inherited, help="Print one JSON document."
    )(function)


def open_project(project_dir: Path) -> Project:
    """Open the project a verb works on; raises NotFound."""
    if not (project_dir / FILE).is_file():
        raise NotFound(
            f"{project_dir.resolve()} is not a wherry project",
            "run 'wherry init' there, or use --project DIR",
        )
    return Project.open(project_dir)
