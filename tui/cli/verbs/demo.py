"""wherry demo: the whole job on a sample, end to end."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Examples: wherry demo --dir .demo; wherry demo --fleet --dir .demo-fleet")
@click.option("--dir", "directory", type=click.Path(path_type=Path, file_okay=False), default=Path(".demo"),
              show_default=True, help="Where to work; a former demo there is replaced.")  # fmt: skip
@click.option("--fleet", is_flag=True, help="Show three movers on PostgreSQL instead, one of them killed.")
def command(directory: Path, fleet: bool) -> int:
    """Take a sample estate from inventory to VMs that run elsewhere, and back, in a lab of two folders.

    Real bytes on real disk images, moved between two processes; the engine is killed and another one
    goes on. It takes about a minute and less than 3 GiB.
    """
    if fleet:
        from tui.cli.demo_fleet import FleetDemo

        return FleetDemo(directory).play()
    from tui.cli.demo import Demo

    return Demo(directory).play()
