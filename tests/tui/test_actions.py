import click
import pytest

from planner.effects import Effect
from tui.actions.action import Action, Place, shown_key
from tui.actions.keymap import MOVING, bindings_at
from tui.actions.places import ABOVE, PAGES, PLACES, place_named
from tui.actions.table import ACTIONS, action_named, actions_at, why_not
from tui.cli.main import cli
from tui.modes import MODES
from tui.screens.table_place import TablePlace
from tui.session import View


def keys_of(action: Action) -> list[str]:
    return [key.strip() for key in action.key.split(",")]


def test_ids_are_unique_and_keys_are_unique_in_a_place() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for place in PLACES:
        keys = [key for action in actions_at(place.id) for key in keys_of(action)]
        assert len(set(keys)) == len(keys), place.id
        assert not set(keys) & MOVING, place.id  # a table would take it first


def test_every_binding_asks_act_for_its_action() -> None:
    for place in PLACES:
        bound = {(key, f"act('{action.id}')") for action in actions_at(place.id) for key in keys_of(action)}
        made = bindings_at(place.id)
        asked = {(key, item.action) for item in made for key in item.key.split(",")}  # type: ignore[union-attr]
        assert asked == bound
        assert not any(item.priority for item in made)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "place", [place for place in PLACES if place.id in MODES], ids=lambda place: place.id
)
def test_a_screen_can_do_what_its_place_offers(place: Place) -> None:
    from tui.app import WherryApp

    screen = type(MODES[place.id]())
    for action in actions_at(place.id):
        on_app, _, name = action.do.rpartition(".")
        owner = WherryApp if on_app == "app" else screen
        assert hasattr(owner, f"action_{name.split('(')[0]}"), action.id
    assert {b.id for b in screen.BINDINGS} == {action.id for action in actions_at(place.id)}  # type: ignore[union-attr]


def test_actions_of_every_table_are_those_of_a_table_place() -> None:
    for action in ACTIONS:
        if action.id.split(".")[0] in ("filter", "mark", "sort", "reverse", "columns", "copy", "write"):
            assert hasattr(TablePlace, f"action_{action.do}"), action.id


def test_places_of_actions_are_places_and_titles_fit_the_help() -> None:
    known = {place.id for place in (*PLACES, *PAGES)}
    for action in ACTIONS:
        assert set(action.places) <= known, action.id
        assert 0 < len(action.title) <= 39, action.id
        assert len(action.foot) <= 12, action.id


def test_read_only_leaves_only_views() -> None:
    for place in PLACES:
        some, all_ = actions_at(place.id, read_only=True), actions_at(place.id)
        assert all(action.effect is Effect.VIEW for action in some)
        assert {a.id for a in all_ if a.effect is Effect.VIEW} == {a.id for a in some}
        assert len(some) < len(all_)


def test_an_action_that_cannot_be_used_says_what_to_do() -> None:
    plan, everything = Action("x", "x", "x", "x", needs=("plan",)), Action("y", "y", "y", "y")
    empty = View(complete=True)
    assert why_not(plan, empty) == "there is no plan yet: press p in 4 Waves, or run 'wherry plan'"
    planning = action_named("settings.plan")
    assert "press i, or run 'wherry discover FILE'" in why_not(planning, empty)
    assert why_not(planning, View(inventory_id=1)) == ""
    assert why_not(everything, View()) == ""
    assert "run 'wherry ui'" in why_not(planning, View(inventory_id=1), read_only=True)
    for action in ACTIONS:
        for why in filter(None, (why_not(action, empty), why_not(action, empty, read_only=True))):
            assert "wherry " in why, action.id  # what to do, in words that can be typed
            assert not why.endswith("."), action.id


def test_while_the_project_is_read_nothing_is_said_to_be_missing() -> None:
    planning = action_named("settings.plan")
    assert why_not(planning, View()) == "the project is still being read"
    assert why_not(planning, View(error="project.db is locked")) == "project.db is locked"
    assert why_not(planning, View(inventory_id=1)) == ""
    assert why_not(action_named("filter"), View()) == ""  # what follows goes into it, not to other keys


def test_every_need_is_one_that_is_known() -> None:
    for action in ACTIONS:
        if action.needs:
            assert why_not(action, View()), f"{action.id}: nobody asks for {action.needs}"


def test_places_have_each_a_key() -> None:
    assert sorted(place.key for place in PLACES) == list("0123456789")
    for place in PLACES:
        assert place_named(place.id) is place
    assert set(MODES) <= {place.id for place in PLACES}


def test_pages_lie_above_places_whose_key_they_have_and_keys_are_unique_there() -> None:
    for page in PAGES:
        assert place_named(page.id) is page
        assert place_named(ABOVE[page.id]).key == page.key
        keys = [key for action in actions_at(page.id) for key in keys_of(action)]
        assert len(set(keys)) == len(keys), page.id
        assert not set(keys) & MOVING, page.id


def test_the_page_of_a_group_can_do_what_it_offers() -> None:
    from tui.app import WherryApp
    from tui.screens.group import GroupScreen

    for action in actions_at("group"):
        on_app, _, name = action.do.rpartition(".")
        owner = WherryApp if on_app == "app" else GroupScreen
        assert hasattr(owner, f"action_{name.split('(')[0]}"), action.id


def command_of(words: str) -> click.Command:
    """Return the command that these words name; fails when there is none."""
    command: click.Command = cli
    for word in words.split():
        assert isinstance(command, click.Group), f"wherry {words}: {word} stands after a command without any"
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"wherry {words}: there is no {word}"
        command = found
    return command


@pytest.mark.parametrize("words", sorted({item.twin for item in (*ACTIONS, *PLACES) if item.twin}))
def test_every_command_line_twin_is_a_command(words: str) -> None:
    assert command_of(words).callback is not None


def test_what_changes_a_project_has_a_command_that_does_the_same() -> None:
    for action in ACTIONS:
        assert action.effect is Effect.VIEW or action.twin, action.id


def test_no_command_is_found_for_words_that_name_none() -> None:
    for words in ("fly", "plan fly", "status fly"):
        with pytest.raises(AssertionError):
            command_of(words)


@pytest.mark.parametrize(
    ("key", "words"),
    [("ctrl+s", "^s"), ("slash", "/"), ("left_square_bracket,shift+left", "["), ("question_mark", "?"),
     ("number_sign", "#"), ("escape", "esc"), ("f5", "f5"), ("shift+tab", "shift+tab"), ("X", "X")],
)  # fmt: skip
def test_keys_are_shown_as_people_read_them(key: str, words: str) -> None:
    assert shown_key(key) == words
