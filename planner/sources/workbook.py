"""A workbook file to the raw rows of its sheets, guarded against files that only pretend.

A zip is measured before anything parses it: entries, size, ratio, and every deflate stream is
counted, so that a header that lies about its size is noticed. Cells come out as python-calamine
gives them: str, float, bool, datetime, "" for blank.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from planner.errors import BadInput
from planner.names import visible

Rows = Sequence[Sequence[object]]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_AGAIN = "export the workbook again with RVTools"
_CHUNK = 1 << 20
# A dense table is built from the outermost cells, so one cell far out costs all memory. Only what can
# matter is looked for: columns from AA on and rows from 10,000 on.
_COLUMNS = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{2,})[0-9]""")
_ROWS = re.compile(rb"""\br\s*=\s*["'][A-Za-z]+([0-9]{5,})""")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a workbook may be once unpacked."""

    entries: int = 2000
    unpacked_bytes: int = 512 * 1024**2
    ratio: int = 200
    cells: int = 40_000_000  # of one sheet, blanks between included: about 1 GiB
    # Tiny files are allowed any ratio: a sheet of blanks compresses a thousandfold harmlessly.
    ratio_from_bytes: int = 16 * 1024**2


def _name(path: Path) -> str:
    return visible(path.name, 80)


def _too_large(path: Path, why: str) -> BadInput:
    return BadInput(
        f"{_name(path)} is refused: it {why}",
        "export again and do not repack the file; split a very large estate by vCenter",
    )


def _damaged(path: Path) -> BadInput:
    return BadInput(f"{_name(path)} is damaged or cut off: it is no complete workbook", _AGAIN)


def _column(letters: bytes) -> int:
    """Return the number of a column: A is 1, AA is 27; anything past Excel's last is huge."""
    if len(letters) > 3:
        return 1 << 40
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _inflate(raw: IO[bytes], entry: zipfile.ZipInfo, path: Path, limits: Limits) -> None:
    """Unpack one entry to nowhere and refuse it when it is not what its header says."""
    raw.seek(entry.header_offset)
    head = raw.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise _damaged(path)
    raw.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged(path)
    inflater = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    # Text may look like a cell's place; a sheet may be any other part.
    may_be_sheet = entry.filename != "xl/sharedStrings.xml"
    columns, rows = 26, 9_999
    left, size, crc, tail = entry.compress_size, 0, 0, b""
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
        if may_be_sheet:
            columns = max([columns, *map(_column, set(_COLUMNS.findall(tail + data)))])
            rows = max([rows, *(int(row[:12]) for row in set(_ROWS.findall(tail + data)))])
            if columns * rows > limits.cells:
                raise _too_large(path, "has a cell far outside any sheet of RVTools")
        # A place cut in two by the chunk is seen whole the next time.
        tail = data[-32:]
    if inflater:
        # All input is in; the end of a long run may still be held back.
        data = inflater.decompress(b"", _CHUNK)
        size, crc = size + len(data), zlib.crc32(data, crc)
        if not inflater.eof:
            raise _damaged(path)
    if size != entry.file_size or crc != entry.CRC:
        raise _damaged(path)


def _check_zip(path: Path, limits: Limits) -> None:
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
                raise BadInput(f"{_name(path)} is protected by a password", "save it without a password")
            names = {entry.filename for entry in entries}
            for entry in entries:
                _inflate(raw, entry, path, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    if "xl/workbook.xml" not in names:
        raise BadInput(
            f"{_name(path)} is a zip archive but no workbook", "name the .xlsx file that RVTools wrote"
        )


def _check_kind(path: Path, limits: Limits) -> None:
    """Refuse everything that is certainly not a readable workbook; raises BadInput."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if head == _OLE:
                # The directory of an OLE file lies anywhere; encrypted workbooks are small enough.
                body = head + file.read(limits.unpacked_bytes)
                if _ENCRYPTED in body:
                    raise BadInput(
                        f"{_name(path)} is protected by a password",
                        "open it in Excel and save it without one",
                    )
                return
    except OSError as error:
        reason = (
            "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        raise BadInput(f"{visible(str(path), 120)} {reason}", "check the path and its rights") from error
    if not head:
        raise BadInput(f"{_name(path)} is empty", _AGAIN)
    if head[:4] != b"PK\x03\x04":
        raise BadInput(
            f"{_name(path)} is not a workbook: its content is of another kind",
            "name the .xlsx file that RVTools wrote; save a CSV as .xlsx first",
        )
    _check_zip(path, limits)


def read_sheets(path: Path, wanted: Callable[[str], bool], limits: Limits | None = None) -> dict[str, Rows]:
    """Return every sheet's name, and the rows of those ``wanted``; raises BadInput."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    _check_kind(path, limits or Limits())
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            return {
                name: list(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
                if wanted(name)
                else []
                for name in book.sheet_names
            }
    except PasswordError as error:
        raise BadInput(
            f"{_name(path)} is protected by a password", "open it in Excel and save it without one"
        ) from error
    except (CalamineError, OSError, ValueError) as error:
        raise _damaged(path) from error
    except BaseException as error:
        # A panic of the parser is no Exception; it means a crafted or broken file, not our bug.
        if type(error).__name__ == "PanicException":
            raise _damaged(path) from error
        raise
