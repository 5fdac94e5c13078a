"""A lab guest on the network: it says its VM's name to whoever connects to one of its loopback addresses.

Every address in 127.0.0.0/8 is this machine's, so guests can have addresses of their own there. One that is
taken, or is not of the loopback, is nobody's: as on a network where two have one address.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable
from ipaddress import ip_address


class Answering:
    """The listeners of one guest."""

    def __init__(self, addresses: Iterable[str], port: int, name: str) -> None:
        """Listen at those of ``addresses`` that are of the loopback."""
        self._said = name.encode("utf-8", "replace") + b"\n"
        self._listening: list[socket.socket] = []
        for address in addresses:
            if ip_address(address).is_loopback:
                with contextlib.suppress(OSError):
                    self._listening.append(self._listen(address, port))

    def _listen(self, address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family)
        threading.Thread(target=self._serve, args=(listener,), name=f"guest-{address}", daemon=True).start()
        return listener

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was closed: the guest is off
            while True:
                peer, _ = listener.accept()
                with peer, contextlib.suppress(OSError):
                    peer.settimeout(1.0)
                    peer.sendall(self._said)

    def close(self) -> None:
        """Answer no more."""
        for listener in self._listening:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
