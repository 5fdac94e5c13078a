"""wherry replicate: copy a wave's disks and keep them up to date."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(
    epilog="Examples: wherry replicate W01; wherry replicate W01 --live; "
    "wherry replicate W01 --seed-from /media/drive --live; wherry replicate W01 --reverse --live"
)
@click.option("--reverse", is_flag=True, help="After commit: from the target to the source, for failback.")
@click.option("--seed-from", metavar="PATH", type=click.Path(path_type=Path),
              help="Images at hand: a folder, or a csv or toml of vm, disk, path.")  # fmt: skip
@acting
def command(
    wave: str,
    live: bool,
    confirm: str | None,
    project_dir: Path,
    as_json: bool,
    seed_from: Path | None,
    reverse: bool,
) -> int:
    """Seed the wave's disks, run deltas and prove a checkpoint; again: one more round.

    It stops at the cutover gate. An interrupted run goes on where it was. With --seed-from the images
    are brought in first, and of their disks only what differs is sent. With --reverse a committed wave is
    protected at its source: the fenced disks there are compared and brought up to date.
    """
    from migrate.run.execute import Purpose
    from planner.errors import BadInput

    if reverse and seed_from is not None:
        raise BadInput("--reverse brings no images in", "leave --seed-from away: the old disks are the seed")
    return act(
        Purpose.REVERSE if reverse else Purpose.REPLICATE,
        wave,
        live,
        confirm,
        project_dir,
        as_json,
        seed_from,
    )
