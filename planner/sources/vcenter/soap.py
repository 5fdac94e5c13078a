"""Requests of the SOAP endpoint as text: envelopes, references, filter specs.

Every name that goes in is escaped. The calls here read; whatever changes a vCenter is pyvmomi's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
)
_TAIL = "</soapenv:Body></soapenv:Envelope>"


class Ref(NamedTuple):
    """A managed object: its type and its id."""

    kind: str
    id: str


def ref(tag: str, target: Ref) -> str:
    """Return a reference as an element."""
    return f"<{tag} type={quoteattr(target.kind)}>{escape(target.id)}</{tag}>"


def tagged(tag: str, values: Iterable[object]) -> str:
    """Return each value as an element of that name."""
    return "".join(f"<{tag}>{escape(str(value))}</{tag}>" for value in values)


def envelope(method: str, this: Ref, body: str = "") -> bytes:
    """Return the request that calls ``method`` of ``this``; ``body`` is XML."""
    return f'{_HEAD}<{method} xmlns="urn:vim25">{ref("_this", this)}{body}</{method}>{_TAIL}'.encode()


def properties(paths: Mapping[str, Sequence[str]]) -> str:
    """Return the PropertySpecs: which paths of which type."""
    return "".join(
        f"<propSet><type>{kind}</type><all>false</all>{tagged('pathSet', wanted)}</propSet>"
        for kind, wanted in paths.items()
    )


def below_view(view: Ref) -> str:
    """Return the ObjectSpec for everything that a view shows."""
    return (
        f"<objectSet>{ref('obj', view)}<skip>true</skip>"
        '<selectSet xsi:type="TraversalSpec"><name>view</name>'
        f"<type>{view.kind}</type><path>view</path><skip>false</skip></selectSet></objectSet>"
    )


def these(targets: Iterable[Ref]) -> str:
    """Return the ObjectSpecs for single objects."""
    return "".join(f"<objectSet>{ref('obj', target)}</objectSet>" for target in targets)


def filter_spec(tag: str, paths: Mapping[str, Sequence[str]], objects: str) -> str:
    """Return a PropertyFilterSpec in an element ``tag``; objects that are gone are passed over."""
    return (
        f"<{tag}>{properties(paths)}{objects}"
        f"<reportMissingObjectsInResults>true</reportMissingObjectsInResults></{tag}>"
    )


def first_page(collector: Ref, spec: str, most: int) -> bytes:
    """Return the RetrievePropertiesEx that asks for the first ``most`` objects."""
    return envelope(
        "RetrievePropertiesEx", collector, f"{spec}<options><maxObjects>{most}</maxObjects></options>"
    )


def next_page(collector: Ref, token: str) -> bytes:
    """Return the request for the page behind ``token``."""
    return envelope("ContinueRetrievePropertiesEx", collector, f"<token>{escape(token)}</token>")
