"""Text in a cell of a workbook, exactly as it is, whatever the writer library would take it for."""

from __future__ import annotations

from typing import Any

_LIMIT = 32_767  # characters Excel keeps in a cell


def write_text(sheet: Any, row: int, column: int, text: str, form: Any = None) -> None:
    """Write text as a string; what is longer than a cell ends in an ellipsis there."""
    if len(text) > _LIMIT:
        text = text[: _LIMIT - 1] + "…"
    if text.startswith("<r>") and text.endswith("</r>"):
        # The library writes what looks like its own rich strings as XML, as it is: this makes one of it.
        pieces = text[:1], text[1:2], text[2:]
        sheet.write_rich_string(row, column, *pieces, *(() if form is None else (form,)))
    else:
        sheet.write_string(row, column, text, form)
