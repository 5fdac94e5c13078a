"""wherry demo: the whole job on a sample, end to end."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: wherry demo --dir .demo")
@click.option("--dir", "directory", type=click.Path(path_type=Path, file_okay=False), default=Path(".demo"),
              show_default=True, help="Where to work; a former demo there is replaced.")  # fmt: skip
def command(directory: Path) -> int:
    """Take a sample estate from inventory to VMs that run elsewhere, and back, in a lab of two folders.

    Real bytes on real disk images, moved between two processes; the run is killed and goes on. It
    takes about a minute and less than 3 GiB.
    """
    from tui.cli.demo import Demo

    return Demo(directory).play()
