"""wherry plan apply: many edits by hand at once, one a line, that lead to one plan."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say

_LONGEST = 1_000_000  # bytes of a list of edits


@click.command(
    "apply", epilog="Examples: wherry plan apply edits.txt; wherry plan apply --check - < edits.txt"
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Say what they would do, and change nothing.")
@project_option
@json_option
def apply_edits(file: Path, check: bool, project_dir: Path, as_json: bool) -> None:
    """Make all edits of FILE (- reads stdin), one a line in the words of the verbs, or none of them.

    Like: move crm W03; split billing db1,db2; merge a b; lock W02; unlock W02. Names with blanks stand in
    quotes, lines that begin with # are none.
    """
    from planner.units import show_count
    from planner.waves.rows import figures
    from tui.acts.drafting import draft_of, read_lines, take_all
    from tui.acts.editing import lay_out, save

    lines = read_lines(_text(file))
    with open_project(project_dir) as project:
        opened = lay_out(project)
        draft = draft_of(project, opened)
        take_all(draft, lines)
        saved = None if check else save(project, opened, draft.edits, draft.desk.ask.standing or {})
    edits = saved.edits if saved else draft.edits
    if as_json:
        data(
            {
                "applied": saved is not None,
                "edits": [{"edit": edit.number if saved else None, "act": edit.act.value, "did": edit.did}
                          for edit in edits],
                "told": list(dict.fromkeys(said for step in draft.steps for said in step.verdict.told)),
                "plan": saved.stored.version if saved else None,
                "approvals_void": list(saved.voided) if saved else [],
                "score": figures(draft.desk),
                "score_before": figures(draft.first),
            }
        )  # fmt: skip
        return
    for step in draft.steps:
        line("; ".join(edit.did for edit in step.edits))
        for said in step.verdict.told:
            line(f"  {said}")
    if saved is None:
        line(f"{show_count(len(edits), 'edit')} can be done")
        return
    line(f"{show_count(len(edits), 'edit')}, plan {saved.stored.version}")
    if saved.voided:
        line(f"  approved no longer, as they changed: {', '.join(saved.voided)}")
    say("every plan from now on keeps them; take them back with 'wherry plan undo'")


def _text(file: Path) -> str:
    """Return the list of edits; raises BadInput for what cannot be read."""
    from planner.errors import BadInput
    from planner.names import visible

    where = "stdin" if str(file) == "-" else visible(str(file))
    try:
        if where == "stdin":
            body = sys.stdin.buffer.read(_LONGEST + 1)
        else:
            with file.open("rb") as source:
                body = source.read(_LONGEST + 1)
        if len(body) > _LONGEST:
            raise BadInput(f"{where} holds more than {_LONGEST:,} bytes", "apply it in parts")
        return body.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(
            f"{where} cannot be read: {reason}", "name a text file with one edit a line"
        ) from error
