"""`ftctl validate`: manifests and data, no network, every problem at once."""

from __future__ import annotations

import click

from ftctl.cli.exits import DONE, FAILED
from ftctl.cli.session import check_project
from ftctl.cli.settings import settings_of, shared_options
from ftctl.errors import problems_text
from ftctl.render.problems import problems_github, problems_json
from ftctl.render.words import plural


@click.command("validate")
@shared_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text",
    help="How to print the problems.",
)  # fmt: skip
@click.pass_context
def validate_command(context: click.Context, form: str) -> int:
    """Check manifests and data, without a network.

    Every problem of every file is told at once, with its place and a cure.
    """
    settings = settings_of(context)
    session, problems = check_project(settings)
    errors = sum(1 for problem in problems if problem.severity == "error")
    console = settings.console
    if form == "json":
        console.result(problems_json(problems))
    elif problems:
        console.result((problems_github if form == "github" else problems_text)(problems))
    if form == "text" and session is None:
        console.note(f"{plural(errors, 'problem')} found.")
    elif form == "text" and session is not None:
        finetunes = plural(len(session.desired.finetunes), "fine-tune")
        files = {
            dataset.sha256: dataset
            for one in session.desired.finetunes
            for dataset in (one.training, one.validation)
            if dataset is not None
        }
        rows = sum(dataset.examples for dataset in files.values())
        data = f"{plural(rows, 'row')} of data in {plural(len(files), 'file')}"
        console.result(f"Valid: {finetunes}, {data}.")
    return DONE if session is not None else FAILED
