"""Open whatever a person names as a source: an export, a document, a directory or a sample.

A file of somebody else is parsed in a child with limits; a sample is our own and read as it is. A
live vCenter is no file: see ``planner.sources.vcenter``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from planner.errors import BadInput
from planner.model import Inventory
from planner.names import visible
from planner.samples import sample_names, sample_path
from planner.sources.books import WORKBOOKS
from planner.sources.isolation import Report
from planner.sources.staging import Staged

_ADDRESS = re.compile(r"(?:https?|ftps?|sftp|file|s3|smb)://", re.IGNORECASE)
_KINDS = "an RVTools export (.xlsx, .xls, a folder of .csv), a .json inventory"


def _held_by(directory: Path) -> list[Path]:
    document = directory / "inventory.json"
    # "~$" is the lock file Excel leaves beside an open workbook.
    books = sorted(
        item for item in directory.iterdir() if item.suffix.lower() in WORKBOOKS and item.name[:2] != "~$"
    )
    # Csv files are sheets of one export: their folder is the source.
    tables = any(
        item.suffix.lower() == ".csv" and "vinfo" in item.name.casefold() for item in directory.iterdir()
    )
    return [*([document] if document.is_file() else []), *books, *([directory] if tables else [])]


def _in_directory(directory: Path) -> Path:
    found = _held_by(directory)
    if found and found[0].suffix == ".json":
        return found[0]  # what else lies there was written beside it
    if len(found) == 1:
        return found[0]
    shown = visible(str(directory))
    if not found:
        raise BadInput(f"{shown} holds neither an inventory.json nor an RVTools export", f"name {_KINDS}")
    raise BadInput(
        f"{shown} holds more than one inventory: {', '.join(visible(item.name, 40) for item in found[:5])}",
        "name one of them, or all of them to have them merged",
    )


def _locate(spec: str) -> Path:
    path, special = Path(spec), False
    sample = spec in sample_names()
    try:
        # A directory "lab" of the project that holds no inventory does not hide the sample.
        if path.is_dir() and not (sample and not _held_by(path)):
            return _in_directory(path)
        if path.is_file():
            return path
        special = path.exists() and not path.is_dir()  # a pipe, a socket, a device
    except (OSError, ValueError) as error:
        raise BadInput(f"{visible(spec, 80)} cannot be opened", "check the path and its rights") from error
    if sample:
        return _in_directory(sample_path(spec))
    if address := _ADDRESS.match(spec):
        raise BadInput(
            # The rest is not repeated: it may hold a password.
            f"an address that begins with {address[0].lower()} is no file or folder",
            "download it first and name the file; name a live vCenter as vcenter://USER@HOST",
        )
    if special:
        raise BadInput(
            f"{visible(spec, 80)} is no file or folder", "copy what it gives to a file and name that"
        )
    raise BadInput(
        f"{visible(spec, 80)} does not exist",
        f"name {_KINDS}, or a sample: {', '.join(sample_names()) or 'none installed'}",
    )


@contextmanager
def staged_source(spec: str, report: Report | None = None) -> Iterator[Staged]:
    """Give the inventory that ``spec`` names as a child staged it, for as long as the block lasts.

    ``spec`` is a path to an export or document, a directory that holds exactly one of them, or the
    name of a sample. Something on disk goes before a sample of the same name. Raises BadInput.
    """
    path = _locate(spec)
    suffix = path.suffix.lower()
    if suffix == ".json":
        from planner.sources.document import staged_document as staged
    elif suffix in WORKBOOKS or suffix == ".csv" or path.is_dir():
        from planner.sources.rvtools import staged_rvtools as staged
    else:
        raise BadInput(f"{visible(str(path), 80)} is of no kind wherry reads", f"name {_KINDS}")
    with staged(path, report=report) as found:
        yield found


def read_source(spec: str, report: Report | None = None) -> Inventory:
    """Return the inventory that ``spec`` names (see ``staged_source``); raises BadInput."""
    if spec in sample_names() and not Path(spec).exists():
        from planner.sources.document import read_document

        return read_document(_in_directory(sample_path(spec)))
    with staged_source(spec, report) as staged:
        return staged.inventory()
