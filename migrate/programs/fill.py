"""Filling what a rule says with names of one VM: ``{vm}``, ``{address}``, ``{id}`` and ``{wave}``.

Names are hostile text. They are filled in once, never read again as a place to fill; into a URL they go
quoted, and as an argument of a program none may pass for an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from planner.names import visible

_PLACE = re.compile(r"\{(vm|address|id|wave)\}")


class CannotFill(ValueError):
    """A sentence on what is missing, and a hint: both go to people when the step is done."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled in. What is empty is unknown; ``subject`` is what errors call it."""

    wave: str
    vm: str = ""
    address: str = ""
    id: str = ""

    @property
    def subject(self) -> str:
        """The VM, else the wave, harmless to print."""
        return visible(self.vm or self.wave)

    def text(self, text: str) -> str:
        """Return a text filled; raises CannotFill."""
        return _PLACE.sub(lambda found: self._value(found[1]), text)

    def url(self, text: str) -> str:
        """Return a URL filled with quoted values; raises CannotFill."""
        return _PLACE.sub(lambda found: _quoted(found[1], self._value(found[1])), text)

    def argv(self, arguments: Iterable[str]) -> list[str]:
        """Return arguments filled; raises CannotFill, also where a name would pass for an option."""
        found = []
        for argument in arguments:
            filled = self.text(argument)
            if filled.startswith("-") and not argument.startswith("-"):
                raise CannotFill(
                    f"a name of {self.subject} begins with a dash and would be an option of the program",
                    "hand it {id} instead of {vm}, or the name behind an option: --vm={vm}",
                )
            if "\0" in filled:
                raise CannotFill(f"a name of {self.subject} holds a null character", "hand it {id} instead")
            found.append(filled)
        return found

    def _value(self, name: str) -> str:
        value: str = getattr(self, name)
        if value:
            return value
        if name == "address":
            raise CannotFill(
                f"nobody knows an address of {self.subject}",
                "say it in the settings under conduct.addresses, and plan anew",
            )
        raise CannotFill(f"{{{name}}} is of one VM, and this is done once for {self.subject}", "give it vms")


def _quoted(name: str, value: str) -> str:
    if name == "address" and ":" in value:
        return f"[{value}]"  # of version 6
    return quote(value, safe="", errors="replace")
