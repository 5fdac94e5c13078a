"""Where the copies of a rehearsal are plugged in, so that they reach nothing but each other.

named in [conduct.test_networks]    that network
else wherry-rehearsal               where the site has one that somebody made
else a bubble                       made for the rehearsal and removed with it, at a site that can
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrate.sites.bubbles import Bubbles, NewBubble
from planner.errors import Blocked, SiteRefused
from planner.names import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.sites.ports import FullSite, NewVM
    from planner.plan import Wave

ISOLATED = "wherry-rehearsal"  # where the settings name no test network


@dataclass(frozen=True, slots=True)
class Isolation:
    """``networks``: what a copy is plugged into for each network of the wave, empty for one still to be made.

    Those are of ``bubble``, which ``host`` will carry; its key is only known when the rehearsal begins.
    """

    networks: dict[str, str]
    bubble: NewBubble | None = None
    host: str = ""

    def made(self, key: str, target: FullSite, op: str) -> dict[str, str]:
        """Make what is to be made and return the name of every network."""
        if self.bubble is None:
            return self.networks
        assert isinstance(target, Bubbles), "only such a site was asked for one"
        return {**self.networks, **target.make_bubble(replace(self.bubble, key=key), op)}


def isolation_of(wave: Wave, vms: Iterable[NewVM], target: FullSite) -> Isolation:
    """Return where the copies of a wave's VMs are plugged in; raises Blocked when that is nowhere.

    Changes nothing. ``vms`` are those that the wave builds.
    """
    test = dict(wave.conduct.test_networks)
    known = target.networks()
    wanted = {nic.target: test.get(nic.target, ISOLATED) for vm in wave.vms for nic in vm.nics}
    missing = set(wanted.values()) - known if known is not None else set()
    if missing == {ISOLATED} and isinstance(target, Bubbles):
        return _in_a_bubble(wave, vms, target, wanted)
    for network in sorted(missing):
        raise Blocked(
            f"the isolated network {visible(network)} does not exist at site {target.name}",
            "make it there without an uplink, or name one in [conduct.test_networks]",
        )
    return Isolation(wanted)


def _in_a_bubble(wave: Wave, vms: Iterable[NewVM], target: Bubbles, wanted: dict[str, str]) -> Isolation:
    alone = tuple(sorted(network for network, other in wanted.items() if other == ISOLATED))
    stores = {disk.datastore for disk in wave.disks if disk.datastore}
    others = set(wanted.values()) - {ISOLATED}
    bubble = NewBubble("", alone, tuple(vms), tuple(sorted(stores)), tuple(sorted(others)))
    try:
        host = target.bubble_host(bubble)
    except SiteRefused as error:
        raise Blocked(error.message, error.hint) from error
    return Isolation({**wanted, **dict.fromkeys(alone, "")}, bubble, host)
