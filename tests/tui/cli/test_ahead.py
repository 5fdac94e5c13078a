"""A physical RDM on a lab: copied while its VM writes to it, and compared, not copied, in the downtime."""

from __future__ import annotations

from tests.tui.cli.command import Wherry
from tests.tui.cli.landed import results

AHEAD, FINAL = "g0/d1/ahead", "g0/d1/final"


def test_what_came_ahead_is_out_of_the_downtime_and_what_changed_is_found(lab: Wherry) -> None:
    assert lab.live("replicate", "W02").code == 0
    before = results(lab)
    assert before[AHEAD]["mode"] == "seed"
    assert FINAL not in before
    assert lab.live("replicate", "W02").code == 0
    assert results(lab)["g0/d1/ahead/2"]["mode"] == "compare", "a round that is asked for brings it once more"
    assert lab.live("cutover", "W02").code == 0
    done = results(lab)
    assert done[FINAL]["mode"] == "compare"
    assert 0 <= done[FINAL]["data_bytes"] < before[AHEAD]["data_bytes"] // 2
    assert done["g0/d1/verify"]["source"] == done["g0/d1/verify"]["target"]
