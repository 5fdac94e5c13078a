"""What the live part says in words: the engine on line 1, and what is the matter with it."""

from __future__ import annotations

from planner.names import visible
from tui.live.document import EngineState, Live
from tui.text import plural

BY_COMMAND = "'wherry engine start' starts one"


def runner_words(live: Live) -> tuple[str, str]:
    """Return what line 1 says of the engine, and its tone."""
    engine = live.engine
    driven = sum(wave.driven for wave in live.waves)
    match engine.state:
        case EngineState.DEAD:
            return "engine ✖ died", "bad"
        case EngineState.NONE:
            return "engine ✖ not at work", "bad"
        case EngineState.STOPPED:
            return "engine ○ stopped", "warn"
        case EngineState.STARTING:
            return "engine ◐ starts", "accent"
    moving = sum(one.done_bytes < one.total_bytes for wave in live.waves for one in wave.moving.values())
    if moving:
        return f"runner ● {moving} moving", ""
    if driven:
        return f"runner ● {plural(driven, 'run')}", ""
    return (f"runner ● {plural(engine.orders, 'order')}", "") if engine.orders else ("runner ○ idle", "")


def engine_trouble(live: Live, how: str = BY_COMMAND) -> str:
    """Return what a person should know of the engine now, and how one is started; empty for nothing."""
    if live.error:
        return f"{live.error}: {live.hint}" if live.hint else live.error
    engine = live.engine
    orders = plural(engine.orders, "order")
    match engine.state:
        case EngineState.DEAD:
            when = f" at {engine.died_at[11:19]} UTC" if engine.died_at else ""
            return f"the engine died{when}, {orders} open: {how}, nothing is lost"
        case EngineState.NONE:
            return f"no engine is at work, {orders} open: {how}"
        case EngineState.STOPPED if engine.orders:
            return f"the engine was stopped, {orders} open: {how}, which goes on"
    quiet = [wave for wave in live.waves if wave.quiet_s]
    if quiet and engine.state is EngineState.WORKING:
        names = ", ".join(visible(wave.name, 20) for wave in quiet[:3])
        return f"nobody said anything of the disks of {names} for {max(wave.quiet_s for wave in quiet)} s"
    return ""
