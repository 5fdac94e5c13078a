"""Answers of the SOAP endpoint, parsed as they arrive: plain dicts, lists and text, nothing else.

lxml reads; each object is handed on and forgotten, so memory does not grow with an answer. Document
types and entities are refused. A fault is raised as ``Fault``; an answer that ends early as ``Dropped``.

    <a x="y"><b>1</b><c/><c>2</c></a>   becomes   {"b": "1", "c": ["", "2"]}
    <val xsi:type="ArrayOfX"><X>..</X></val>  becomes  [..];  a type of its own stands under "@"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from planner.errors import BadInput
from planner.sources.vcenter.wire import Dropped

Value: TypeAlias = "str | dict[str, Any] | list[Any]"
Convert: TypeAlias = Callable[[Any], Value]

VIM = "{urn:vim25}"
_HOLDERS = (VIM + "returnval", VIM + "filterSet")
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_FAULT = "{http://schemas.xmlsoap.org/soap/envelope/}Fault"
_MAX_ELEMENT_BYTES = 16 * 1024**2  # of one object; the largest host of a real estate has a few MiB

# XML cannot hold these, and yet vCenters have sent them inside of names and annotations.
_CONTROL = bytes(0x20 if at < 0x20 and at not in (0x09, 0x0A, 0x0D) else at for at in range(256))
_REFERENCE = re.compile(rb"&#(?:x0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));")
_LONGEST_REFERENCE = 12


class Fault(Exception):
    """A fault of the vCenter: its type (``NotAuthenticated``), what it says, and its fields."""

    def __init__(self, kind: str, message: str = "", fields: dict[str, Any] | None = None) -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind
        self.message = message
        self.fields = fields or {}


class _Names(dict[str, str]):
    def __missing__(self, tag: str) -> str:
        self[tag] = name = tag.rpartition("}")[2]
        return name


_NAMES = _Names()


def type_of(element: Any) -> str:
    """Return the xsi:type of an element without its prefix, "" when it has none."""
    kind: str | None = element.get(XSI_TYPE)
    return kind.rpartition(":")[2] if kind else ""


def plain(element: Any) -> Value:
    """Return an element as a dict of its children, or as text when it has none."""
    kind = element.get(XSI_TYPE)
    if not len(element):
        text: str = element.text or ""
        # An empty element may still say what it is: a backing without fields.
        return (
            {"@": kind} if kind and not text and ":" not in kind and not kind.startswith("ArrayOf") else text
        )
    found: dict[str, Any] = {"@": kind.rpartition(":")[2]} if kind else {}
    for child in element:
        name = _NAMES[child.tag]
        value = plain(child) if len(child) or child.attrib else child.text or ""
        if name in found:
            known = found[name]
            if type(known) is list:
                known.append(value)
            else:
                found[name] = [known, value]
        else:
            found[name] = value
    return found


def value_of(element: Any) -> Value:
    """Return the value of a property: as ``plain``, and an ``ArrayOf...`` as a list."""
    if type_of(element).startswith("ArrayOf"):
        return [plain(child) for child in element]
    return plain(element)


def clean(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks with what XML forbids replaced: bare control characters and references to them."""
    held = b""
    for chunk in chunks:
        body = held + chunk.translate(_CONTROL) if held else chunk.translate(_CONTROL)
        held = b""
        at = body.rfind(b"&", max(len(body) - _LONGEST_REFERENCE, 0))
        if at >= 0 and b";" not in body[at:]:
            body, held = body[:at], body[at:]
        yield _REFERENCE.sub("\ufffd".encode(), body) if b"&#" in body else body
    if held:
        yield held


def elements(chunks: Iterable[bytes], *names: str) -> Iterator[Any]:
    """Yield each element of these names right below a ``returnval`` or ``filterSet``, then forget it.

    Raises Fault, Dropped when the answer ends early, and BadInput for what no vCenter sends.
    """
    from lxml import etree

    parser = etree.XMLPullParser(
        ("start", "end"),
        tag=[*(VIM + name for name in names), VIM + "returnval", _FAULT],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    since, checked = 0, False  # bytes since the last object
    try:
        for chunk in clean(chunks):
            since += len(chunk)
            parser.feed(chunk)
            for event, item in parser.read_events():
                element: Any = item
                if not checked:
                    _refuse_types(element)
                    checked = True
                if event == "start":
                    continue
                if element.tag == _FAULT:
                    raise _fault(element)
                parent = element.getparent()
                if parent is None or parent.tag not in _HOLDERS:
                    continue
                since = 0
                yield element
                while element.getprevious() is not None:
                    del parent[0]
            if since > _MAX_ELEMENT_BYTES:
                raise BadInput(
                    "the vCenter's answer holds an object larger than it can be", "check what answers"
                )
        parser.close()
    except etree.XMLSyntaxError as error:
        # An answer cut in two looks like this as well, and so it is tried again.
        raise Dropped(f"the answer is no XML: {error.msg}") from error


def _refuse_types(element: Any) -> None:
    if element.getroottree().docinfo.doctype:
        raise BadInput("the vCenter's answer holds a document type", "check what answers there")


def document(body: bytes) -> Any:
    """Return the root element of a whole answer; raises Fault, Dropped, BadInput."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(b"".join(clean([body])), parser)
    except etree.XMLSyntaxError as error:
        raise Dropped(f"the answer is no XML: {error.msg}") from error
    _refuse_types(root)
    fault = root.find(f".//{_FAULT}")
    if fault is not None:
        raise _fault(fault)
    return root


def _fault(element: Any) -> Fault:
    message = element.findtext("faultstring") or ""
    detail = element.find("detail")
    for child in detail if detail is not None else ():
        fields = plain(child)
        kind = type_of(child) or _NAMES[child.tag].removesuffix("Fault")
        return Fault(kind, message, fields if isinstance(fields, dict) else None)
    return Fault("SystemError", message)
