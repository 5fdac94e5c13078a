"""wherry disks map: where disks changed, from rounds over real disks of a lab."""

from __future__ import annotations

from migrate.spans import SPANS
from tests.tui.cli.command import Wherry, refused


def told_id(lab: Wherry) -> str:
    """Return the id of app-1."""
    found = lab.done("status", "W02", "--json").document["members"]
    return str(next(one["vm"] for one in found if one["name"] == "app-1"))


def test_rounds_of_a_wave_are_drawn_and_told(lab: Wherry) -> None:
    none = lab.done("disks", "map", "W02", "app-1")
    assert "nothing of it was copied yet" in none.out
    assert lab.live("replicate", "W02").code == 0
    assert lab.live("replicate", "W02").code == 0
    told = lab.done("disks", "map", "w02", "APP-1", "--json").document
    deltas = [one for disk in told for one in disk["passes"] if one["mode"] == "delta"]
    assert deltas
    for disk in told:
        for one in disk["passes"]:
            assert len(one["changed"]) == (SPANS if one["mode"] == "delta" else 0)
            assert len(one["moved"]) == (0 if one["mode"] == "delta" else SPANS)
            covered = sum(map(int, one["changed"] or one["moved"])) / 9 * disk["size_bytes"] / SPANS
            assert covered >= one["data_bytes"], "all that was sent is in the map"
            assert bool(one["areas"]) is bool(one["data_bytes"] or one["longest_bytes"])
    assert any(one["data_bytes"] and set(one["changed"]) > {"0"} for one in deltas), "guests write meanwhile"
    drawn = lab.done("disks", "map", "W02", "app-1")
    assert drawn.out == lab.done("disks", "map", "W02", told_id(lab)).out
    seed = next(one for one in drawn.out.splitlines() if "  seed " in one)
    assert set(seed[-40:]) & set("▁▂▃▄▅▆▇█"), "where lay what the first copy brought"
    assert "how often, of all known" in drawn.out


def test_what_is_not_there_is_refused(lab: Wherry) -> None:
    refused(lab("disks", "map", "W02", "nobody\x1b[2J"), 2, "no VM nobody")
    refused(lab("disks", "map", "W99", "app-1"), 2, "W99")
