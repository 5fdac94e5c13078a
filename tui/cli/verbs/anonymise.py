"""wherry anonymise: an estate under pseudonyms, to be shown to others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.layouts import formats_option
from tui.cli.options import json_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.anonymise.mask import Mask
    from planner.model import Inventory

_TRIES = 20
_FILE = click.Path(path_type=Path)


def _masked(inventory: Inventory, key_file: Path | None) -> tuple[Inventory, Mask]:
    """Return the estate under a key: of the file, or a random one without coincidences."""
    from planner.anonymise.estate import anonymised
    from planner.anonymise.keys import kept_key, random_key
    from planner.anonymise.mask import Mask
    from tui.cli.progress import Bar

    kept = kept_key(key_file) if key_file else None
    with Bar(in_bytes=False) as bar:
        for _ in range(_TRIES):
            mask = Mask(kept or random_key())
            found = anonymised(inventory, mask, lambda done, total: bar.report_on("pseudonyms", done, total))
            if kept or not mask.coincidences():
                break
    return found, mask


@click.command(
    epilog="Examples: wherry anonymise RVTools.xlsx --out shown; "
    "wherry anonymise RVTools.xlsx --out shown --key my.key --flows deps.csv --formats json,xlsx47"
)
@click.argument("source", metavar="SOURCE")
@click.option(
    "--out",
    "target",
    required=True,
    metavar="DIR|FILE",
    type=_FILE,
    help="A new folder, or a new .json file for the document alone.",
)
@click.option(
    "--key", "key_file", metavar="FILE", type=_FILE, help="Keep the key there: the same names next time."
)
@click.option("--flows", metavar="FILE", type=_FILE, help="A flow file of this estate, as csv.")
@click.option("--applications", metavar="FILE", type=_FILE, help="An application list of it, as csv.")
@formats_option
@json_option
def command(
    source: str,
    target: Path,
    key_file: Path | None,
    flows: Path | None,
    applications: Path | None,
    formats: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write SOURCE with pseudonyms for all names, addresses and identifiers.

    SOURCE is anything that discover reads. Equal words stay equal words and equal networks equal
    networks, so that groups, shared disks and duplicates are the same. Sizes, states, versions and ports
    stay; annotations are left out. Without --key the key is random and forgotten.
    """
    from planner.errors import BadInput
    from planner.export.estate import write_document, write_files
    from planner.export.staged import staged
    from planner.names import visible
    from planner.sources.opening import read_source
    from tui.cli.progress import Bar

    alone = target.suffix.casefold() == ".json"
    if alone and (flows or applications or formats != ("json",)):
        raise BadInput(f"{target} is one file, and more was asked for", "name a folder with --out")
    say(f"reading {visible(source)} …")
    inventory, mask = _masked(read_source(source), key_file)
    with Bar(in_bytes=False) as bar, staged(target) as place:
        if alone:
            place.rmdir()
            write_document(inventory, place, bar.report_on)
        else:
            write_files(inventory, place, formats, bar.report_on)
            _side_files(place, mask, flows, applications)
    chance = len(mask.coincidences())
    summary = {
        "target": str(target),
        "vms": len(inventory.vms),
        "key": str(key_file) if key_file else "",
        "coincidences": chance,
    }
    if as_json:
        data(summary)
        return
    line(f"{len(inventory.vms)} VMs under pseudonyms: {visible(str(target))}")
    if chance:
        say(f"  note: {chance} pseudonyms happen to be words of the original: use another key")
    say("look through it before you show it: free text in tags and attributes is mapped word by word")


def _side_files(folder: Path, mask: Mask, flows: Path | None, applications: Path | None) -> None:
    from planner.anonymise.tables import anonymise_csv

    for path, name in ((flows, "flows.csv"), (applications, "applications.csv")):
        if path:
            anonymise_csv(path, folder / name, mask)
