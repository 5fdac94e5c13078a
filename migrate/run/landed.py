"""Questions to both sites before a verb goes on: are they the run's own, and who runs where."""

from __future__ import annotations

from migrate.run.history import History
from migrate.sites.ports import FullSite
from migrate.steps.landed import unprobed, unwell
from planner.errors import BadInput, Blocked
from planner.model import Power
from planner.names import visible


def check_sites(history: History, source: FullSite, target: FullSite) -> None:
    """Raise BadInput when both are one site, Blocked when a run under way began with others.

    At another site its VMs would seem to be off, and be started a second time.
    """
    now = {"source": source.identity, "target": target.identity}
    if now["source"] == now["target"]:
        raise BadInput(
            f"source and target are the same site {visible(source.name)}",
            "name another target: wherry site add NAME URL --role target",
        )
    wave = history.runbook.wave
    began = history.results.get("check", {}).get("sites", now)
    for role, site in (("source", source), ("target", target)):
        if began[role] != now[role]:
            raise Blocked(
                f"{visible(site.name)} is not the {role} site that the run of {wave} began with",
                "point the site's url back to it: wherry site add",
            )


def check_landed(history: History, source: FullSite, target: FullSite) -> None:
    """Raise Blocked unless every started VM runs at the target and is well, and none at the source."""
    wave = history.runbook.wave
    spared = unprobed(history)
    for step in history.runbook.steps:
        started = step.kind == "start" and step.id in history.results
        if started and (said := unwell(target, step.subject, probed=step.subject not in spared)):
            raise Blocked(
                f"{wave} cannot be committed: {said}",
                f"start it there, or go back with 'wherry rollback {wave} --live'",
            )
        if step.kind == "stop":
            here = source.observe(step.subject)
            if here is not None and here.power is not Power.OFF:
                raise Blocked(
                    f"{wave} cannot be committed: {visible(here.name)} is not off at site {source.name}",
                    f"stop it there, or go back with 'wherry rollback {wave} --live'",
                )
