"""What a raw device mapping points at: the id in its backing to the canonical name of a LUN.

The backing and the host's list agree on the LUN's uuid. Where they do not (other paths to it, another
LUN number) the NAA identifier stands inside of it: ten digits of type and number, then the 32 or 16
of the identifier (see "vml" names of ESXi).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from planner.model import Lun


@dataclass(slots=True)
class LunNames:
    """Finds canonical names. What is not found keeps the id that the backing gave."""

    _by_uuid: dict[str, str] = field(default_factory=dict)
    _by_identifier: dict[str, str] = field(default_factory=dict)
    _by_name: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, luns: Iterable[Lun]) -> LunNames:
        """Return the names of these LUNs."""
        names = cls()
        for lun in luns:
            if lun.uuid:
                names._by_uuid[lun.uuid.casefold()] = lun.name
            names._by_name[lun.name.casefold()] = lun.name
            kind, _, identifier = lun.name.casefold().partition(".")
            if kind in ("naa", "eui") and identifier:
                names._by_identifier[identifier] = lun.name
        return names

    def canonical(self, lun_uuid: str, device: str = "") -> str:
        """Return the canonical name for a backing's ``lunUuid`` and ``deviceName``, a path perhaps."""
        if (name := self._by_name.get(device.rpartition("/")[2].casefold())) is not None and not lun_uuid:
            return name
        for said in (lun_uuid, device.removeprefix("vml.")):
            key = said.casefold()
            if key in self._by_uuid:
                return self._by_uuid[key]
            for length in (32, 16):
                if (name := self._by_identifier.get(key[10 : 10 + length])) is not None:
                    return name
        return lun_uuid or (device if device.removeprefix("vml.") else "")
