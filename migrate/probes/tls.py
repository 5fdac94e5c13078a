"""tls: is a host's certificate valid for its name, and for so many days more."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.probes.asking import Answer
from migrate.probes.deadline import cut_off_after
from migrate.probes.tcp import why_not
from migrate.probes.trust import context_of
from planner.conduct import EXPIRY_ONLY
from planner.errors import BadInput
from planner.units import show_count

if TYPE_CHECKING:
    from migrate.probes.question import Question

_DAY_S = 86400


def ask_tls(question: Question, directory: Path, limit_s: float) -> Answer:
    """Shake hands and look at the certificate's last day."""
    until = time.monotonic() + limit_s
    try:
        context = context_of(question.trust, directory)
        with (
            socket.create_connection((question.host, question.port), limit_s) as plain,
            cut_off_after(plain, until),
            context.wrap_socket(plain, server_hostname=question.host) as talking,
        ):
            ends = _last_day(talking)
    except BadInput as error:
        return Answer(False, error.message)
    except ssl.SSLCertVerificationError as error:
        return Answer(False, f"the certificate is not valid: {error.verify_message}")
    except (OSError, ValueError) as error:
        return Answer(False, why_not(error))
    left = int((ends.timestamp() - time.time()) // _DAY_S)
    said = f"{ends:%Y-%m-%d}, in {show_count(left, 'day')}"
    if left < 0:
        return Answer(False, f"the certificate ended on {ends:%Y-%m-%d}")
    if left < question.days:
        return Answer(False, f"the certificate ends on {said}")
    who = "not verified, " if question.trust == EXPIRY_ONLY else ""
    return Answer(True, f"certificate: {who}ends on {said}")


def _last_day(talking: ssl.SSLSocket) -> datetime:
    """Return when the certificate that was shown ends, believed or not; raises ValueError."""
    from cryptography import x509

    shown = talking.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("no certificate was shown")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.astimezone(UTC)
