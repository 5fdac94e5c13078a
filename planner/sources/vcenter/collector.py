"""The property collector, asked page by page and parsed on our own: one pass a kind of object.

A pass that breaks (connection, session, an object that went away, a path the API does not know)
begins again with nothing kept of what it had; after a few times the vCenter counts as unreachable.
What an account may not see is collected too: object by object, path by path.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from planner.errors import BadInput, Unreachable
from planner.names import visible
from planner.sources.vcenter.answers import VIM, Fault, Value, type_of, value_of
from planner.sources.vcenter.paths import SERVICES, SERVICES_CONVERT, Kind
from planner.sources.vcenter.session import EXPIRED, RENEWALS, Session
from planner.sources.vcenter.soap import Ref, below_view, envelope, filter_spec, first_page, next_page, these
from planner.sources.vcenter.values import text
from planner.sources.vcenter.wire import Dropped

PAGE = 250  # objects: about 2.5 MiB of machines
ATTEMPTS = 4  # of one pass
_BACK_OFF_S = (0.2, 1.0, 3.0)
_GONE = "ManagedObjectNotFound"
UNKNOWN_PATH = "InvalidProperty"

Kept = TypeVar("Kept")
Report = Callable[[str, int], None]  # (kind of object, how many so far)


@dataclass(frozen=True, slots=True)
class RawObject:
    """One object as the collector sent it: values by path, and the paths it may not show, with why.

    A path that is in neither is unset.
    """

    ref: Ref
    values: Mapping[str, Value]
    missing: Mapping[str, str] = field(default_factory=dict)  # path to privilege or fault


@dataclass(slots=True)
class Unseen:
    """What was not shown to us in a whole reading; becomes notes of the inventory."""

    denied: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # kind, path, privilege
    unknown: dict[str, dict[str, None]] = field(default_factory=dict)  # kind: paths the API does not know

    def add(self, kind: str, missing: Mapping[str, str]) -> None:
        """Take in what one object did not show."""
        for path, why in missing.items():
            if why == UNKNOWN_PATH:
                self.unknown.setdefault(kind, {})[path] = None
            else:
                self.denied[kind, path, why] += 1

    def join(self, other: Unseen) -> None:
        """Take in what another reading was not shown."""
        self.denied += other.denied
        for kind, paths in other.unknown.items():
            self.unknown.setdefault(kind, {}).update(paths)

    def notes(self) -> tuple[str, ...]:
        """Return one sentence a privilege and kind, and one a kind whose API is older."""
        by_privilege: dict[tuple[str, str], tuple[int, list[str]]] = {}
        for (kind, path, privilege), count in sorted(self.denied.items()):
            most, paths = by_privilege.get((kind, privilege), (0, []))
            by_privilege[kind, privilege] = max(most, count), [*paths, path]
        notes = [
            f"{most:,} {kind} do not show {_some(paths)}: the account lacks {visible(privilege, 60)}; "
            "what they hold there is unknown"
            for (kind, privilege), (most, paths) in by_privilege.items()
        ]
        notes += [
            f"the API of this vCenter does not know {_some(sorted(paths))} of {kind}: they are unknown"
            for kind, paths in sorted(self.unknown.items())
        ]
        return tuple(notes)


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - 4} more properties" if len(paths) > 4 else ""
    return ", ".join(visible(path, 60) for path in paths[:4]) + more


class Collector:
    """Reads kinds of objects in a session; ``sleep`` waits between attempts."""

    def __init__(
        self,
        session: Session,
        *,
        page: int = PAGE,
        report: Report | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.session = session
        self.unseen = Unseen()
        self._page = page
        self._report = report or (lambda kind, count: None)
        self._sleep = sleep
        self._dropped: dict[str, set[str]] = {}

    def wanted(self, kind: Kind) -> dict[str, list[str]]:
        """Return the paths to ask for, by type: those of the kind that this API knows."""
        gone = self._dropped.get(kind.name, set())
        return {name: [path for path in paths if path not in gone] for name, paths in kind.paths.items()}

    def read(self, kind: Kind, keep: Callable[[RawObject], Kept | None]) -> list[Kept]:
        """Return what ``keep`` makes of each object of a kind; None is left out.

        Objects are handed over one by one as they arrive and are not held. Raises BadInput for a
        refusal, Unreachable.
        """

        def once() -> list[Kept]:
            with self._view(kind.view) as view:
                spec = filter_spec("specSet", self.wanted(kind), below_view(view))
                return self._pages(kind, spec, keep)

        return self.persist(kind, once)

    def read_these(
        self, kind: Kind, targets: Iterable[Ref], keep: Callable[[RawObject], Kept | None]
    ) -> list[Kept]:
        """Return the same of single objects; those that are gone are left out."""
        wanted = list(targets)

        def once() -> list[Kept]:
            found: list[Kept] = []
            for at in range(0, len(wanted), self._page):
                spec = filter_spec("specSet", self.wanted(kind), these(wanted[at : at + self._page]))
                found += self._pages(kind, spec, keep)
            return found

        return self.persist(kind, once) if wanted else []

    @contextlib.contextmanager
    def _view(self, types: tuple[str, ...]) -> Iterator[Ref]:
        from pyVmomi import vim

        view = self.session.ask(
            lambda content: content.viewManager.CreateContainerView(
                content.rootFolder, [getattr(vim, name) for name in types], True
            )
        )
        ref = Ref("ContainerView", view._GetMoId())
        try:
            yield ref
        finally:
            # It ends with the session at the latest, and a session that ended is not renewed for it.
            with contextlib.suppress(Fault, Dropped, BadInput):
                self.session.send_whole(envelope("DestroyView", ref))

    def _pages(self, kind: Kind, spec: str, keep: Callable[[RawObject], Kept | None]) -> list[Kept]:
        found: list[Kept] = []
        collector, count = self.session.collector, 0
        unseen = Unseen()
        older = self.older(kind)
        request: bytes | None = first_page(collector, spec, self._page)
        while request is not None:
            token = ""
            for element in self.session.stream(request, "objects", "token"):
                if element.tag == VIM + "token":
                    token = element.text or ""
                    continue
                item = raw_object(element, kind, older)
                if not item.values and _GONE in item.missing.values():
                    continue
                unseen.add(kind.name, item.missing)
                kept = keep(item)
                if kept is not None:
                    found.append(kept)
                count += 1
            self._report(kind.name, count)
            request = next_page(collector, token) if token else None
        self.unseen.join(unseen)
        return found

    def persist(self, kind: Kind, once: Callable[[], list[Kept]]) -> list[Kept]:
        """Return what ``once`` gets, begun again after what passes; raises BadInput, Unreachable."""
        failed = renewed = 0
        while True:
            key = self.session.key
            try:
                return once()
            except (Dropped, Unreachable) as error:
                why = str(error).removeprefix(f"{self._shown} broke off: ")
            except Fault as fault:
                if fault.kind == EXPIRED and renewed < RENEWALS:
                    renewed += 1
                    self.session.renew(key)
                    continue
                if self.leave_out(kind, fault):
                    continue
                if fault.kind == "NoPermission":
                    raise self._refused(kind, fault) from fault
                why = str(fault)
            failed += 1
            if failed >= ATTEMPTS:
                raise Unreachable(
                    f"{self._shown} broke off {failed} times while it listed its {kind.name}: "
                    f"{visible(why, 120)}",
                    "look at the vCenter and the network, then try again; nothing of this reading was kept",
                )
            self._sleep(_BACK_OFF_S[min(failed, len(_BACK_OFF_S)) - 1])

    @property
    def _shown(self) -> str:
        return self.session.login.address.shown

    def _refused(self, kind: Kind, fault: Fault) -> BadInput:
        user = visible(self.session.login.address.user, 80)
        privilege = visible(text(fault.fields, "privilegeId") or "a privilege", 60)
        return BadInput(
            f"{self._shown} lets {user} read no {kind.name}: the account lacks {privilege}",
            "give the account the read-only role of docs/vcenter.md",
        )

    def leave_out(self, kind: Kind, fault: Fault) -> bool:
        """Leave out the path that a fault says the API does not know; return whether it is about one."""
        path = text(fault.fields, "name")
        if fault.kind != UNKNOWN_PATH or not path:
            return False
        gone = self._dropped.setdefault(kind.name, set())
        asked = {
            wanted
            for paths in kind.paths.values()
            for wanted in paths
            if wanted not in gone and (wanted == path or wanted.endswith("." + path))
        }
        gone |= asked
        return bool(asked)

    def older(self, kind: Kind) -> dict[str, str]:
        """Return the paths left out of a kind, as ones that its objects do not show."""
        return dict.fromkeys(sorted(self._dropped.get(kind.name, ())), UNKNOWN_PATH)

    def services(self) -> dict[str, RawObject]:
        """Return the single objects of the service by name; raises BadInput, Unreachable."""

        def known(content: Any) -> dict[str, Ref]:
            held = {name: getattr(content, name) for name in SERVICES}
            return {name: Ref(SERVICES[name][0], item._GetMoId()) for name, item in held.items() if item}

        refs = self.session.ask(known)
        kind = Kind("services", (), dict(SERVICES.values()), SERVICES_CONVERT)
        found = self.read_these(kind, refs.values(), lambda item: item)
        by_ref = {item.ref: item for item in found}
        return {name: by_ref[target] for name, target in refs.items() if target in by_ref}


def raw_object(element: Any, kind: Kind, older: Mapping[str, str]) -> RawObject:
    """Return an ``objects`` element as an object; ``older`` are paths that this API does not know."""
    values: dict[str, Value] = {}
    missing: dict[str, str] = dict(older)
    obj: Ref | None = None
    for child in element:
        if child.tag == VIM + "propSet":
            path, value = child[0].text or "", child[1]
            convert = kind.convert.get(path)
            values[path] = convert(value) if convert else value_of(value)
        elif child.tag == VIM + "obj":
            obj = Ref(child.get("type", ""), child.text or "")
        elif child.tag == VIM + "missingSet":
            path, why = missing_path(child)
            missing[path] = why
    if obj is None:
        raise BadInput("the vCenter's answer holds an object without an id", "check what answers there")
    return RawObject(obj, values, missing)


def missing_path(element: Any) -> tuple[str, str]:
    """Return the path of a ``missingSet`` element, and the privilege or fault that keeps it from us.

    Raises Fault for what is kept only from a session that has expired.
    """
    fault = element.find(f"{VIM}fault/{VIM}fault")
    kind = type_of(fault) if fault is not None else ""
    if kind == EXPIRED:
        raise Fault(kind)
    privilege = (fault.findtext(VIM + "privilegeId") or "") if fault is not None else ""
    return element.findtext(VIM + "path") or "", privilege or kind or "a privilege"
