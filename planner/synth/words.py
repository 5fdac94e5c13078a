"""Invented names: sites, applications, teams, and the grammar that VM names follow.

A name is site-environment-application-role-number; some break the grammar, as everywhere.
"""

from __future__ import annotations

from planner.synth.dice import Dice

SITES = ("ald", "bro", "cor", "dun")
DOMAIN = "aldersted.example"

_ONSETS = (*"bdfghjklmnprstvz", "br", "dr", "kl", "pr", "st", "tr")
_VOWELS = "aeiou"
_ENDS = ("", "", "n", "r", "l", "s", "x")
_WRITTEN = """
Payments Lending Treasury Cards Claims Pricing Logistics Fleet Warehouse Purchasing Payroll Billing
Metering Grid Plant Quality Research Archive Portal Web Identity Reporting Ledger Sales Service Tickets
"""
_TRADES = tuple(_WRITTEN.split())
_PARTS = "North South East West Core Retail Wholesale Group Nordic Alpine Island Harbour"
_UNITS = tuple(_PARTS.split())
_ODD = ("srv{n:04d}", "{a}_old{n}", "Copy of {a} {n}", "WIN-{h}", "{a}{n}-DO-NOT-DELETE", "new {a} ({n})")


class Words:
    """Names that have not been given yet."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._given: set[str] = set()

    def application(self) -> str:
        """Return a name of two or three invented syllables."""
        dice = self._dice
        while True:
            name = "".join(dice.pick(_ONSETS) + dice.pick(_VOWELS) for _ in range(dice.between(2, 3)))
            name += dice.pick(_ENDS)
            # Names of more applications than there are short words carry a number, as releases do.
            if name in self._given and dice.chance(0.5):
                name += str(dice.between(2, 9))
            if name not in self._given:
                self._given.add(name)
                return name

    def odd(self, application: str) -> str:
        """Return a VM name that breaks the grammar."""
        dice = self._dice
        form = dice.pick(_ODD)
        return form.format(a=application or "x", n=dice.between(1, 9999), h=dice.hexadecimal(10).upper())


def teams(count: int) -> tuple[str, ...]:
    """Return names of teams that own applications."""
    total = len(_TRADES) * len(_UNITS)
    names = []
    for at in range(count):
        # A step without a common factor visits every pair before it repeats.
        pair = at * 31 % total
        name = f"{_TRADES[pair % len(_TRADES)]} {_UNITS[pair // len(_TRADES)]}"
        names.append(name if at < total else f"{name} {at // total + 1}")
    return tuple(names)
