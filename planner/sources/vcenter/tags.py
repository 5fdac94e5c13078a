"""Tags of machines, over the REST endpoint: the newer ``/api``, else the older ``/rest``.

A vCenter without either, or an account it does not let in, leaves tags unknown; the rest of the
reading does not depend on them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

from planner.errors import BadInput
from planner.names import visible
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.wire import NOT_YET, Answer, Dropped

_TOKEN = "vmware-api-session-id"  # noqa: S105  (the name of a header)
_BATCH = 500  # tags a request


class NoTags(Exception):
    """Tags cannot be read here; the text says why, as the end of a sentence.

    It ``passes`` when it may be otherwise soon.
    """

    def __init__(self, why: str, passes: bool = False) -> None:
        super().__init__(why)
        self.passes = passes


class Rest:
    """One of the two forms of the endpoint, with a session. Its calls raise NoTags, Dropped."""

    def __init__(self, session: Session, token: str, newer: bool) -> None:
        self._session = session
        self._token = token
        self._base = "/api/cis/tagging" if newer else "/rest/com/vmware/cis/tagging"
        self._newer = newer

    def listed(self, what: str) -> list[Any]:
        """Return the keys of all things of a kind: ``tag``, ``category``."""
        found = self._said("GET", f"{self._base}/{what}")
        return found if isinstance(found, list) else []

    def get(self, what: str, key: str) -> Mapping[str, Any]:
        """Return what one thing of a kind is."""
        found = self._said("GET", f"{self._base}/{self.keyed(what, key)}")
        return found if isinstance(found, dict) else {}

    def objects(self, tags: list[str]) -> list[Any]:
        """Return what these tags are on."""
        found = self.asked("tag-association", "list-attached-objects-on-tags", {"tag_ids": tags})
        return found if isinstance(found, list) else []

    def asked(self, what: str, action: str, body: object = None) -> Any:
        """Return what an action answers; the keys in ``what`` are those that the endpoint gave."""
        ask = "?action=" if self._newer else "?~action="
        return self._said("POST", f"{self._base}/{what}{ask}{action}", body)

    def keyed(self, what: str, key: str) -> str:
        """Return how one thing of a kind is called in a path."""
        key = quote(key, safe=":")
        return f"{what}/{key}" if self._newer else f"{what}/id:{key}"

    def _said(self, method: str, path: str, body: object = None) -> Any:
        answer = _send(self._session, method, path, {_TOKEN: self._token}, body)
        said = _json(answer)
        if answer.status == 401:  # it was open a moment ago: the vCenter has restarted since
            raise Dropped("the session of the REST endpoint ended")
        if answer.status not in (200, 204):
            raise NoTags(f"{path.partition('?')[0]} answers with status {answer.status}")
        return said.get("value") if not self._newer and isinstance(said, dict) else said


def _send(
    session: Session, method: str, path: str, headers: Mapping[str, str], body: object = None
) -> Answer:
    written = b"" if body is None else json.dumps(body).encode()
    extra = {"Content-Type": "application/json"} if written else {}
    answer = session.wire.request(method, path, written, {"Accept": "application/json", **headers, **extra})
    if answer.status in NOT_YET:
        answer.body()
        raise Dropped(f"HTTP status {answer.status}")
    return answer


def _json(answer: Answer) -> Any:
    body = answer.body()
    try:
        return json.loads(body) if body.strip() else None
    except ValueError:
        return None


@contextmanager
def opened(session: Session) -> Iterator[Rest]:
    """Open the endpoint in whichever form there is; raises NoTags, Dropped."""
    login = session.login
    basic = base64.b64encode(f"{login.address.user}:{login.password}".encode()).decode("ascii")
    for newer in (True, False):
        path = "/api/session" if newer else "/rest/com/vmware/cis/session"
        answer = _send(session, "POST", path, {"Authorization": f"Basic {basic}"})
        said = _json(answer)
        if answer.status in (200, 201):
            token = said.get("value") if isinstance(said, dict) else said
            if isinstance(token, str) and token.isprintable():
                break
        if answer.status in (401, 403):
            raise NoTags("the account is not let in to the REST endpoint")
    else:
        raise NoTags("it offers no REST endpoint")
    try:
        yield Rest(session, token, newer)
    finally:
        with suppress(Dropped):
            _send(session, "DELETE", path, {_TOKEN: token}).body()


def read_tags(session: Session) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return (category, tag) pairs by VM id; raises NoTags.

    One call for each category and tag, and one for every 500 tags to learn what they are on.
    """
    try:
        with opened(session) as rest:
            categories = {
                key: str(rest.get("category", key).get("name", "")) for key in _ids(rest.listed("category"))
            }
            named: dict[str, tuple[str, str]] = {}
            for key in _ids(rest.listed("tag")):
                tag = rest.get("tag", key)
                named[key] = categories.get(str(tag.get("category_id", "")), ""), str(tag.get("name", ""))
            found: dict[str, list[tuple[str, str]]] = {}
            keys = list(named)
            for at in range(0, len(keys), _BATCH):
                for entry in rest.objects(keys[at : at + _BATCH]):
                    for target in entry.get("object_ids") or ():
                        if target.get("type") == "VirtualMachine":
                            found.setdefault(str(target.get("id")), []).append(named[entry["tag_id"]])
    except Dropped as error:
        raise NoTags(f"the REST endpoint broke off: {visible(str(error), 80)}", passes=True) from error
    except (AttributeError, KeyError, TypeError, BadInput) as error:
        raise NoTags("the REST endpoint answers in a form that is not understood") from error
    return {vm: tuple(sorted(set(pairs))) for vm, pairs in found.items()}


def _ids(listed: list[Any]) -> list[str]:
    return [key for key in listed if isinstance(key, str)]
