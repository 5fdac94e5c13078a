"""The result of a step in a few words: for narration, reports and screens."""

from __future__ import annotations

from typing import Any

from planner.names import visible
from planner.units import show_bytes, show_count, show_duration


def evidence(kind: str, result: dict[str, Any]) -> str:
    """Return what a finished step of a kind says for itself, empty when there is nothing to say."""
    if result.get("recovered"):
        return "recovered: that it happened is proven, its evidence is lost"
    match kind:
        case "check":
            room = f"room for {show_bytes(result['wanted_bytes'])} in {show_bytes(result['free_bytes'])}"
            return room + _larger(result.get("larger", {}))
        case "create-disk":
            return _created(result)
        case "journal" if result.get("base"):
            return f"what its disks held is checkpoint {result['base']!r}"
        case "place-seed":
            return _placed(result)
        case "snapshot":
            disks = show_count(len(result["changes"]), "disk")
            return f"{result['label']}-consistent, {disks} at one instant{_without(result)}"
        case "transfer":
            return _transfer(result)
        case "checkpoint":
            proven = show_count(len(result["digests"]), "replica")
            return f"{proven} proven equal to the snapshot, {result['consistency']}-consistent"
        case "verify":
            equal = f"equal, blake3 {result['source'][:16]}… over {show_bytes(result['size_bytes'])}"
            return f"{equal}; {result['table']}" if result.get("table") else equal
        case "quiesce":
            return f"{result['consistency']}-consistent"
        case "stop":
            return "forced" if result.get("graceful") is False else "shut down"
        case "build":
            return f"{show_count(result['disks'], 'disk')} attached"
        case "probe":
            asked = f"{result['question']}: " if "question" in result else ""
            return f"{asked}{visible(result['detail'])}"
        case "landed":
            return f"{show_count(result['vms'], 'VM')} seen running and well"
        case "fence":
            late = (
                ", was written after its last delta: that is here only" if result.get("written_late") else ""
            )
            keep = f", kept until {result['keep_until']}" if result.get("keep_until") else ""
            return f"renamed to {visible(result['name'])}, NICs disconnected{_aside(result)}{keep}{late}"
        case "unfence":
            return f"is {visible(result['name'])} again, NICs connected{_aside(result)}"
        case "look":
            return "runs" if result["ran"] else "is off"
        case "enable-cbt":
            return _changed(result, "on" if result["tracking"] else "on from its next start")
        case "consolidate":
            return _changed(result, "merged")
        case "upgrade-hardware":
            return _changed(result, "from {before[version]} to {after[version]}".format(**result))
        case "disk-mode":
            return _changed(result, f"{show_count(_differing(result), 'disk')} made persistent")
        case "disconnect-media":
            return _changed(result, f"{show_count(_differing(result), 'drive')} disconnected")
        case "halt":
            return "shut down" if result["ran"] else "was off"
        case "resume":
            return visible(result["health"]) if result["started"] else "left as it is"
        case "readdress":
            given = [address for nic in result["nics"] for address in nic["addresses"]]
            return f"starts with {visible(', '.join(given), 200)}"
        case "rules":
            return _rules(result)
        case "hook":
            return _program(result)
        case "gate":
            return f"{visible(result.get('who', ''))} said yes"
        case "human":
            return f"{visible(result.get('who', ''))} said that it is done"
        case "note":
            return visible("; ".join(result["says"]))
    return ""


def _without(result: dict[str, Any]) -> str:
    """Return how many VMs of its group a snapshot is not of."""
    left = result.get("without", 0)
    return f", without {show_count(left, 'VM')} of which none can be taken" if left else ""


def _created(result: dict[str, Any]) -> str:
    said = "created" if result.get("created") else "was there already"
    left = {"never": "left out by decision: nothing is sent", "once": "by decision sent once, with the seed"}
    return f"{said}, {left[result['left_out']]}" if result.get("left_out") else said


def _placed(result: dict[str, Any]) -> str:
    if result.get("kept"):
        return f"not brought in, {visible(result['kept'])}: it is compared as it is"
    if result["cloned"]:
        return f"{show_bytes(result['data_bytes'])} shared with the image"
    there = result["resumed_bytes"]
    return f"{show_bytes(result['copied_bytes'])} copied" + (
        f", up to {show_bytes(there)} was there already" if there else ""
    )


def _program(result: dict[str, Any]) -> str:
    if result.get("kept"):
        return "kept for the way back"
    if result.get("modelled"):
        return "modelled, nothing was run"
    if result.get("said"):
        return "a person said that it is done"
    if "passed_over" in result:
        return f"passed over: {visible(result['passed_over'])}"
    last = str(result.get("output", "")).strip().rpartition("\n")[2].strip()
    return f"ended with code {result['code']} in {show_duration(result['seconds'])}" + (
        f": {visible(last, 120)}" if last else ""
    )


def _changed(result: dict[str, Any], said: str) -> str:
    return said if result["changed"] else "was so already"


def _differing(result: dict[str, Any]) -> int:
    return sum(result["before"].get(key) != value for key, value in result["after"].items())


def _larger(looked: dict[str, str]) -> str:
    """Return of how many disks only the beginning comes home, and how the first of them looked past it."""
    if not looked:
        return ""
    disks, how = show_count(len(looked), "disk"), visible(next(iter(looked.values())), 200)
    return f"; {disks} larger than where it goes, of which the beginning comes home: {how}"


def _transfer(result: dict[str, Any]) -> str:
    seconds = max(float(result["seconds"]), 0.001)
    parts = [
        f"{show_bytes(result['data_bytes'])} sent as {show_bytes(result['wire_bytes'])}"
        f" in {show_duration(seconds)}{', by comparison' if result['mode'] == 'compare' else ''}"
    ]
    if result.get("resumed_bytes"):
        parts.append(f"{show_bytes(result['resumed_bytes'])} were there already")
    if "spared_bytes" in result:
        parts.append(
            f"{show_bytes(result['spared_bytes'])} of a seed of {show_bytes(result['seeded_bytes'])} spared"
        )
    if result.get("why"):
        parts.append(visible(str(result["why"])))
    return ", ".join(parts)


def _aside(result: dict[str, Any]) -> str:
    """Return in which folder a VM is now, where that is not the one it was in, or has to be told."""
    if result.get("stays"):
        return f", left in its folder: {visible(result['stays'], 80)}"
    return f", moved to folder {visible(result['folder'], 80)}" if result.get("folder") else ""


def _rules(result: dict[str, Any]) -> str:
    built = [f"built {show_count(len(result['built']), 'rule')}"] if result["built"] else []
    left = [f"{visible(name, 60)} is not built: {visible(why, 200)}" for name, why in result["left"]]
    return "; ".join((*built, *left))


def undo_evidence(kind: str, result: dict[str, Any]) -> str:
    """Return what an undone step says for itself."""
    match kind:
        case "start":
            return "stopped at the target" if result.get("stopped") else "was not running"
        case "mark":
            kept = result.get("bytes", 0)
            return (
                f"{show_bytes(kept)} that the target wrote are kept as a checkpoint"
                if "path" in result
                else ""
            )
        case "build":
            return "unregistered at the target" if result.get("deleted") else ""
        case "unfence":
            return "fenced again" if result.get("fenced") else ""
        case "hook":
            return _program(result) if result else ""
        case "stop":
            if result.get("elsewhere"):
                return f"left off: it runs at site {visible(result['elsewhere'])}, another run moved it"
            if result.get("by_hand"):
                return "ran at the source already: somebody had started it by hand"
            return f"runs at the source again: {visible(result['health'])}" if result.get("started") else ""
        case "create-disk":
            return "replica deleted" if result.get("deleted") else "left, it was there before"
        case "resume":
            return "shut down for the way back" if result["stopped"] else ""
        case "halt":
            return f"runs again: {visible(result['health'])}" if result["started"] else ""
        case "enable-cbt" | "upgrade-hardware" | "disk-mode" | "disconnect-media":
            why = f"not all of it: {visible(result['why'])}" if result.get("why") else ""
            return why or ("as it was before" if result["restored"] else "nothing to take back")
    return ""
