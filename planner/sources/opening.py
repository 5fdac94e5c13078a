"""Open whatever a person names as a source: a workbook, a document, a directory or a sample."""

from __future__ import annotations

from pathlib import Path

from planner.errors import BadInput
from planner.model import Inventory
from planner.names import visible
from planner.samples import sample_names, sample_path

WORKBOOKS = (".xlsx", ".xlsm", ".xls")


def _held_by(directory: Path) -> list[Path]:
    document = directory / "inventory.json"
    # "~$" is the lock file Excel leaves beside an open workbook.
    books = sorted(
        item for item in directory.iterdir() if item.suffix.lower() in WORKBOOKS and item.name[:2] != "~$"
    )
    return ([document] if document.is_file() else []) + books


def _in_directory(directory: Path) -> Path:
    found = _held_by(directory)
    if len(found) == 1:
        return found[0]
    shown = visible(str(directory))
    if not found:
        raise BadInput(
            f"{shown} holds neither inventory.json nor a workbook",
            "name a .xlsx export of RVTools or a .json inventory",
        )
    raise BadInput(
        f"{shown} holds more than one inventory: {', '.join(visible(item.name, 40) for item in found[:5])}",
        "name one of the files",
    )


def _locate(spec: str) -> Path:
    path = Path(spec)
    sample = spec in sample_names()
    try:
        # A directory "lab" of the project that holds no inventory does not hide the sample.
        if path.is_dir() and not (sample and not _held_by(path)):
            return _in_directory(path)
        if path.is_file():
            return path
    except (OSError, ValueError) as error:
        raise BadInput(f"{visible(spec, 80)} cannot be opened", "check the path and its rights") from error
    if sample:
        return _in_directory(sample_path(spec))
    raise BadInput(
        f"{visible(spec, 80)} does not exist",
        f"name a workbook, a .json inventory, or a sample: {', '.join(sample_names()) or 'none installed'}",
    )


def read_source(spec: str) -> Inventory:
    """Read the inventory that ``spec`` names; raises BadInput.

    ``spec`` is a path to ``.xlsx``, ``.xls`` or ``.json``, a directory that holds exactly one of
    them, or the name of a sample. Something on disk goes before a sample of the same name.
    """
    if spec.lower().startswith("vcenter://"):
        raise BadInput(
            "live discovery from a vCenter is not there yet",
            "export the inventory with RVTools and name the .xlsx file",
        )
    path = _locate(spec)
    suffix = path.suffix.lower()
    if suffix in WORKBOOKS:
        from planner.sources.rvtools import read_rvtools

        return read_rvtools(path)
    if suffix == ".json":
        from planner.sources.document import read_document

        return read_document(path)
    raise BadInput(
        f"{visible(str(path), 80)} is of no kind wherry reads",
        "name a .xlsx or .xls export of RVTools, or a .json inventory",
    )
