"""The option that says in which formats an estate is written."""

from __future__ import annotations

import click

from tui.cli.options import Command

_FORMATS = ("json", "xlsx47", "xlsx310", "csv")


def _chosen(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Return the formats of a comma list, in the order in which they are known."""
    said = {part.strip().casefold() for part in value.split(",") if part.strip()}
    if unknown := sorted(said - set(_FORMATS)):
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(_FORMATS)}", ctx, parameter)
    if not said:
        raise click.BadParameter("no format is named", ctx, parameter)
    return tuple(name for name in _FORMATS if name in said)


def formats_option(function: Command) -> Command:
    """Add ``--formats LIST``, passed on as ``formats``."""
    return click.option(
        "--formats",
        default="json",
        show_default=True,
        metavar="LIST",
        callback=_chosen,
        help="Of json, xlsx47, xlsx310, csv: the document, RVTools 4.7 and 3.10, and its csv files.",
    )(function)
