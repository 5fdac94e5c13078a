"""Looks for what is left of an estate in files that were made of it.

What may be left is decided here without the code under test: words of the published vocabulary, single
letters, numbers of up to three digits, releases of systems.
"""

from __future__ import annotations

import csv
import html
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from planner.anonymise.vocabulary import KEPT, RELEASES

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
# Times are kept as they are; ids of objects are numbers in a small range, and may meet by chance.
_KEPT_FIELDS = {"taken_at", "created", "certificate_expires", "expires", "first_seen", "last_seen", "gaps"}
# What systems and machines are called may hold numbers of any length.
_PRODUCTS = {"adapter", "cpu_model", "model", "guest_os", "running_os", "guest_id", "licence"}
_MOREF = re.compile(r"(?:[\w-]+/)?(?:[a-z]+-)?[a-z]+-?\d+")
_EVERYWHERE = ("0.", "127.", "169.254.", "255.", "224.")


def harmless(text: str, longest: int = 3) -> bool:
    """Return whether a text says nothing of whose it is; numbers may have ``longest`` digits."""
    for run in re.findall(r"[^\W_]+", text):
        for letters in re.findall(r"[^\W\d_]+|[0-9]+", run):
            if letters.lower() in KEPT:
                continue
            for word in _WORDS.findall(letters):
                small = word.isdigit() and (len(word) <= longest or word in RELEASES)
                if not (small or len(word) == 1 or word.lower() in KEPT):
                    return False
    return True


def texts(noun: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a noun with the name of its field."""
    if isinstance(noun, Enum) or noun is None:
        return
    if isinstance(noun, str):
        yield name, noun
    elif isinstance(noun, tuple):
        for item in noun:
            yield from texts(item, name)
    elif is_dataclass(noun):
        for field in fields(noun):
            yield from texts(getattr(noun, field.name), field.name)


def secrets_of(noun: Any) -> set[str]:
    """Return the texts of an inventory that must not be found again."""
    return {
        text
        for name, text in texts(noun)
        if len(text) >= 4
        and name not in _KEPT_FIELDS
        and not harmless(text, 9 if name in _PRODUCTS else 3)
        and not re.fullmatch(r"[\d.]+|\d{4}-\d\d-\d\d.*", text)
        and not _MOREF.fullmatch(text)
    }


def cells_of(path: Path) -> set[str]:
    """Return the texts of a csv file that must not be found again."""
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    cells = {cell for row in rows for cell in row}
    return {
        cell for cell in cells if len(cell) >= 4 and not harmless(cell) and not re.match(r"[\d.:/-]+", cell)
    }


def addresses_in(text: str) -> set[str]:
    """Return the IPv4 addresses in a text that mean one machine."""
    return {found for found in _ADDRESS.findall(text) if not found.startswith(_EVERYWHERE)}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


def content(folder: Path) -> str:
    """Return all that is written in the files of a folder: JSON decoded, workbooks unpacked, names too."""
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        found.append(path.name)
        if path.suffix == ".json":
            found += _strings(json.loads(path.read_text("utf-8")))
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                for name in book.namelist():
                    found += [name, html.unescape(book.read(name).decode("utf-8", "replace"))]
        elif path.is_file():
            found.append(path.read_text("utf-8-sig"))
    return "\n".join(found)


def leaked(secrets: set[str], written: str) -> set[str]:
    """Return the secrets that stand in a text, in whatever case."""
    plain = written.casefold()
    return {secret for secret in secrets if secret.casefold() in plain}
