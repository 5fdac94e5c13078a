"""Disks drawn by where they changed."""

from __future__ import annotations

from dataclasses import replace

from migrate.disk_maps import Away, DiskMap, DiskPass
from planner.units import GIB, MIB
from tui.drawings.spans import LABEL, ROUNDS, cells, drawn, runs_words


def passes(*changed: str) -> DiskMap:
    """Return a disk that was copied and then brought up to date so often."""
    deltas = (DiskPass(f"g0/d0/delta/{n}", "delta", MIB, MIB, line) for n, line in enumerate(changed, 1))
    return DiskMap("v", "Hard disk 1", GIB, (DiskPass("g0/d0/seed", "seed", GIB, GIB, ""), *deltas))


def test_each_pass_is_a_line_and_the_last_says_how_often_a_span_changed() -> None:
    line = "0" * 48 + "9" * 24 + "1" * 24
    found = list(drawn(passes(line, "0" * 72 + "9" * 24), LABEL + 96))
    assert found[0] == "   1  seed       1.0 GiB  all that is allocated"
    assert found[1] == "   2  delta      1.0 MiB  " + cells(line, 96)
    assert set(found[1][LABEL : LABEL + 48]) == {cells("0", 1)}
    assert found[3].startswith("how often, of all known")
    assert found[3][LABEL:] == cells("0" * 48 + "5" * 24 + "9" * 24, 96)


def test_it_is_as_wide_as_there_is_room_and_no_longer_than_the_newest_rounds() -> None:
    found = list(drawn(passes(*["9" * 96] * 30), 60))
    assert found[0] == f"{31 - ROUNDS} older passes are not drawn"
    assert len(found) == ROUNDS + 2
    assert {len(one) for one in found[1:]} == {60}
    assert found[1].startswith(f"{31 - ROUNDS + 1:>4}  delta")


def test_rounds_that_were_put_away_are_told_where_they_lie() -> None:
    away = Away(120, "2026-10-01T20:00:01.123Z", "\x1b[2J026-10-31T08:00", 3 * GIB, MIB, 2)
    found = list(drawn(replace(passes(*["9" * 96] * 2), away=away), 80))
    assert found[2] == "      120 rounds put away, 2026-10-01 20:00 to ␛[2J026-10-31 08 UTC:"
    assert found[3] == "      3.0 GiB of its group read; where is not kept"
    assert found[4].startswith("   3  delta")
    many = list(drawn(replace(passes(*["9" * 96] * 30), away=away), 80))
    assert "put away" in many[1], "also where older passes are not drawn"
    alone = list(drawn(replace(passes(), away=replace(away, rounds=1, before=1)), 80))
    assert alone[1].startswith("      1 round put away")


def test_what_is_not_known_is_said() -> None:
    assert list(drawn(DiskMap("v", "", GIB, ()), 80)) == ["nothing of it was copied yet"]
    compared = DiskMap("v", "", GIB, (DiskPass("s", "compare", 0, 0, ""),))
    assert list(drawn(compared, 80)) == ["   1  compare        0 B  compared: not told which parts"]


def test_what_a_first_copy_or_a_comparison_brought_is_drawn_with_what_is_not_known_of_it() -> None:
    line = "9" * 24 + "0" * 72
    seed = DiskPass("s", "seed", GIB, GIB, "", line, 3, MIB, 2 * MIB)
    compared = replace(seed, mode="compare", moved="0" * 95 + "1", areas=1, earlier_bytes=0)
    disk = DiskMap("v", "", GIB, (seed, compared))
    found = list(drawn(disk, LABEL + 96))
    assert found[0][LABEL:] == cells(line, 96)
    assert found[1] == "      2.0 MiB came in an earlier try: where is not kept"
    assert found[2][LABEL:] == cells("0" * 95 + "1", 96)
    assert disk.often == "0" * 95 + "9", "what the first copy brought did not change since"
    assert runs_words(seed) == "3 areas, the longest 1.0 MiB"
    assert runs_words(replace(seed, areas=0, earlier_bytes=0)) == "nothing"
    assert not runs_words(replace(seed, areas=0)), "an earlier try brought something, somewhere"
