"""Deviations that the record of steps tells: what failed, was tried again, passed over or done otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migrate.papers.deviations.found import Found, Strayed
from migrate.papers.moments import Moments, Told
from migrate.run.history import Event, Status
from planner.sending import spoken
from planner.units import show_bytes


def failed(told: Moments) -> Found:
    """Every attempt that failed."""
    for one, attempt in _attempts(told):
        if one.event in (Event.FAILED, Event.UNDO_FAILED):
            way = " on the way back" if one.event is Event.UNDO_FAILED else ""
            title = told.title(one)
            why = str(one.detail.get("message", "")).removeprefix(f"{title}: ")
            yield Strayed(one.at, one.step, f"{title} failed{way}, attempt {attempt}: {why}")


def tried_again(told: Moments) -> Found:
    """Every attempt but the first."""
    for one, attempt in _attempts(told):
        if attempt > 1 and one.event in (Event.INTENT, Event.UNDO_INTENT):
            way = "undone" if one.event is Event.UNDO_INTENT else "tried"
            yield Strayed(one.at, one.step, f"{told.title(one)} was {way} again, attempt {attempt}")


def _attempts(told: Moments) -> Iterator[tuple[Told, int]]:
    """Yield each entry with its attempt; those of the way back are counted by themselves."""
    undone: Counter[str] = Counter()
    for one in told.told:
        if one.event is Event.UNDO_INTENT:
            undone[one.step] += 1
        yield one, undone[one.step] or one.attempt


def interrupted(told: Moments) -> Found:
    """Attempts that ended in between and had done nothing: a pause, or an engine that died."""
    for one in told.of_events(Event.NOT_DONE):
        yield Strayed(one.at, one.step, f"{told.title(one)} was interrupted; it had not been done")


def asked_of_the_site(told: Moments) -> Found:
    """Outcomes that nobody had seen, so that the site was asked."""
    for one in told.of_events(Event.DONE):
        if one.detail.get("asked"):
            said = f"{told.title(one)}: its outcome was not seen; the site said that it had been done"
            yield Strayed(one.at, one.step, said)


def not_to_be_asked(told: Moments) -> Found:
    """Steps of which nobody could be asked whether they were done."""
    for one in told.of_events(Event.UNKNOWN):
        said = f"{told.title(one)}: whether it was done could not be asked: {one.detail.get('message', '')}"
        yield Strayed(one.at, one.step, said)


def held_up(told: Moments) -> Found:
    """Steps whose turn had come and that somebody else held up, a backup job for example."""
    for one in told.of_events(Event.HELD):
        yield Strayed(one.at, one.step, f"{told.title(one)} had to wait for {one.detail.get('why', '')}")


def given_up(told: Moments) -> Found:
    """Snapshots that went before all was read from them: for want of room, or others removed them."""
    for one in told.of_events(Event.GIVEN_UP):
        why = one.detail.get("why", "")
        yield Strayed(one.at, one.step, f"{told.title(one)} was given up and its round began anew: {why}")


def passed_over(told: Moments) -> Found:
    """Steps that a person passed over."""
    for one in told.of_events(Event.SKIPPED):
        if who := one.detail.get("who"):
            why = f" (it had failed: {one.detail['message']})" if one.detail.get("message") else ""
            said = f"{told.title(one)} was passed over by {who}: {one.detail.get('reason', '')}{why}"
            yield Strayed(one.at, one.step, said)


def optional_failed(told: Moments) -> Found:
    """Optional probes and hooks that failed and held nobody up."""
    for one in told.of_events(Event.SKIPPED, Event.DONE, Event.UNDONE):
        why = one.detail.get("passed_over")
        if one.event is Event.SKIPPED and not one.detail.get("who"):
            why = one.detail.get("message", "")
        if why is not None:
            yield Strayed(one.at, one.step, f"{told.title(one)} is optional and failed: {why}")


def forced(told: Moments) -> Found:
    """VMs that did not shut down in time."""
    for one in told.of_events(Event.DONE):
        if one.detail.get("graceful") is False:
            said = f"{told.title(one)}: it did not shut down in time and was forced off"
            yield Strayed(one.at, one.step, said)


def by_hand(told: Moments) -> Found:
    """VMs that somebody else started or stopped."""
    for one in told.of_events(Event.DONE, Event.UNDONE):
        step = told.step(one)
        if step is None or step.kind != "stop":
            continue
        if one.detail.get("ran") is False and step.params.get("was_on"):
            yield Strayed(one.at, one.step, f"{step.title}: it was off already, somebody had stopped it")
        if one.detail.get("by_hand"):
            said = f"{step.title}: on the way back it ran already, somebody had started it"
            yield Strayed(one.at, one.step, said)
        if site := one.detail.get("elsewhere"):
            yield Strayed(one.at, one.step, f"{step.title}: it was left off, it runs at site {site}")


def compared(told: Moments) -> Found:
    """Deltas that became comparisons, because nobody could tell what had changed."""
    for one in told.of_events(Event.DONE):
        step = told.step(one)
        if step is None or step.kind != "transfer" or one.detail.get("mode") != "compare":
            continue
        if step.params.get("mode") == "delta":
            why = one.detail.get("why") or "what had changed at its source was not known"
            yield Strayed(one.at, one.step, f"{step.title} became a comparison of all of it: {why}")


def resumed(told: Moments) -> Found:
    """Passes that went on where an earlier attempt was cut off."""
    for one in told.of_events(Event.DONE):
        step = told.step(one)
        if step is not None and step.kind == "transfer" and (there := one.detail.get("resumed_bytes")):
            said = f"{step.title} was cut off and resumed: {show_bytes(there)} were there already"
            yield Strayed(one.at, one.step, said)


def not_brought_in(told: Moments) -> Found:
    """Seeds that were at hand and could not be used."""
    for one in told.of_events(Event.DONE):
        step = told.step(one)
        if step is not None and step.kind == "place-seed" and (why := one.detail.get("kept")):
            yield Strayed(one.at, one.step, f"{step.title}: it was not brought in, {why}")


def differed(told: Moments) -> Found:
    """Comparisons that found a difference and were equal in the end: somebody repaired it in between."""
    for one in told.of_events(Event.FAILED):
        step = told.step(one)
        if step is None or step.kind not in ("verify", "checkpoint"):
            continue
        if told.history.status[step.id] in (Status.DONE, Status.UNDONE):
            said = f"{step.title}: attempt {one.attempt} failed, and a later one found both sides equal"
            yield Strayed(one.at, one.step, said)


def written_late(told: Moments) -> Found:
    """Sources that were written after their last copy."""
    for one in told.of_events(Event.DONE):
        if one.detail.get("written_late"):
            said = f"{told.title(one)}: it was written after its last copy; that is at the old site only"
            yield Strayed(one.at, one.step, said)


def recovered(told: Moments) -> Found:
    """What is known only from the marks at the sites."""
    if told.run.who == "recovery":
        yield Strayed(told.run.at, "", "the run was lost with its host and made anew from marks at the sites")
    for one in told.of_events(Event.DONE, Event.APPROVED):
        if one.detail.get("recovered"):
            said = f"{told.title(one)} was recovered: that it happened is proven, its evidence is lost"
            yield Strayed(one.at, one.step, said)


def left_out(told: Moments) -> Found:
    """Disks that do not travel whole, by a person's decision."""
    for disk in told.wave.disks:
        if decision := disk.decision:
            holder = disk.attachments[0]
            said = f"{told.vm_name(holder.vm)} {holder.label}: {spoken(decision)} (sent {disk.send.value})"
            yield Strayed("", "", said)
