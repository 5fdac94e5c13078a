"""Whom a TLS probe believes: the authorities of the system, or those of a file."""

from __future__ import annotations

import ssl
from pathlib import Path

from planner.errors import BadInput
from planner.names import visible


def context_of(trust: str, directory: Path) -> ssl.SSLContext:
    """Return a context that verifies name and chain; a file is taken from ``directory`` on.

    Raises BadInput for a file that holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=str(directory / trust) if trust else None)
    except (OSError, ssl.SSLError) as error:
        said = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{visible(trust)} holds no certificates to trust: {said}", "name a file in PEM format"
        ) from error
