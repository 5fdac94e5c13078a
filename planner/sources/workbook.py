"""A workbook file to the raw rows of its sheets, guarded against files that only pretend.

A zip is measured before anything parses it: entries, size, ratio, and every deflate stream is
counted, so that a header that lies about its size is noticed. Cells come out as python-calamine
gives them: str, float, bool, datetime, "" for blank. What costs memory all the same is for the limits
of the child that reads.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from planner.errors import BadInput
from planner.names import visible
from planner.sources.books import OLE, Limits, check_width

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_AGAIN = "export the workbook again with RVTools"
_CHUNK = 1 << 20
_OLE_BYTES = 512 * 1024**2


def _name(path: Path) -> str:
    return visible(path.name, 80)


def _too_large(path: Path, why: str) -> BadInput:
    return BadInput(
        f"{_name(path)} is refused: it {why}",
        "export again and do not repack the file; split a very large estate by vCenter",
    )


def _damaged(path: Path) -> BadInput:
    return BadInput(f"{_name(path)} is damaged or cut off: it is no complete workbook", _AGAIN)


def _protected(path: Path) -> BadInput:
    return BadInput(f"{_name(path)} is protected by a password", "open it in Excel and save it without one")


def _inflate(raw: IO[bytes], entry: zipfile.ZipInfo, path: Path) -> None:
    """Unpack one entry to nowhere and refuse it when it is not what its header says."""
    raw.seek(entry.header_offset)
    head = raw.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise _damaged(path)
    raw.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged(path)
    inflater = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    left, size, crc = entry.compress_size, 0, 0
    while left > 0 or (inflater and inflater.unconsumed_tail):
        pending = inflater.unconsumed_tail if inflater else b""
        if not pending:
            pending = raw.read(min(_CHUNK, left))
            left -= len(pending)
            if not pending:
                raise _damaged(path)
        data = inflater.decompress(pending, _CHUNK) if inflater else pending
        size += len(data)
        crc = zlib.crc32(data, crc)
        if size > entry.file_size:
            raise _too_large(path, "unpacks to more than its directory says")
    if inflater:
        # All input is in; the end of a long run may still be held back.
        data = inflater.decompress(b"", _CHUNK)
        size, crc = size + len(data), zlib.crc32(data, crc)
        if not inflater.eof:
            raise _damaged(path)
    if size != entry.file_size or crc != entry.CRC:
        raise _damaged(path)


def _check_zip(path: Path, limits: Limits) -> dict[str, int]:
    """Return the entries with their sizes; raises BadInput for everything that only pretends."""
    try:
        with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            packed = max(path.stat().st_size, 1)
            if len(entries) > limits.entries:
                raise _too_large(path, f"holds {len(entries)} files, more than {limits.entries}")
            if unpacked > limits.unpacked_bytes:
                raise _too_large(
                    path,
                    f"unpacks to {unpacked // 1024**2} MiB, more than {limits.unpacked_bytes // 1024**2} MiB",
                )
            if unpacked > limits.ratio_from_bytes and unpacked > packed * limits.ratio:
                raise _too_large(path, f"unpacks to {unpacked // packed} times its size")
            if any(entry.flag_bits & 1 for entry in entries):
                raise _protected(path)
            for entry in entries:
                _inflate(raw, entry, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    sizes = {entry.filename: entry.file_size for entry in entries}
    if "xl/workbook.xml" not in sizes:
        raise BadInput(
            f"{_name(path)} is a zip archive but no workbook", "name the .xlsx file that RVTools wrote"
        )
    return sizes


def _check(path: Path, limits: Limits) -> dict[str, int]:
    """Refuse what is certainly not a readable workbook; returns the sizes of its parts, {} for .xls."""
    with path.open("rb") as file:
        head = file.read(8)
        if head != OLE:
            return _check_zip(path, limits)
        # The directory of an OLE file lies anywhere; encrypted workbooks are small enough.
        if _ENCRYPTED in head + file.read(_OLE_BYTES):
            raise _protected(path)
    return {}


def _weights(names: Sequence[str], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the bytes of each sheet: writers number the parts in the order of the sheets."""
    parts = [sizes.get(f"xl/worksheets/sheet{at + 1}.xml", 1) for at in range(len(names))]
    return dict(zip(names, parts, strict=True))


class _Workbook:
    def __init__(self, book: CalamineWorkbook, path: Path, sizes: Mapping[str, int], limits: Limits) -> None:
        self._book = book
        self._path = path
        self._limits = limits
        self.weights = _weights(book.sheet_names, sizes)
        self.notes: list[str] = []

    def rows(self, name: str) -> Iterator[Sequence[object]]:
        sheet = self._book.get_sheet_by_name(name)
        if sheet.end:
            check_width(_name(self._path), name, sheet.end[1] + 1, self._limits)
        # Rows one by one begin at the first filled cell, not at A1.
        yield from sheet.iter_rows() if sheet.start == (0, 0) else sheet.to_python(skip_empty_area=False)


@contextmanager
def open_workbook(path: Path, limits: Limits) -> Iterator[_Workbook]:
    """Give a workbook (.xlsx, .xlsm, .xls) as a book; raises BadInput, also while its rows are read."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    sizes = _check(path, limits)
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            yield _Workbook(book, path, sizes, limits)
    except PasswordError as error:
        raise _protected(path) from error
    except (CalamineError, OSError) as error:
        raise _damaged(path) from error
    except BaseException as error:
        # A panic of the parser is no Exception; it means a crafted or broken file, not our bug.
        if type(error).__name__ == "PanicException":
            raise _damaged(path) from error
        raise
