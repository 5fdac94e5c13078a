"""wherry verify: replicas of a wave, one disk at a receiver, or a certificate somebody handed over."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from tui.cli.options import json_option, project_option
from tui.cli.verbs.verify_certificate import check_file
from tui.cli.verbs.verify_disk import Asked, look
from tui.cli.verbs.verify_tap import look_beside
from tui.cli.verbs.verify_wave import again


@click.command(
    epilog="Examples: wherry verify W01; wherry verify W01 --certificates papers; "
    "wherry verify db.img 10.0.0.5:7643 --volume db --keys dc1.pem --site dc2 --full --certificate db.json; "
    "wherry verify --tap /var/lib/wherry/crm --keys dc1.pem --certificates papers; "
    "wherry verify --check db.json --disk /srv/db.img --authority authority.crt"
)
@click.argument("what", nargs=-1, metavar="[WAVE | DISK ADDRESS:PORT]")
@click.option("--certificates", type=click.Path(path_type=Path), metavar="DIR",
              help="Of a wave or a tap: write one signed certificate for each equal disk here.")  # fmt: skip
@click.option("--tap", "tap", type=click.Path(path_type=Path), metavar="DIR",
              help="The disks of the tap with this state folder, while guests write.")  # fmt: skip
@click.option("--volume", metavar="ID", help="Of a disk: the id the receiver knows it by.")
@click.option(
    "--keys", type=click.Path(path_type=Path), help="Of a disk, or to sign: our bundle, role sender."
)
@click.option("--site", help="Of a disk: the site the receiver has to be of.")
@click.option("--patience", type=click.IntRange(1, 86_400), metavar="SECONDS",
              help="Of a disk: how long a receiver may say nothing; else 300.")  # fmt: skip
@click.option("--full", "full", is_flag=True, help="Look at all of it; this is the default.")
@click.option("--quick", is_flag=True, help="Look at a sample, and say what it may have missed.")
@click.option("--part", metavar="K/N", help="Look at part K of N; 'next/N' is the one due.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE",
              help="Keeps which part was verified when.")  # fmt: skip
@click.option("--repair", is_flag=True, help="Send again what differs, then look at all of it.")
@click.option("--live", is_flag=True, help="Really repair; without it, only say what differs.")
@click.option("--certificate", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the signed certificate of an equal disk here.")  # fmt: skip
@click.option("--check", type=click.Path(path_type=Path), metavar="FILE",
              help="Check a certificate; needs no project and no keys.")  # fmt: skip
@click.option("--disk", metavar="PATH", help="With --check: read this disk and hold it against it.")
@click.option("--authority", type=click.Path(path_type=Path), metavar="FILE",
              help="With --check: the authority's certificate, from another hand.")  # fmt: skip
@click.option("--revoked", type=click.Path(path_type=Path), metavar="FILE",
              help="With --check: the list of revoked keys.")  # fmt: skip
@project_option
@json_option
def command(
    what: tuple[str, ...],
    certificates: Path | None,
    tap: Path | None,
    volume: str | None,
    keys: Path | None,
    site: str | None,
    patience: int | None,
    full: bool,
    quick: bool,
    part: str | None,
    record: Path | None,
    repair: bool,
    live: bool,
    certificate: Path | None,
    check: Path | None,
    disk: str | None,
    authority: Path | None,
    revoked: Path | None,
    project_dir: Path,
    as_json: bool,
) -> int:
    """Read replicas at the target again and say whether they are what they should be.

    WAVE: every replica against the record. DISK ADDRESS:PORT: one disk against a receiver on a
    network, by digests that each side makes of its own. --tap DIR: the disks of a tap, which go on being
    written. Exit code 1 when something differs.
    """
    from planner.errors import BadInput

    of_disk = {"--volume": volume, "--keys": keys, "--site": site, "--patience": patience,
               "--full": full, "--quick": quick, "--part": part, "--record": record,
               "--repair": repair, "--live": live, "--certificate": certificate}  # fmt: skip
    of_check = {"--disk": disk, "--authority": authority, "--revoked": revoked}
    if check is not None:
        others = {"--certificates": certificates, "--tap": tap, "WAVE or DISK": what}
        _must_be_alone("--check", {**of_disk, **others})
        return check_file(check, disk, authority, revoked, as_json)
    if tap is not None:
        taken = ("--volume", "--keys", "--full")
        _must_be_alone("--tap", {option: value for option, value in of_disk.items() if option not in taken}
                       | of_check | {"WAVE or DISK": what})  # fmt: skip
        return look_beside(tap, volume, keys, certificates, as_json)
    if len(what) == 1:
        _must_be_alone("a wave", {**of_disk, **of_check})
        return again(what[0], certificates, project_dir, as_json)
    if len(what) != 2:
        raise BadInput(
            "there is nothing to verify",
            "name a wave, a disk and its receiver, a --tap, or --check a certificate",
        )
    _must_be_alone("a disk", {**of_check, "--certificates": certificates})
    if not (volume and keys and site):
        raise BadInput("a disk at a receiver needs --volume, --keys and --site", "see 'wherry verify --help'")
    if full + quick + (part is not None) > 1:
        raise BadInput("--full, --quick and --part exclude each other", "choose one")
    if (part is None) != (record is None):
        raise BadInput("--part and --record go together", "say where is kept which part was verified")
    if live and not repair:
        raise BadInput("--live without --repair changes nothing", "leave it out, or add --repair")
    source = click.get_current_context().get_parameter_source("project_dir")
    asked = Asked(
        what[0], what[1], volume, keys, site, quick, part, record, repair and live, certificate,
        None if source is ParameterSource.DEFAULT else project_dir, patience or 300,
    )  # fmt: skip
    return look(asked, as_json, would_repair=repair and not live)


def _must_be_alone(what: str, others: dict[str, object]) -> None:
    """Raise BadInput when an option was given that says nothing here."""
    from planner.errors import BadInput

    for name, value in others.items():
        if value:
            raise BadInput(f"{name} does not go with {what}", "see 'wherry verify --help'")
