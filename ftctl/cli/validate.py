"""`ftctl validate`: manifests and data in, every problem at once out; the service is not asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from ftctl import __version__
from ftctl.cli.exit_codes import DONE, FAILED
from ftctl.cli.listening import context_of
from ftctl.cli.options import base_option
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.session import Session, check_project
from ftctl.errors import Diagnostic, problems_text
from ftctl.project.load import PROJECT_FILE
from ftctl.reports.problems import problems_github, problems_json
from ftctl.text.format import plural


@click.command("validate")
@shared_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github", "sarif", "junit"]),
    default="text",
    help="How to print the problems; github: annotations of a pull request.",
)  # fmt: skip
@base_option
@click.pass_context
def validate_command(context: click.Context, form: str) -> int:
    """Check manifests and data, without asking the service.

    Every problem of every file is told at once, with its place and a cure. Sources that are
    addresses are fetched, unless they are pinned and kept already.
    """
    settings = settings_of(context)
    validation = check_project(context_of(settings))
    session, problems = validation.session, validation.problems
    errors = sum(1 for problem in problems if problem.severity == "error")
    console = settings.console
    if form == "json":
        console.result(problems_json(problems))
    elif form == "sarif":
        from ftctl.reports.sarif import problems_sarif

        console.result(problems_sarif(_from_here(problems, settings.folder), __version__))
    elif form == "github" and problems:
        console.commands(problems_github(_from_here(problems, settings.folder)))
    elif form == "junit":
        from ftctl.reports.junit import problems_junit

        console.result(problems_junit(problems, _files(session)))
    elif problems:
        console.result(problems_text(problems, settings.directory))
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


def _files(session: Session | None) -> tuple[str, ...]:
    """Every file that was looked at, where the project could be resolved."""
    if session is None:
        return ()
    documents = (*session.project.datasets, *session.project.finetunes)
    manifests = (one.place().path for one in documents)
    return tuple(dict.fromkeys((PROJECT_FILE, *manifests)))


def _from_here(problems: Iterable[Diagnostic], folder: Path) -> tuple[Diagnostic, ...]:
    """The problems with paths that count from where ftctl was started, as a forge reads them."""
    if folder.is_absolute():
        return tuple(problems)
    return tuple(
        replace(one, span=replace(one.span, path=(folder / one.span.path).as_posix()))
        for one in problems
    )
