"""tls: is a host's certificate valid for its name, and for so many days more."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
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
    try:
        if question.trust == EXPIRY_ONLY:
            shown = _unverified(question, limit_s)
        else:
            shown = _verified(question, context_of(question.trust, directory), limit_s)
        ends = _last_day(shown)
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


def _verified(question: Question, context: ssl.SSLContext, limit_s: float) -> bytes:
    """Return the certificate that was shown and believed, in DER; raises what sockets and TLS raise."""
    until = time.monotonic() + limit_s
    with (
        socket.create_connection((question.host, question.port), limit_s) as plain,
        cut_off_after(plain, until),
        context.wrap_socket(plain, server_hostname=question.host) as talking,
    ):
        return talking.getpeercert(binary_form=True) or b""


def _unverified(question: Question, limit_s: float) -> bytes:
    """Return whatever certificate is shown, in DER, to read its date and nothing else.

    A thread fetches it, which a host that never comes to an end may keep.
    """
    came: SimpleQueue[str | Exception] = SimpleQueue()

    def fetch() -> None:
        try:
            came.put(ssl.get_server_certificate((question.host, question.port), timeout=limit_s))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            came.put(error)

    threading.Thread(target=fetch, name="wherry-certificate", daemon=True).start()
    try:
        shown = came.get(timeout=limit_s)
    except Empty:
        raise TimeoutError from None
    if isinstance(shown, Exception):
        raise shown
    return ssl.PEM_cert_to_DER_cert(shown)


def _last_day(shown: bytes) -> datetime:
    """Return when a certificate in DER ends; raises ValueError."""
    from cryptography import x509

    return x509.load_der_x509_certificate(shown).not_valid_after_utc.astimezone(UTC)
