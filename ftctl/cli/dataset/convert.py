"""`ftctl dataset convert`: training rows of a table, or of rows in another shape."""

from __future__ import annotations

from typing import Literal

import click
from click.core import ParameterSource

from ftctl.cli.dataset.step_outcome import report_outcome, target_of
from ftctl.cli.dataset.text_encoding import encoding_option
from ftctl.cli.dataset.writing import FORCE
from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.data.convert import CONTAINERS, FORMS, SHAPES, Convert, Form, Manner, convert_file
from ftctl.errors import UsageError

_ORIGINS = tuple(dict.fromkeys(("auto", *CONTAINERS, *SHAPES)))


@click.command(
    "convert",
    epilog="Example: ftctl dataset convert faq.csv train.jsonl"
    " --template 'user={question}' --template 'assistant={answer}'",
)
@shared_options
@click.argument("source", metavar="SOURCE", type=click.Path())
@click.argument("target", metavar="TARGET", type=click.Path())
@click.option(
    "--from", "origin", type=click.Choice(_ORIGINS), default="auto", show_choices=False,
    metavar="SHAPE", help=f"What SOURCE is: {', '.join(_ORIGINS)}.",
)  # fmt: skip
@click.option(
    "--to", type=click.Choice((*FORMS, "rows")),
    help="The form to write; rows: as they are, one a line.  [default: the nearest]",
)  # fmt: skip
@click.option(
    "--template", "templates", multiple=True, metavar="ROLE=TEXT",
    help="What a role says, with {column} for a cell; once for each role.",
)  # fmt: skip
@click.option("--delimiter", metavar="CHARACTER", help="What stands between cells of a CSV file.")
@encoding_option("SOURCE")
@click.option("--sheet", metavar="NAME", help="The sheet of an XLSX file.  [default: the first]")
@click.option(
    "--drop", "dropped", multiple=True, metavar="KEY",
    help="Leave out a key of the rows, their messages or what these hold; once for each.",
)  # fmt: skip
@click.option(
    "--check/--no-check", default=True, show_default=True,
    help="Check the rows as training data before they are kept.",
)  # fmt: skip
@click.option("--force", is_flag=True, help=FORCE)
@click.pass_context
def convert_command(
    context: click.Context,
    source: str,
    target: str,
    origin: str,
    to: Form | Literal["rows"] | None,
    templates: tuple[str, ...],
    delimiter: str | None,
    encoding: str | None,
    sheet: str | None,
    dropped: tuple[str, ...],
    check: bool,
    force: bool,
) -> int:
    """Make training rows of a table or of rows in another shape.

    SOURCE is CSV, TSV, XLSX, Parquet, a JSON list or JSON Lines; '-' as TARGET is standard output.
    Nothing is written if any row has a problem, or a key that nothing is made of: --drop it.
    """
    settings = settings_of(context)
    where = target_of(settings, target, force=force)
    form, whole = (None, True) if to == "rows" else (to, False)
    cells = (_templates(templates), _delimiter(delimiter), sheet)
    step = Convert(origin, form, *cells, drop=dropped, as_they_are=whole)
    done = convert_file(
        settings.folder / source,
        source,
        where.place,
        step,
        encoding=encoding,
        check=check,
        replace=force,
        manner=Manner(_command(context, settings, source, target)),
    )
    report_outcome(settings, done, {None: target})
    return DONE


def _command(
    context: click.Context, settings: Settings, source: str, target: str
) -> tuple[str, ...]:
    """This command with its options, to be told with more of them."""
    words = ["ftctl", *([] if settings.directory is None else ["-C", str(settings.directory)])]
    words += ["dataset", "convert", source, target]
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not given or not isinstance(option, click.Option) or name not in context.params:
            continue
        value = context.params[name]
        if option.is_flag:
            words.append(option.opts[0] if value else option.secondary_opts[0])
        else:
            several = value if option.multiple else (value,)
            words += [word for one in several for word in (option.opts[0], str(one))]
    return tuple(words)


def _templates(texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for text in texts:
        role, equals, template = text.partition("=")
        if not equals or not role:
            raise UsageError(
                f"--template '{text}' has no role", "write ROLE=TEXT, as in 'user={question}'"
            )
        if role in found:
            raise UsageError(f"--template {role}=… stands twice", "give each role one text")
        found[role] = template
    return tuple(found.items())


def _delimiter(text: str | None) -> str | None:
    r"""A shell makes it hard to give a tab, so `\t` is one."""
    if text is None:
        return None
    character = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(character) != 1 or character in '"\r\n\0':
        raise UsageError(f"--delimiter '{text}' is not one character", r"write , or ; or \t")
    return character
