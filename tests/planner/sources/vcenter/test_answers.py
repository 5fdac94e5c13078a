"""Answers as plain values: types and lists, what XML forbids, documents that attack, answers cut short."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.errors import BadInput
from planner.sources.vcenter.answers import Fault, clean, document, elements, plain, value_of
from planner.sources.vcenter.wire import Dropped

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<soapenv:Body><RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>'
)
TAIL = "</returnval></RetrievePropertiesExResponse></soapenv:Body></soapenv:Envelope>"


def answer(body: str) -> bytes:
    return (HEAD + body + TAIL).encode("utf-8")


def chunked(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def values(body: str, size: int = 7) -> list[object]:
    return [value_of(item) for item in elements(chunked(answer(body), size), "objects")]


def test_values() -> None:
    (found,) = values(
        '<objects><obj type="VirtualMachine">vm-1</obj><n>1</n><n/><n>3</n><empty/>'
        '<device xsi:type="VirtualDisk"><backing xsi:type="VirtualDiskNothing"/></device>'
        '<text xsi:type="xsd:string">a &amp; b &lt;c&gt; &#233;</text></objects>'
    )
    assert found == {
        "obj": "vm-1",
        "n": ["1", "", "3"],
        "empty": "",
        "device": {"@": "VirtualDisk", "backing": {"@": "VirtualDiskNothing"}},
        "text": "a & b <c> é",
    }


@pytest.mark.parametrize("body", ["", "<X>1</X>", "<X>1</X><X>2</X>"])
def test_an_array_is_a_list_however_long(body: str) -> None:
    (found,) = values(f'<objects xsi:type="ArrayOfX">{body}</objects>')
    assert found == ["1", "2"][: body.count("<X>")]


def test_only_elements_of_the_answer_itself_are_handed_over() -> None:
    found = values("<objects><objects>inner</objects></objects><objects>2</objects><token>t</token>")
    assert found == [{"objects": "inner"}, "2"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100_000])
def test_what_xml_forbids_is_replaced(size: int) -> None:
    body = answer("<objects>a\x01b\x1bc&#1;d&#x1F;e&#x1f;f&#10;g&#xe9;h&amp;</objects>")
    (found,) = (plain(item) for item in elements(chunked(body, size), "objects"))
    assert found == "a b c\ufffdd\ufffde\ufffdf\ngéh&"


def test_cleaning_changes_nothing_else() -> None:
    body = "tab\t line\r\n ünïcödé 漢字 &lt; & alone &#8364; \x7f".encode()
    assert b"".join(clean(chunked(body, 3))) == body


@pytest.mark.parametrize(
    "kind",
    ['<!DOCTYPE x [<!ENTITY a "b">]>', '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "<!DOCTYPE x>"],
)
@pytest.mark.parametrize("whole", [True, False])
def test_document_types_are_refused(kind: str, whole: bool) -> None:
    body = answer("<objects>&a;</objects>" if "ENTITY" in kind else "<objects>1</objects>").replace(
        b"<soapenv:Envelope", kind.encode() + b"<soapenv:Envelope", 1
    )
    with pytest.raises(BadInput, match="document type"):
        document(body) if whole else list(elements([body], "objects"))


def test_entities_do_not_grow() -> None:
    steps = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{steps}]>'
    body = answer("<objects>&l9;</objects>").replace(
        b"<soapenv:Envelope", bomb.encode() + b"<soapenv:Envelope", 1
    )
    with pytest.raises((BadInput, Dropped)):
        list(elements([body], "objects"))


@pytest.mark.parametrize("whole", [True, False])
def test_an_answer_cut_anywhere_is_dropped(whole: bool) -> None:
    body = answer("<objects><a>1</a></objects><objects><a>2</a></objects>")
    for cut in range(0, len(body), 11):
        with pytest.raises(Dropped):
            document(body[:cut]) if whole else list(elements([body[:cut]], "objects"))
    assert len(list(elements([body], "objects"))) == 2


@pytest.mark.parametrize("whole", [True, False])
def test_faults(whole: bool) -> None:
    body = (
        b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
        b"<faultcode>ServerFaultCode</faultcode><faultstring>Permission was denied</faultstring><detail>"
        b'<NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission">'
        b'<object type="Folder">group-d1</object>'
        b"<privilegeId>System.Read</privilegeId></NoPermissionFault></detail>"
        b"</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    with pytest.raises(Fault) as caught:
        document(body) if whole else list(elements([body], "objects"))
    assert caught.value.kind == "NoPermission"
    assert caught.value.message == "Permission was denied"
    assert caught.value.fields["privilegeId"] == "System.Read"


def test_objects_are_forgotten_as_they_are_handed_over() -> None:
    body = answer("<objects><a><b>text</b></a></objects>" * 500)
    counts = [len(item.getparent()) for item in elements(chunked(body, 300), "objects")]
    assert len(counts) == 500
    assert max(counts) <= 20  # those of one chunk


def test_one_object_cannot_fill_the_memory() -> None:
    def endless() -> Iterator[bytes]:
        yield HEAD.encode() + b"<objects>"
        while True:
            yield b"<a>1</a>" * 100_000

    with pytest.raises(BadInput, match="larger than it can be"):
        list(elements(endless(), "objects"))
