"""Keys go one after the other: each waits until what the one before it did has come about.

A terminal hands over a burst (a paste, a slow line) faster than a dialog is built, and Textual would give
the second key to whatever had the focus before. So an echo is sent behind each key on the way the key takes;
when it is back, and a screen that was opened stands, the next key goes. A key alone waits for nothing.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TypeVar

from textual.app import ScreenStackError
from textual.dom import DOMNode
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.screen import Screen

from tui.contrast import ThemedApp

Answer = TypeVar("Answer")
_ROUNDS = 2  # behind what the key made a widget post to itself, such as that a field was submitted
_LOOK_S = 0.01
_PATIENCE_S = 3.0  # then keys go on, whatever is still being built


class PacedApp(ThemedApp[Answer]):
    """An application in which a key never overtakes what the key before it opened or closed."""

    class Echo(Message):
        """Comes back behind a key."""

        def __init__(self, number: int, went: int) -> None:
            super().__init__()
            self.number = number
            self.went = went

    _number = 0  # of the last key that went
    _is_under_way = False
    _since_s = 0.0
    _before: Screen[object] | None = None
    _to: DOMNode | None = None

    def __init__(self, **more: object) -> None:
        super().__init__(**more)
        self._held: deque[Event] = deque()

    async def on_event(self, event: Event) -> None:
        """Hold keys and pastes back while one is under way; everything else goes at once."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._is_under_way:
            self._held.append(event)
            if len(self._held) == 1:
                self._look(self._number)
        else:
            await self._go(event)

    def is_settled(self) -> bool:
        """Return whether what a key began has come about; the screen on top stands already."""
        return True

    def _look(self, number: int) -> None:
        """Go on as well when the echo was lost with a widget that went away."""
        if number != self._number or not self._is_under_way:
            return
        if self._to is None or not self._to.is_attached or self._is_late():
            self._rest(number)
        else:
            self.set_timer(_LOOK_S, lambda: self._look(number))

    def _is_late(self) -> bool:
        return monotonic() - self._since_s > _PATIENCE_S

    async def _go(self, event: Event) -> None:
        self._number += 1
        self._is_under_way, self._since_s, self._before = True, monotonic(), self._top()
        self._to = self.focused or self._before
        await super().on_event(event)
        self._send_echo(self._number, 1)
        if self._held:
            self._look(self._number)

    def _send_echo(self, number: int, went: int) -> None:
        to = self._to
        if to is None or not to.is_attached or not to.post_message(self.Echo(number, went)):
            self._rest(number)

    def on_paced_app_echo(self, echo: Echo) -> None:
        """Send it once more, or look whether the next key may go."""
        if echo.number == self._number and echo.went < _ROUNDS:
            self._send_echo(echo.number, echo.went + 1)
        else:
            self._rest(echo.number)

    def _rest(self, number: int) -> None:
        if number != self._number or not self._is_under_way:
            return  # another one is under way by now
        top = self._top()
        if self._is_late() or (top is self._before and self.is_settled()):
            self._number += 1  # it goes once, whoever noticed
            self.call_later(self._next)
        elif top is not None and top.is_mounted and self.is_settled():
            self._before = top
            top.call_after_refresh(self._rest, number)  # the focus is where the screen wants it then
        else:
            self.set_timer(_LOOK_S, lambda: self._rest(number))

    async def _next(self) -> None:
        if self._held:
            await self._go(self._held.popleft())
        else:
            self._is_under_way = False

    def _top(self) -> Screen[object] | None:
        try:
            return self.screen_stack[-1] if self.screen_stack else None
        except ScreenStackError:
            return None
