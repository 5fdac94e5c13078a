"""The pilot's pause: until nobody has anything to do, which a busy machine does not change.

Textual's own looks for a fiftieth of a second in which the process did not compute. One that is not let
compute looks the same, and most pauses need no twentieth of a second.
"""

from __future__ import annotations

import asyncio
from time import monotonic, process_time

FRAME_S = 0.003  # between two pictures of a screen under test
_STEP_S = 0.005  # longer than a frame, so that one more is waited for


async def rested(min_sleep: float = _STEP_S, max_sleep: float = 1.0) -> None:
    """Wait until no callback is ready or about to be, and no thread computes; a second at most."""
    loop = asyncio.get_running_loop()
    begun = monotonic()
    while monotonic() - begun < max_sleep:
        computed = process_time()
        await asyncio.sleep(_STEP_S)
        await asyncio.sleep(0)
        is_still = process_time() - computed < _STEP_S / 5
        if is_still and monotonic() - begun >= min_sleep and not _anything_due(loop):
            return


def _anything_due(loop: asyncio.AbstractEventLoop) -> bool:
    soon = loop.time() + _STEP_S
    if loop._ready:  # type: ignore[attr-defined]
        return True
    return any(
        not timer.cancelled() and timer.when() <= soon
        for timer in loop._scheduled  # type: ignore[attr-defined]
    )
