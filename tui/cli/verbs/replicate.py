"""wherry replicate: copy a wave's disks and keep them up to date."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(
    epilog="Examples: wherry replicate W01; wherry replicate W01 --live; "
    "wherry replicate W01 --seed-from /media/drive --live"
)
@click.option("--seed-from", metavar="PATH", type=click.Path(path_type=Path),
              help="Images at hand: a folder, or a csv or toml of vm, disk, path.")  # fmt: skip
@acting
def command(
    wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool, seed_from: Path | None
) -> int:
    """Seed the wave's disks, run deltas and prove a checkpoint; again: one more round.

    It stops at the cutover gate. An interrupted run goes on where it was. With --seed-from the images
    are brought in first, and of their disks only what differs is sent.
    """
    from migrate.run.execute import Purpose

    return act(Purpose.REPLICATE, wave, live, confirm, project_dir, as_json, seed_from)
