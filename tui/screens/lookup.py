"""Asks the study for single things while a cursor moves: one at a time, always the one wanted last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from tui.screens.host import Host

_KEPT = 128


class Lookup:
    """What an op tells of one key, kept until ``forget``. ``show`` is called with what was wanted last."""

    def __init__(self, host: Callable[[], Host], op: str, argument: str, busy: str,
                 show: Callable[[str, Any, str], None]) -> None:  # fmt: skip
        """``show`` gets the key, what was told, and what went wrong instead, empty for nothing."""
        self._host, self._op, self._argument, self._busy, self._show = host, op, argument, busy, show
        self._kept: OrderedDict[str, tuple[Any, str]] = OrderedDict()
        self._wanted = ""
        self._asked = ""
        self._age = 0

    def forget(self) -> None:
        """Forget everything: what is on its way is asked again."""
        self._kept.clear()
        self._age += 1

    def get(self, key: str) -> Any:
        """Return what was told of a key, None when nothing was yet."""
        return self._kept.get(key, (None, ""))[0]

    def want(self, key: str) -> None:
        """Show a key: at once when it is known, else as soon as it is."""
        self._wanted = key
        if key in self._kept:
            self._kept.move_to_end(key)
            self._show(key, *self._kept[key])
        elif not self._asked:
            self._ask(key)

    def _ask(self, key: str) -> None:
        self._asked, age = key, self._age
        args: Mapping[str, Any] = {self._argument: key}
        self._host().ask(
            self._op,
            args,
            lambda said: self._answered(key, age, said, ""),
            busy=self._busy,
            failed=lambda why: self._answered(key, age, None, why),
        )

    def _answered(self, key: str, age: int, said: Any, why: str) -> None:
        self._asked = ""
        if age == self._age:
            self._kept[key] = (said, why)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if self._wanted in self._kept:
            self._show(self._wanted, *self._kept[self._wanted])
        else:
            self._ask(self._wanted)
