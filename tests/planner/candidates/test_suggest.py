"""Suggestions against the ground truth of synthetic estates, and what decides in small ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cache
from math import log

import pytest

from planner.candidates.accept import as_reading
from planner.candidates.suggest import Suggestion, suggestions
from planner.graph import shared_services
from planner.model import Inventory, Tie
from planner.settings import Settings
from planner.synth.estate import Estate, make_estate
from planner.synth.recipe import Recipe
from tests.planner.sketch import estate, needs, vm

Labels = Sequence[Hashable]


def _pairs(count: int) -> float:
    return count * (count - 1) / 2


def rand_index(a: Labels, b: Labels) -> float:
    """Return the adjusted Rand index of two partitions: 1 for the same, about 0 for chance."""
    both = sum(_pairs(count) for count in Counter(zip(a, b, strict=True)).values())
    left, right = (sum(_pairs(count) for count in Counter(one).values()) for one in (a, b))
    expected = left * right / _pairs(len(a))
    return (both - expected) / ((left + right) / 2 - expected)


def mutual_information(a: Labels, b: Labels) -> float:
    """Return the normalised mutual information of two partitions (arithmetic mean of entropies)."""
    left, right, count = Counter(a), Counter(b), len(a)
    shared = sum(
        n / count * log(n * count / (left[x] * right[y]))
        for (x, y), n in Counter(zip(a, b, strict=True)).items()
    )
    entropies = [-sum(n / count * log(n / count) for n in one.values()) for one in (left, right)]
    return 2 * shared / sum(entropies)


def test_the_scores_tell_same_from_shuffled() -> None:
    """Negative control: the measures below can fail."""
    same, other = [0] * 20 + [1] * 20 + [2] * 20, [0, 1, 2] * 20
    assert rand_index(same, same) == pytest.approx(1)
    assert mutual_information(same, same) == pytest.approx(1)
    assert rand_index(same, other) < 0.2
    assert mutual_information(same, other) < 0.5


@cache
def _made(seed: int) -> Estate:
    return make_estate(Recipe(vms=600, seed=seed))


def _unlabelled(made: Estate, *, names: bool = True, flows: bool = True) -> Inventory:
    """Return the estate with nothing that says an application but names, and flows that all look alike."""
    return replace(
        made.inventory,
        vms=tuple(
            replace(
                one,
                name=one.name if names else f"{at:06d}",
                application="", environment="", tier="", tags=(), attributes=(), vapp="",
            )
            for at, one in enumerate(made.inventory.vms)
        ),
        dependencies=tuple(
            replace(tie, tie=Tie.SOFT, reason="")
            for tie in made.inventory.dependencies
            if flows and tie.tie is not Tie.ORDER
        ),
    )  # fmt: skip


def _scores(made: Estate, inventory: Inventory) -> tuple[float, float]:
    hubs = frozenset(shared_services(inventory, Settings(shared_services=tuple(made.truth.hubs))))
    home = {member.vm: at for at, one in enumerate(suggestions(inventory, hubs)) for member in one.members}
    told = [(at, vm) for at, app in enumerate(made.truth.applications) for vm in app["vms"]]
    found: list[Hashable] = [home.get(vm, vm) for _, vm in told]
    true = [at for at, _ in told]
    return rand_index(true, found), mutual_information(true, found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_names_and_flows_find_the_applications(seed: int) -> None:
    made = _made(seed)
    ari, nmi = _scores(made, _unlabelled(made))
    assert ari >= 0.85
    assert nmi >= 0.95


@pytest.mark.parametrize("seed", [1, 2])
def test_flows_alone_find_most_of_them(seed: int) -> None:
    made = _made(seed)
    ari, nmi = _scores(made, _unlabelled(made, names=False))
    assert ari >= 0.7
    assert nmi >= 0.9


def test_each_source_adds_to_the_others() -> None:
    made = _made(1)
    both, _ = _scores(made, _unlabelled(made))
    assert both > _scores(made, _unlabelled(made, flows=False))[0]
    assert both > _scores(made, _unlabelled(made, names=False))[0]


def _named(found: tuple[Suggestion, ...], name: str) -> Suggestion:
    return next(one for one in found if one.name == name)


def test_a_tag_goes_before_a_name_and_a_known_application_is_joined() -> None:
    found = suggestions(
        estate(
            vm("zed-01", tags=(("Application", "Shop"),)),
            vm("zed-02", tags=(("Application", "Shop"),)),
            vm("crm-p-web-01", application="CRM One", environment="Production"),
            vm("crm-p-db-01"),
        )
    )
    shop, crm = _named(found, "Shop"), _named(found, "CRM One")
    assert {member.vm for member in shop.new} == {"id-zed-01", "id-zed-02"}
    assert [member.vm for member in crm.new] == ["id-crm-p-db-01"]
    assert crm.environment == "Production"
    assert shop.confidence > crm.confidence or any(member.known for member in crm.members)


def test_a_name_that_tells_nothing_joins_whom_it_talks_to_with_less_confidence() -> None:
    ties = tuple(needs("srv0001", f"crm-db-0{n}", Tie.SOFT, port=5432) for n in (1, 2))
    (crm,) = suggestions(estate(vm("crm-db-01"), vm("crm-db-02"), vm("srv0001"), ties=ties))
    sure = {member.vm: member.confidence for member in crm.members}
    assert set(sure) == {"id-crm-db-01", "id-crm-db-02", "id-srv0001"}
    assert "traffic" in next(member.reason for member in crm.members if member.vm == "id-srv0001")
    assert any("talk to another" in reason for reason in crm.reasons)


def test_what_is_known_is_not_suggested_and_hubs_belong_to_nobody() -> None:
    known = estate(vm("crm-01", application="CRM"), vm("crm-02", application="CRM"))
    assert suggestions(known) == ()
    pair = estate(vm("crm-01"), vm("crm-02"))
    assert suggestions(pair, frozenset({"id-crm-01", "id-crm-02"})) == ()


def test_an_accepted_suggestion_says_what_a_list_would() -> None:
    inventory = estate(vm("crm-p-01"), vm("crm-p-02"), vm("crm-p-02", id="other"))
    (crm,) = suggestions(inventory)
    reading = as_reading(crm, inventory, "CRM")
    labels = [reading.tally.endpoints[fact.subject].label for fact in reading.facts]
    # A name that two VMs have would be ambiguous: those go by their ids.
    assert set(labels) == {"crm-p-01", "id-crm-p-02", "other"}
    assert {(fact.field, fact.value) for fact in reading.facts} == {
        ("application", "CRM"),
        ("environment", "Production"),
    }
