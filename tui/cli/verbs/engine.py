"""wherry engine: the process that carries out orders."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table


@click.group(epilog="Examples: wherry engine status; wherry engine stop")
def command() -> None:
    """The engine of a project: it carries out what people ordered, also when nobody looks.

    Every verb that acts starts it when it does not run, and it leaves by itself when nothing is left
    to do. One project has one engine.
    """


@command.command("start", epilog="Example: wherry engine start --foreground, as a systemd unit does")
@click.option("--foreground", is_flag=True, help="Be the engine, instead of starting one and returning.")
@project_option
@json_option
def start(foreground: bool, project_dir: Path, as_json: bool) -> int | None:
    """Start the engine, which goes on with open orders."""
    from tui.acts.ordering import start_engine

    if foreground:
        from migrate.engine.process import main

        with open_project(project_dir) as project:
            root = project.root
        return main([str(root)])
    with open_project(project_dir) as project:
        pid, is_new = start_engine(project)
    if as_json:
        data({"pid": pid, "started": is_new})
    else:
        line(f"the engine {'was started and takes' if is_new else 'takes'} orders (process {pid})")
    return None


@command.command("stop", epilog="Example: wherry engine stop")
@project_option
@json_option
def stop(project_dir: Path, as_json: bool) -> int:
    """Stop the engine at the next edges.

    What is recorded stays, and orders stay open: the next engine goes on with them.
    """
    from migrate.engine.presence import halt, running
    from migrate.run import orders

    with open_project(project_dir) as project:
        pid = running(project.run_dir)
        stopped = halt(project.run_dir)
        left = [order.wave for order in orders.waiting(project)]
    if as_json:
        data({"pid": pid, "stopped": stopped, "open": left})
    elif pid is None:
        line("no engine runs")
    elif stopped:
        line(f"the engine (process {pid}) has stopped")
    if left and not as_json:
        say(f"open: {', '.join(left)}; 'wherry engine start' goes on")
    if not stopped:
        say(f"the engine (process {pid}) still runs after a minute; look into run/engine.log")
    return 0 if stopped else 4


@command.command("status", epilog="Example: wherry engine status --json")
@project_option
@json_option
def status(project_dir: Path, as_json: bool) -> None:
    """Say whether it runs, and list open orders."""
    from migrate.engine.presence import running
    from migrate.run import orders
    from planner.names import visible

    with open_project(project_dir) as project:
        pid = running(project.run_dir)
        waiting = orders.waiting(project)
    if as_json:
        data(
            {
                "pid": pid,
                "orders": [
                    {"id": o.id, "wave": o.wave, "purpose": o.purpose, "who": o.who, "at": o.at,
                     "begun_at": o.begun_at}
                    for o in waiting
                ],
            }
        )  # fmt: skip
        return
    line(f"the engine takes orders (process {pid})" if pid else "no engine runs")
    if waiting:
        table(("order", "wave", "what", "by", "since"), (
            (o.id, o.wave, o.purpose, visible(o.who), (o.begun_at or o.at)[:19].replace("T", " "))
            for o in waiting
        ))  # fmt: skip


@command.command("use", epilog="Example: wherry engine use postgresql://wherry@db.example/wherry")
@click.argument("url", required=False)
@click.option("--embedded", is_flag=True, help="A file of the project, as it is without a fleet.")
@project_option
@json_option
def use(url: str | None, embedded: bool, project_dir: Path, as_json: bool) -> None:
    """Say where the engine keeps its rows.

    That is your PostgreSQL, for movers on other hosts, or a file of the project. It counts from the
    engine's next start on; no order may be open. A password belongs into ~/.pgpass.
    """
    from migrate.engine import where
    from migrate.engine.presence import running
    from migrate.run import orders
    from planner.errors import BadInput, Blocked

    if bool(url) is embedded:
        raise BadInput("engine use needs a URL or --embedded, and not both", "see 'wherry engine use --help'")
    with open_project(project_dir) as project:
        if running(project.run_dir) is not None or orders.waiting(project):
            raise Blocked(
                "an engine runs or an order is open", "stop it, and end the orders: wherry engine status"
            )
        where.use(project, url or "")
    if as_json:
        data({"url": url or ""})
    else:
        line(f"the engine keeps its rows in {'engine.db' if embedded else url}")
