"""Sending notices: each to every address, some tries each, never in the way of a run.

A webhook gets a POST of JSON and has ten seconds; it is not followed elsewhere. A mail server is spoken
to over TLS when it offers that, with its certificate checked.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.notices.notice import Notice
    from planner.settings_notices import Notices

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 10.0
_WAITS_S = (0.0, 5.0, 30.0, 120.0)


class Teller:
    """Sends in a thread of its own. ``settings`` is asked for each notice, so that changes count."""

    def __init__(self, settings: Callable[[], Notices], sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._waiting: SimpleQueue[Notice | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    def tell(self, notice: Notice) -> None:
        """Have a notice sent; returns at once."""
        self._waiting.put(notice)

    def close(self, patience_s: float = 15.0) -> None:
        """Send what waits and end; what takes longer is given up."""
        self._waiting.put(None)
        self._thread.join(patience_s)

    def _run(self) -> None:
        while (notice := self._waiting.get()) is not None:
            settings = self._settings()
            if notice.about not in settings.about:
                continue
            for url in settings.webhooks:
                self._try(f"webhook {url}", partial(post, url, notice.as_json()))
            if settings.mail_to:
                self._try("e-mail", partial(mail, settings, notice))

    def _try(self, what: str, send: Callable[[], None]) -> None:
        for wait_s in _WAITS_S:
            if wait_s:
                self._sleep(wait_s)
            try:
                send()
            except (OSError, ValueError) as error:
                _LOG.warning("a notice did not reach %s: %s", what, error)
            else:
                return


def post(url: str, body: dict[str, Any]) -> None:
    """Post JSON; raises OSError when the other end does not answer with success."""
    import urllib.request

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_words: Any) -> None:
            return None

    request = urllib.request.Request(  # noqa: S310 - the settings allow https, and http to this machine
        url,
        json.dumps(body, ensure_ascii=True).encode(),
        {"Content-Type": "application/json", "User-Agent": "wherry"},
    )
    with urllib.request.build_opener(_Stay).open(request, timeout=_TIMEOUT_S):
        return


def mail(settings: Notices, notice: Notice) -> None:
    """Send a mail to all addresses; raises OSError when the server does not take it."""
    import smtplib
    import ssl

    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from, ", ".join(settings.mail_to)
    message["Subject"] = f"wherry {notice.project}: {notice.text}"[:200]
    message.set_content(f"{notice.text}\n\nnext: {notice.hint}\n\n{notice.at}, project {notice.project}\n")
    host, _, port = settings.smtp.rpartition(":")
    with smtplib.SMTP(host or settings.smtp, int(port) if host else 25, timeout=_TIMEOUT_S) as server:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        server.send_message(message)
