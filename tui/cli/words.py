"""A verb with words of its own, as ``plan show``: their list shows whole sentences."""

from __future__ import annotations

import click


class Words(click.Group):
    """A group that cuts off nothing in its list of words; long sentences take several lines."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each word with the first sentence of its help."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(limit=1000)) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
