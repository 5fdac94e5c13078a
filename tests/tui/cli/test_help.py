"""Every verb explains itself, and what is mistyped is refused with the nearest right word."""

from __future__ import annotations

import json

import click
import pytest

from tests.tui.cli.command import refused, wherry
from tui.cli.main import VERBS, cli

# A showing, applications, an editor, a worker that only logs, a document of another program's kind.
_NO_DOCUMENT = {("demo",), ("ui",), ("serve",), ("settings", "edit"), ("mover",), ("metrics",)}

_DO_SOMETHING_ALONE = {
    ("plan",),
    ("inventory",),
    ("deps",),
    ("filters",),
    ("remap",),
}  # groups that work without a word of theirs


def commands() -> list[tuple[str, ...]]:
    """Return every verb, and every word a verb has under it."""
    found: list[tuple[str, ...]] = []
    for verb in (name for verbs in VERBS.values() for name in verbs):
        command = cli.get_command(click.Context(cli), verb)
        found.append((verb,))
        if isinstance(command, click.Group):
            found += [(verb, word) for word in command.commands]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_help_shows_an_example(command: tuple[str, ...]) -> None:
    ran = wherry(*command, "--help")
    assert ran.code == 0
    example = ran.out.partition("Example")[2]
    assert f"wherry {' '.join(command)}" in " ".join(example.split()), ran.out


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_json_is_offered(command: tuple[str, ...]) -> None:
    out = wherry(*command, "--help").out
    group = "Commands:" in out and command not in _DO_SOMETHING_ALONE
    assert ("--json" in out) is not (group or command in _NO_DOCUMENT)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_unknown_option_is_usage(command: tuple[str, ...]) -> None:
    refused(wherry(*command, "--projct", "x"), 2, "--projct")


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_no_word_of_a_list_is_cut_off(command: tuple[str, ...]) -> None:
    listed = wherry(*command, "--help").out.partition("Commands:")[2].partition("Example")[0]
    assert "..." not in listed


def test_every_verb_is_listed_under_a_heading() -> None:
    out = wherry("--help").out
    for title, verbs in VERBS.items():
        assert f"{title}:" in out
        for verb, said in verbs.items():
            assert f"  {verb} " in out
            assert said.summary in out


def test_mistyped_verb_gets_the_nearest_one() -> None:
    refused(wherry("replicat", "W01"), 2, "there is no verb 'replicat'", "did you mean 'replicate'")


def test_verb_like_no_other_gets_the_list() -> None:
    refused(wherry("xyzzy"), 2, "there is no verb 'xyzzy'", "wherry --help")


def test_mistyped_option_gets_the_nearest_one() -> None:
    refused(wherry("status", "--jsn"), 2, "--jsn", "did you mean '--json'")


def test_mistyped_word_under_a_verb_gets_the_nearest_one() -> None:
    refused(wherry("plan", "shw"), 2, "shw", "did you mean 'show'")


def test_missing_argument_names_the_help() -> None:
    refused(wherry("replicate"), 2, "WAVE", "wherry replicate --help")


def test_usage_error_is_a_document_when_asked_for() -> None:
    ran = wherry("replicate", "--json")
    assert ran.code == 2
    assert json.loads(ran.out)["exit_code"] == 2
    assert ran.err == ""


def test_version() -> None:
    ran = wherry("--version")
    assert ran.code == 0
    assert ran.out.startswith("wherry")
