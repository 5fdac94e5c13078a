"""The vCenter itself: who it is, its licences, its extensions, the names of custom attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.model import Licence, VCenter
from planner.sources.vcenter.answers import Fault
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, moment, text, whole


def vcenter(session: Session, services: Mapping[str, RawObject]) -> VCenter:
    """Return who answers in a session."""
    about = session.content.about
    extensions = _value(services, "extensionManager", "extensionList")
    return VCenter(
        id=instance_uuid(session),
        name=session.login.address.endpoint,
        version=str(about.version or ""),
        build=str(about.build or ""),
        api_version=str(about.apiVersion or ""),
        certificate_expires=session.certificate.expires,
        extensions=tuple(sorted(extensions)) if isinstance(extensions, list) else None,
        scheduled_tasks=whole(_value(services, "scheduledTaskManager", "scheduledTask")),
    )


def instance_uuid(session: Session) -> str:
    """Return the vCenter's own id; an old or odd one without is called by its endpoint."""
    return str(session.content.about.instanceUuid or "") or session.login.address.endpoint


def _value(services: Mapping[str, RawObject], name: str, path: str) -> Any:
    return services[name].values.get(path) if name in services else None


def licences(services: Mapping[str, RawObject], vcenter_id: str) -> tuple[Licence, ...] | None:
    """Return the licences, their keys masked; None when the account may not see them."""
    held = _value(services, "licenseManager", "licenses")
    if held is None:
        return None
    return tuple(_licence(item, vcenter_id) for item in many(held))


def _licence(item: Any, vcenter_id: str) -> Licence:
    expires = next(
        (
            moment(entry, "value")
            for entry in many(item, "properties")
            if text(entry, "key") == "expirationDate"
        ),
        "",
    )
    key = text(item, "licenseKey")
    return Licence(
        name=text(item, "name"),
        key=masked(key),
        total=whole(item, "total"),
        used=whole(item, "used"),
        expires=expires,
        vcenter=vcenter_id,
    )


def host_licences(session: Session, services: Mapping[str, RawObject]) -> dict[str, str]:
    """Return the names of the licences that hosts use, by host id; what is refused is absent.

    Raises Dropped.
    """
    manager = text(_value(services, "licenseManager", "licenseAssignmentManager"))
    if not manager:
        return {}
    try:
        assigned = session.call("QueryAssignedLicenses", Ref("LicenseAssignmentManager", manager))
    except Fault:
        return {}
    return {
        text(entry, "entityId"): text(entry, "assignedLicense", "name")
        for entry in assigned
        if text(entry, "entityId")
    }


def masked(key: str) -> str:
    """Return a licence key with all but its last five characters hidden."""
    return "".join("*" if char.isalnum() else char for char in key[:-5]) + key[-5:] if len(key) > 5 else ""


def attribute_names(services: Mapping[str, RawObject]) -> dict[str, str]:
    """Return the names of custom attributes by their key."""
    return {
        text(entry, "key"): text(entry, "name")
        for entry in many(_value(services, "customFieldsManager", "field"))
    }
