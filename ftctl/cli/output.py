"""`ftctl output [NAME]`: the model names that applications use."""

from __future__ import annotations

import click

from ftctl.cli.exit_codes import DONE, FAILED
from ftctl.cli.listening import context_of, open_session
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.engine.promotion import check_alias
from ftctl.engine.selecting import is_pattern
from ftctl.engine.serving import ServingModel, recorded_models, serving_models
from ftctl.errors import FtctlError
from ftctl.lockfile import DEFAULT_ALIAS
from ftctl.text.escape import dotenv_line, json_document, one_line


@click.command("output")
@shared_options
@click.argument("name", required=False)
@click.option(
    "--as", "alias", metavar="ALIAS",
    help=f"The model that is promoted so.  [default: '{DEFAULT_ALIAS}' if there is one, else the"
    " newest]",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "dotenv", "github"]), default="text",
    help="dotenv: lines for a .env file; github: lines for $GITHUB_OUTPUT.",
)  # fmt: skip
@click.option("--offline", is_flag=True, help="Read ftctl.lock alone, and ask nobody.")
@click.pass_context
def output_command(
    context: click.Context, name: str | None, alias: str | None, form: str, offline: bool
) -> int:
    """Print the models' names.

    All of them, those of a pattern such as 'tone-*', or that of one fine-tune alone. A promoted
    model goes before the newest. Where one of them has no model, and nothing that runs will bring
    it one, the exit status is 1; the others are printed all the same.
    """
    settings = settings_of(context)
    if alias is not None:
        check_alias(alias)
    if offline:
        answers = recorded_models(context_of(settings), name, alias)
    else:
        answers = serving_models(open_session(settings), name, alias)
    if alias is not None and answers and all(one.model is None for one in answers):
        raise FtctlError(
            answers[0].why if len(answers) == 1 and name else f"nothing is promoted as {alias}",
            _PROMOTE,
        )
    _print(settings, answers, form, alone=name is not None and not is_pattern(name))
    return FAILED if any(one.stuck for one in answers) else DONE


_PROMOTE = "'ftctl promote NAME --as ALIAS' does it"


def _print(settings: Settings, answers: list[ServingModel], form: str, *, alone: bool) -> None:
    console = settings.console
    if form == "json":
        document = {one.name: _entry(one) for one in answers}
        console.result(json_document(document))
        return
    for one in answers:
        if one.model is None:
            if alone:
                raise FtctlError(one.why, "see 'ftctl status'")
            console.note(one_line(one.why))
            continue
        if one.note is not None:
            console.note(one_line(one.note))
        bare = alone and form == "text"
        console.result(one.model if bare else _line(one.name, one.model, form))


def _entry(one: ServingModel) -> dict[str, str | bool | dict[str, str] | None]:
    return {
        "model": one.model,
        "job": one.job,
        "digest": one.digest,
        "status": one.status,
        "current": one.current,
        "promoted": dict(one.promoted),
        "why": one.why if one.model is None else None,
    }


def _line(name: str, model: str, form: str) -> str:
    """A model is of one line and quotes nothing: it was checked where it came in."""
    if form == "text":
        return f"{name}\t{model}"
    variable = name.replace("-", "_")
    if form == "dotenv":
        digit = "_" if variable[0].isdigit() else ""  # no shell has a variable that begins so
        return dotenv_line(f"{digit}{variable.upper()}_MODEL", model)
    return f"{variable}={model}"
