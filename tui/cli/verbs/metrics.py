"""wherry metrics: figures of a project for Prometheus."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import open_project, project_option
from tui.cli.output import say


@click.command(epilog="Examples: wherry metrics > move.prom; wherry metrics --listen 127.0.0.1:9464")
@click.option("--listen", metavar="HOST:PORT", help="Serve them under /metrics until Ctrl-C.")
@project_option
def command(listen: str | None, project_dir: Path) -> None:
    """Print the project's figures in the text format of Prometheus, or serve them.

    States of waves, what waits for a person, open orders, disks on their way. Whoever can reach the
    port can read the names of waves: leave it on loopback, or behind a proxy that asks who it is.
    """
    from migrate import metrics

    with open_project(project_dir) as project:
        root = project.root
    if listen is None:
        click.echo(metrics.text(root), nl=False)
        return
    host, port = _address(listen)
    from prometheus_client import start_http_server

    from planner.errors import BadInput

    try:
        _, thread = start_http_server(port, host, registry=metrics.registry(root))
    except OSError as error:
        raise BadInput(f"{listen} cannot be listened on: {error.strerror}", "name another port") from error
    say(f"figures are at http://{listen}/metrics")
    try:
        thread.join()
    except KeyboardInterrupt:
        say("no longer served")


def _address(listen: str) -> tuple[str, int]:
    from planner.errors import BadInput

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"{listen!r} is no address", "write it like 127.0.0.1:9464")
    return host.strip("[]"), int(port)
