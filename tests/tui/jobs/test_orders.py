"""Every order is a command line that the real verbs take: a renamed option breaks a test here."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest

from planner.errors import BadInput
from tui.cli.main import cli
from tui.jobs import orders
from tui.jobs.orders import Kind, Order

ROOT = Path("/some/where")


def parsed(order: Order) -> tuple[str, dict[str, Any]]:
    """Return the command and its parameters as click reads the command line; runs nothing."""
    context: click.Context = cli.make_context("wherry", list(order.argv(ROOT)), resilient_parsing=False)
    command: click.Command = cli
    while isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)
    assert context.args == []
    return context.command_path, context.params


HOSTILE = "--target"  # a name may look like an option, and is none

CASES: list[tuple[Order, str, dict[str, Any]]] = [
    (
        orders.import_file([HOSTILE, "b.xlsx"], is_target=True, add=True, cap="64M"),
        "wherry discover",
        {"sources": (HOSTILE, "b.xlsx"), "is_target": True, "add": True, "cap": "64M", "as_json": True},
    ),
    (
        orders.import_vcenter("vcenter://vc1", "DOM\\reader@x", trust="AB:CD", ca_file="ca.pem", check=True),
        "wherry discover",
        {"sources": ("vcenter://DOM%5Creader@x@vc1",), "trust": "AB:CD", "check": True, "is_target": False},
    ),
    (
        orders.import_flows([HOSTILE, "apps.xlsx"], "plain"),
        "wherry flows import",
        {"files": (Path(HOSTILE), Path("apps.xlsx")), "kind": "plain", "as_json": True},
    ),
    (
        orders.checkpoint("W01/db", HOSTILE, pin=True),
        "wherry checkpoint",
        {"group": "W01/db", "name": HOSTILE, "pin": True, "wait": True, "as_json": True},
    ),
    (orders.verify(HOSTILE), "wherry verify", {"as_json": True}),
    (orders.rehearse_dry(HOSTILE), "wherry rehearse", {"wave": HOSTILE, "depth": "dry", "live": False}),
    (
        orders.boot(HOSTILE, {f"{HOSTILE}/-x": "7", "W01/b=c": "latest"}, newest=True),
        "wherry rehearse",
        {
            "wave": HOSTILE,
            "depth": "boot",
            "live": True,
            "confirm": HOSTILE,
            "checkpoints": (f"{HOSTILE}/-x=7", "W01/b=c=latest", "latest"),
        },
    ),
    (
        orders.serve_image("W01/-x", 57),
        "wherry image",
        {"group": "W01/-x", "checkpoint": "57", "serve": True, "to": None, "as_json": True},
    ),
    (
        orders.write_image("W01/-x", 57, "--out", "vmdk"),
        "wherry image",
        {"serve": False, "to": Path("--out"), "form": "vmdk", "as_json": True},
    ),
    (orders.plan("thorough", 7), "wherry plan", {"effort": "thorough", "seed": 7, "as_json": False}),
    (
        orders.what_if(
            link="400Mbit/s",
            drop_hosts=["-x", "esx-07"],
            freezes=[(date(2026, 12, 18), date(2027, 1, 4))],
            exclude_apps=["--keep"],
            caps_vms=12,
            caps_tib=1.5,
            exit_date=date(2027, 3, 31),
            effort="quick",
        ),
        "wherry plan what-if",
        {
            "link": "400Mbit/s",
            "hosts": ("-x", "esx-07"),
            "freezes": (("2026-12-18", "2027-01-04"),),
            "apps": ("--keep",),
            "caps_vms": 12,
            "caps_tib": 1.5,
            "effort": "quick",
            "keep": False,
            "as_json": True,
        },
    ),
    (orders.what_if(caps_vms=3, keep=True), "wherry plan what-if", {"caps_vms": 3, "keep": True}),
    (
        orders.export(["xlsx", "html"], out="-papers"),
        "wherry export",
        {"formats": ("xlsx", "html"), "target": Path("-papers"), "as_json": True},
    ),
    (orders.export(), "wherry export", {"formats": (), "target": None}),
    (
        orders.rehearse("-W01", 500, "power_on", 3),
        "wherry rehearse",
        {"wave": "-W01", "runs": 500, "fault": "power_on", "seed": 3, "as_json": True},
    ),
    (orders.assess(), "wherry assess", {"vm_name": None, "as_json": True}),
    (orders.assess("--top"), "wherry assess", {"vm_name": "--top"}),
]


@pytest.mark.parametrize(("order", "path", "wanted"), CASES, ids=[case[0].title for case in CASES])
def test_an_order_is_a_command_line_of_the_real_verb(order: Order, path: str, wanted: dict[str, Any]) -> None:
    command, given = parsed(order)
    assert command == path
    assert {name: given[name] for name in wanted} == wanted
    assert given["project_dir"] == ROOT


def test_every_kind_can_be_ordered() -> None:
    assert {order.kind for order, _, _ in CASES} == set(Kind)


def test_a_secret_is_in_no_argument_and_in_no_text() -> None:
    order = orders.import_vcenter("vcenter://vc1", "reader", password="hunter2 secret")
    assert order.secret == "hunter2 secret"
    assert "hunter2" not in repr(order)
    assert not any("hunter2" in word for word in order.argv(ROOT))


@pytest.mark.parametrize(
    "url", ["vcenter://reader:hunter2@vc1", "vcenter://vc1", "https://vc1", "vcenter://a@x\x1b[2J"]
)
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        orders.import_vcenter(url)
    assert "hunter2" not in f"{refused.value.message} {refused.value.hint}"


def test_titles_are_harmless_and_short() -> None:
    nasty = "x\x1b[2J\u202e" * 30
    for order in (
        orders.import_file([nasty, "b"]),
        orders.import_flows([nasty]),
        orders.rehearse(nasty),
        orders.assess(nasty),
        orders.export([nasty]),
    ):
        assert order.title.isprintable()
        assert len(order.title) < 90


def test_several_files_are_counted() -> None:
    assert orders.import_file(["/a/b.xlsx", "c", "d"]).title == "import b.xlsx and 2 more"
