from planner.effects import Effect
from tui.actions import ACTIONS, PLACES, READY, Action, actions_at, bindings_at, common_bindings, why_not
from tui.cli.main import VERBS
from tui.session import View


def test_ids_are_unique_and_keys_are_unique_in_a_place() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for place in PLACES:
        keys = [action.key for action in actions_at(place.id)]
        assert len(set(keys)) == len(keys)


def test_every_action_of_a_ready_place_is_bound_once() -> None:
    common = {binding.key for binding in common_bindings()}
    for place in READY:
        own = {binding.key for binding in bindings_at(place.id)}
        assert not own & common
        assert {action.key for action in actions_at(place.id)} == own | common


def test_read_only_leaves_only_views() -> None:
    assert all(action.effect is Effect.VIEW for action in actions_at("waves", read_only=True))


def test_an_action_that_cannot_be_used_says_why() -> None:
    wanting = Action("x", "x", "x", "x", "x", needs="plan")
    assert why_not(wanting, View()) == "there is no plan yet: run 'wherry plan'"
    filtering = next(action for action in ACTIONS if action.id == "filter")
    assert "wherry discover" in why_not(filtering, View())
    assert why_not(filtering, View(inventory_id=1)) == ""


def test_places_that_are_not_there_say_what_to_use() -> None:
    assert [place.id for place in READY] == ["overview", "inventory", "waves"]
    assert all("wherry" in place.later or "4 Waves" in place.later for place in PLACES if place.later)


def test_every_command_line_twin_is_a_verb() -> None:
    verbs = {verb for group in VERBS.values() for verb in group}
    assert {action.twin for action in ACTIONS if action.twin} <= verbs
