"""Tags of a VM, read by name and attached by name, over the vCenter's REST endpoint.

A tag is (category, name); one that the vCenter does not have is not made: whoever keeps the tags decides what
they are. Attaching a tag twice is no error, so a lost answer is simply asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.tasks import Act
from planner.errors import Unreachable
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.tags import NoTags, Rest, opened
from planner.sources.vcenter.wire import Dropped

Tag = tuple[str, str]
T = TypeVar("T")


class Tagging:
    """The tags of one vCenter; raises NoTags where they cannot be read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_awaited = True  # not again, once it was awaited in vain: VMs are down meanwhile

    def values(self, vm: Ref) -> tuple[Tag, ...]:
        """Return (category, tag) of a VM, sorted; raises NoTags."""
        return self._asked(lambda rest: tuple(sorted(_named(rest, _attached(rest, vm)).values())))

    def write(self, act: Act, vm: Ref, wanted: Iterable[Tag]) -> None:
        """Attach those of the tags that the vCenter has; raises NoTags."""
        names = set(wanted)
        if not names:
            return

        def attach(rest: Rest) -> None:
            there = set(_attached(rest, vm))
            for key, tag in _named(rest, _keys(rest.listed("tag"))).items():
                if tag in names and key not in there:
                    act.tasks.log.sent("tag-association.attach")
                    rest.asked(rest.keyed("tag-association", key), "attach", _object(vm))

        self._asked(attach)

    def _asked(self, act: Callable[[Rest], T]) -> T:
        def once() -> T:
            try:
                with opened(self._connection.session) as rest:
                    return act(rest)
            except Dropped as error:
                raise Unreachable(f"the REST endpoint breaks off: {error}", "try again") from error
            except (AttributeError, KeyError, TypeError) as error:
                raise NoTags("the REST endpoint answers in a form that is not understood") from error

        try:  # after a restart it comes up last
            found = self._connection.patiently(once) if self._is_awaited else once()
        except Unreachable as error:
            self._is_awaited = False
            raise NoTags("the REST endpoint breaks off") from error
        self._is_awaited = True
        return found


def _object(vm: Ref) -> dict[str, Any]:
    return {"object_id": {"type": vm.kind, "id": vm.id}}


def _attached(rest: Rest, vm: Ref) -> list[str]:
    return _keys(rest.asked("tag-association", "list-attached-tags", _object(vm)))


def _keys(said: object) -> list[str]:
    return [key for key in said if isinstance(key, str)] if isinstance(said, list) else []


def _named(rest: Rest, keys: Iterable[str]) -> dict[str, Tag]:
    """Return tags with the names of their categories, by key."""
    categories: dict[str, str] = {}
    found = {}
    for key in keys:
        tag = rest.get("tag", key)
        category = str(tag["category_id"])
        if category not in categories:
            categories[category] = str(rest.get("category", category)["name"])
        found[key] = categories[category], str(tag["name"])
    return found
