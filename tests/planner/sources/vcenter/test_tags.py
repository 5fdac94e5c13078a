"""Tags over both forms of the REST endpoint, and what leaves them unknown without harm."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from planner.sources.vcenter import platform
from planner.sources.vcenter.address import Address, Login
from planner.sources.vcenter.reading import read_vcenter
from planner.sources.vcenter.tags import NoTags, read_tags
from planner.sources.vcenter.wire import Answer, Dropped
from tests.planner.sources.vcenter.logins import login_of, timeless
from tests.vcenter.fixtures import StartVCenter

CATEGORIES = {"urn:cat:1": "tier", "urn:cat:2": "site"}
TAGS = {"urn:tag:1": ("database", "urn:cat:1"), "urn:tag:2": ("north", "urn:cat:2")}
ATTACHED = {
    "urn:tag:1": [("VirtualMachine", "vm-1"), ("HostSystem", "host-1")],
    "urn:tag:2": [("VirtualMachine", "vm-1"), ("VirtualMachine", "vm-2")],
}


class Endpoint:
    """A stand-in for session and wire: one form of the endpoint, with the answers of these dictionaries."""

    def __init__(self, newer: bool, **statuses: int) -> None:
        self.login = Login(Address("kim", "vc"), "s3cret")
        self.wire = self
        self.newer = newer
        self.statuses = statuses
        self.open = 0
        self.asked: list[str] = []
        self.attached: list[Any] = []

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        headers = headers or {}
        self.asked.append(f"{method} {path}")
        base = "/api/" if self.newer else "/rest/com/vmware/cis/"
        if not path.startswith(base):
            return Answer(404, {}, iter([b"not found"]))
        path = path.removeprefix(base).removeprefix("cis/")
        status = next((status for part, status in self.statuses.items() if part in path), 0)
        if status < 0:
            raise Dropped("gone")
        if status:
            return Answer(status, {}, iter([b"<html>"]))
        if path == "session":
            return self._session(method, headers)
        assert headers["vmware-api-session-id"] == "token"
        said = self._said(path, json.loads(body) if body else {})
        return Answer(200, {}, iter([json.dumps(said if self.newer else {"value": said}).encode()]))

    def _session(self, method: str, headers: Mapping[str, str]) -> Answer:
        self.open += 1 if method == "POST" else -1
        if method == "POST":
            assert headers["Authorization"] == "Basic " + base64.b64encode(b"kim:s3cret").decode()
        said = "token" if self.newer else {"value": "token"}
        return Answer(201 if self.newer else 200, {}, iter([json.dumps(said).encode()]))

    def _said(self, path: str, body: dict[str, Any]) -> Any:
        path = path.removeprefix("tagging/")
        if path.startswith("tag-association"):
            assert path.endswith("action=list-attached-objects-on-tags")
            return self.attached or [
                {"tag_id": tag, "object_ids": [{"type": kind, "id": key} for kind, key in ATTACHED[tag]]}
                for tag in body["tag_ids"]
            ]
        kind, _, key = path.partition("/")
        key = key.removeprefix("id:")
        if not key:
            return list(CATEGORIES if kind == "category" else TAGS)
        if kind == "category":
            return {"id": key, "name": CATEGORIES[key]}
        name, category = TAGS[key]
        return {"id": key, "name": name, "category_id": category}


@pytest.mark.parametrize("newer", [True, False])
def test_tags_by_machine(newer: bool) -> None:
    endpoint = Endpoint(newer)
    assert read_tags(endpoint) == {  # type: ignore[arg-type]
        "vm-1": (("site", "north"), ("tier", "database")),
        "vm-2": (("site", "north"),),
    }
    assert endpoint.open == 0  # closed again
    assert len(endpoint.asked) == (9 if newer else 10)


@pytest.mark.parametrize(
    ("statuses", "why"),
    [
        ({"session": 401}, "not let in"),
        ({"session": 403}, "not let in"),
        ({"session": 503}, "broke off: HTTP status 503"),
        ({"category": 403}, "status 403"),
        ({"association": 500}, "status 500"),
        ({"association": -1}, "broke off"),
    ],
)
def test_tags_that_cannot_be_read(statuses: dict[str, int], why: str) -> None:
    endpoint = Endpoint(True, **statuses)
    with pytest.raises(NoTags, match=why) as caught:
        read_tags(endpoint)  # type: ignore[arg-type]
    assert "s3cret" not in str(caught.value)
    assert endpoint.open == 0


@pytest.mark.parametrize(
    "said",
    [
        [{"tag_id": "urn:tag:9", "object_ids": [{"type": "VirtualMachine"}]}],
        ["all of them"],
        [{"object_ids": [7]}],
    ],
)
def test_an_answer_of_another_form(said: list[Any]) -> None:
    endpoint = Endpoint(True)
    endpoint.attached = said
    with pytest.raises(NoTags, match="not understood"):
        read_tags(endpoint)  # type: ignore[arg-type]


def test_unknown_tags_are_noted_and_nothing_else_is_lost(
    vcenter: StartVCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = login_of(vcenter("-vm", "2"))
    whole = read_vcenter(login)
    assert {vm.tags for vm in whole.vms} == {()}

    def refused(session: Any) -> Any:
        raise NoTags("the account is not let in to the REST endpoint")

    monkeypatch.setattr(platform, "read_tags", refused)
    without = read_vcenter(login)
    assert {vm.tags for vm in without.vms} == {None}
    assert "tags of this vCenter are unknown: the account is not let in to the REST endpoint" in without.notes
    tagged = replace(without, vms=tuple(replace(vm, tags=()) for vm in without.vms), notes=whole.notes)
    assert timeless(tagged) == timeless(whole)
