"""The newest virtual hardware that hosts run, as their clusters say: one call for each."""

from __future__ import annotations

from collections.abc import Iterable

from planner.sources.vcenter.answers import Fault
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import flag, many, text


def hardware_versions(session: Session, clusters: Iterable[RawObject]) -> dict[str, int]:
    """Return the newest version (``vmx-21`` is 21) by host id; what is refused is absent; raises Dropped."""
    found: dict[str, int] = {}
    for cluster in clusters:
        browser = text(cluster.values.get("environmentBrowser"))
        if not browser:
            continue
        try:
            offered = session.call("QueryConfigOptionDescriptor", Ref("EnvironmentBrowser", browser))
        except Fault:
            continue
        for entry in offered:
            version = text(entry, "key").removeprefix("vmx-")
            if not version.isdecimal() or flag(entry, "runSupported") is False:
                continue
            for host in many(entry, "host"):
                found[host] = max(found.get(host, 0), int(version))
    return found
