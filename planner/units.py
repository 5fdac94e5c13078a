"""Bytes, rates and durations: parse what people write, print what people read.

Storage is counted in binary units (KiB, MiB, GiB, TiB: powers of 1024), as vSphere does under its
``GB``; links are counted in decimal bits per second (Mbit/s, Gbit/s), as carriers do. Both are
settled here and nowhere else.
"""

from __future__ import annotations

import re

from planner.errors import BadInput

KIB = 1024
MIB = 1024**2
GIB = 1024**3
TIB = 1024**4
SECTOR = 512

_BYTES = {"": 1, "b": 1, "k": KIB, "m": MIB, "g": GIB, "t": TIB, "p": 1024**5}
_BITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_bytes(text: str) -> int:
    """Return bytes for ``512``, ``40G``, ``1.5 TiB``; raises BadInput."""
    match = re.fullmatch(r"\s*(\d{1,18}(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?\s*", text, re.IGNORECASE)
    if not match:
        raise BadInput(f"{text!r} is not a size", "write it like 40G, 1.5TiB or 512")
    return round(float(match[1]) * _BYTES[match[2].lower()])


def parse_rate(text: str) -> int:
    """Return bits per second for ``400 Mbit/s`` or ``1G``; raises BadInput."""
    match = re.fullmatch(r"\s*(\d{1,18}(?:\.\d+)?)\s*([kmgt]?)(?:bit/s|bps|bit)?\s*", text, re.IGNORECASE)
    if not match:
        raise BadInput(f"{text!r} is not a rate", "write it like 400Mbit/s or 1Gbit/s")
    return round(float(match[1]) * _BITS[match[2].lower()])


def parse_duration(text: str) -> float:
    """Return seconds for ``90s``, ``15 m``, ``6h``, ``3d``; raises BadInput."""
    match = re.fullmatch(r"\s*(\d{1,18}(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\s*", text, re.IGNORECASE)
    if not match:
        raise BadInput(f"{text!r} is not a duration", "write it like 90s, 15m, 6h or 3d")
    return float(match[1]) * _SECONDS[match[2].lower()]


def show_bytes(size_bytes: float) -> str:
    """Return ``1.5 TiB`` for a count of bytes: three significant digits, binary units."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or unit == "TiB":
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def show_count(count: int, noun: str) -> str:
    """Return ``1 disk`` or ``3 disks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural_of(noun)}"


def plural_of(noun: str) -> str:
    """Return ``disks``, ``policies`` or ``addresses``."""
    if noun[-1:] == "s":
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun[-1:] == "y" and noun[-2:-1] not in "aeiou" else f"{noun}s"


def show_rate(rate_bytes_s: float) -> str:
    """Return ``412 MiB/s`` for a rate in bytes per second."""
    return f"{show_bytes(rate_bytes_s)}/s"


def show_duration(seconds: float) -> str:
    """Return the two largest parts of a duration: ``3 d 7 h``, ``4 m 10 s``, ``0.4 s``."""
    if seconds < 0:
        return f"-{show_duration(-seconds)}"
    if seconds < 10:
        return f"{seconds:.1f} s"
    left = round(seconds)
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count and not (unit == "s" and seconds >= 86400):  # a second says nothing beside a day
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
