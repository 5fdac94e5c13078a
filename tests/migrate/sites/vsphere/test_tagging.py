"""A REST endpoint that is away is awaited once, not for each VM that is down meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from migrate.sites.vsphere import tagging
from migrate.sites.vsphere.tagging import Tagging
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.tags import NoTags
from planner.sources.vcenter.wire import Dropped


class _Connection:
    session = None
    waits = 0

    def patiently(self, act: Callable[[], Any]) -> Any:
        self.waits += 1
        return act()


class _Untagged:
    def asked(self, *_: object) -> list[str]:
        return []


def test_it_is_awaited_once_and_again_when_it_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    is_away = True

    @contextmanager
    def opened(_: object) -> Iterator[_Untagged]:
        if is_away:
            raise Dropped("HTTP status 503")
        yield _Untagged()

    monkeypatch.setattr(tagging, "opened", opened)
    connection, vm = _Connection(), Ref("VirtualMachine", "vm-1")
    tags = Tagging(connection)  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(NoTags, match="breaks off"):
            tags.values(vm)
    assert connection.waits == 1
    is_away = False
    assert tags.values(vm) == ()
    assert connection.waits == 1
    assert tags.values(vm) == ()
    assert connection.waits == 2
