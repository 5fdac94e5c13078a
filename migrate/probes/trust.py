"""Whom a TLS probe believes: the system's authorities, those of a file, or, said so, nobody at all."""

from __future__ import annotations

import ssl
from pathlib import Path

from planner.conduct import EXPIRY_ONLY
from planner.errors import BadInput
from planner.names import visible


def context_of(trust: str, directory: Path) -> ssl.SSLContext:
    """Return a context that verifies name and chain; a file is taken from ``directory`` on.

    With ``EXPIRY_ONLY`` it verifies nothing: its only use is to read a date that is believed by nobody.
    Raises BadInput for a file that holds no certificates.
    """
    if trust == EXPIRY_ONLY:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=str(directory / trust) if trust else None)
    except (OSError, ssl.SSLError) as error:
        said = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{visible(trust)} holds no certificates to trust: {said}", "name a file in PEM format"
        ) from error
