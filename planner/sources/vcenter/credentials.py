"""Where a password comes from: a file descriptor, the keyring, or the terminal.

Never from the command line or the environment, and it is kept nowhere by us. A keyring knows it by
service ``wherry`` and account ``user@host``; the library for it is an optional extra.
"""

from __future__ import annotations

import os
import sys
from getpass import getpass

from planner.errors import BadInput
from planner.names import visible
from planner.sources.vcenter.address import Address

SERVICE = "wherry"
_LONGEST = 4096
_WAYS = "give it with --password-fd N, keep it with `keyring set wherry USER@HOST`, or use a terminal"


def _checked(password: str, whence: str) -> str:
    if not password:
        raise BadInput(f"the password {whence} is empty", _WAYS)
    if "\0" in password or "\n" in password:
        raise BadInput(f"the password {whence} holds more than one line", "give the password alone")
    return password


def from_descriptor(number: int) -> str:
    """Return the password that a file descriptor holds, without the last line end; raises BadInput."""
    body = b""
    try:
        while len(body) <= _LONGEST and (part := os.read(number, _LONGEST)):
            body += part
    except OSError as error:
        raise BadInput(
            f"file descriptor {number} cannot be read: {error.strerror}",
            f"open it for reading, as in `wherry discover ... --password-fd {number} {number}< FILE`",
        ) from error
    if len(body) > _LONGEST:
        raise BadInput(f"file descriptor {number} holds more than a password", "give the password alone")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        # No cause: its text would repeat the bytes.
        raise BadInput(f"file descriptor {number} holds no UTF-8 text", "give the password alone") from (
            error.__cause__
        )
    return _checked(text.removesuffix("\n").removesuffix("\r"), f"of file descriptor {number}")


def from_keyring(address: Address) -> str | None:
    """Return what the keyring holds for the account, None when nothing; raises BadInput without a keyring."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise BadInput(
            "the keyring cannot be asked: its library is not installed",
            "install wherry[keyring], or give the password with --password-fd N",
        ) from error
    try:
        found = keyring.get_password(SERVICE, address.account)
    except (KeyringError, RuntimeError) as error:
        raise BadInput(
            f"the keyring cannot be asked: {visible(str(error) or type(error).__name__, 120)}",
            "unlock or configure it, or give the password with --password-fd N",
        ) from error
    return _checked(found, f"of {visible(address.account, 80)} in the keyring") if found else None


def from_terminal(address: Address) -> str:
    """Ask for the password without showing it; raises BadInput where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise BadInput(
            f"there is no terminal to ask for the password of {visible(address.account, 80)}", _WAYS
        )
    try:
        return _checked(getpass(f"Password of {visible(address.account, 80)}: "), "typed")
    except EOFError as error:
        raise BadInput("no password was typed", _WAYS) from error


def find_password(address: Address, *, fd: int | None = None, keyring: bool | None = None) -> str:
    """Return the password of an account; raises BadInput.

    ``fd`` goes first. ``keyring`` True insists on the keyring, False leaves it alone; None tries it
    and asks on the terminal when it has nothing.
    """
    if fd is not None:
        return from_descriptor(fd)
    if keyring is not False:
        try:
            found = from_keyring(address)
        except BadInput:
            if keyring:
                raise
            found = None
        if found is not None:
            return found
        if keyring:
            raise BadInput(
                f"the keyring holds no password of {visible(address.account, 80)}",
                f"put it there: keyring set {SERVICE} {visible(address.account, 80)}",
            )
    return from_terminal(address)
