"""`ftctl dataset check`: every problem of data files, with no project needed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from ftctl.catalog import load_catalog
from ftctl.catalog.fit import (
    Misfit,
    Training,
    likely_service,
    method_of,
    model_misfits,
    pair_misfits,
    row_misfits,
)
from ftctl.cli.dataset.printing import json_text
from ftctl.cli.dataset.text_encoding import encoding_option
from ftctl.cli.exit_codes import DONE, FAILED
from ftctl.cli.listening import context_of
from ftctl.cli.scan_progress import ScanProgress
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.data.formats.findings import as_diagnostics
from ftctl.data.formats.row_checks import Demands
from ftctl.data.quality import leaks
from ftctl.data.quality.phones import is_region
from ftctl.data.scanning import (
    TRAINING_CONTEXT,
    Counting,
    ScanRequest,
    ScanResult,
    Workers,
    scan_file,
)
from ftctl.data.scanning.row_file import named_here
from ftctl.data.scanning.scan_request import MAX_SHOWN_PER_CODE
from ftctl.data.stats import BaseModel
from ftctl.domain.desired import Method
from ftctl.domain.quality_settings import QualitySettings
from ftctl.engine.command_words import project_command
from ftctl.errors import Diagnostic, Span, in_order, problems_text
from ftctl.files import free_name
from ftctl.project.fit import can_be_written
from ftctl.project.scan import as_error, is_refused
from ftctl.reports.problems import problems_github, problems_json
from ftctl.text.format import plural

F = TypeVar("F", bound=Callable[..., Any])

QUALITY_CHECKS: Mapping[str, str] = {
    "leakage": "validation rows that stand in a training file",
    "duplicates": "rows that stand there twice",
    "near_duplicates": "rows that are almost the same",
    "contradictions": "one prompt with several answers",
    "refusals": "answers that refuse",
    "one_answer": "one answer in most rows",
    "lengths": "rows of unusual length",
    "languages": "rows in a language of their own",
    "empty_rows": "answers that teach nothing",
    "mojibake": "text that was read in the wrong encoding",
    "secrets": "keys and tokens",
    "personal_data": "addresses and numbers of people",
}
"""The settings of `QualitySettings` that can be switched off, and what each looks for."""


def _switches(command: F) -> F:
    for name, sought in reversed(tuple(QUALITY_CHECKS.items())):
        flag = f"--no-{name.replace('_', '-')}"
        command = click.option(flag, name, is_flag=True, help=f"Do not look for {sought}.")(command)
    return command


def _regions(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Codes of countries in capitals; a fault for what is none."""
    codes = tuple(dict.fromkeys(code.upper() for code in given))
    for code in codes:
        if not is_region(code):
            raise click.BadParameter(f"'{code}' is no country's code such as KR or DE")
    return codes


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the command line asks of every file."""

    method: Method | None
    base: BaseModel | None
    quality: QualitySettings
    most: int | None
    encoding: str | None = None
    samples: bool = False  # a piece of a file in another encoding is shown


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file as it was named, and what its pass found."""

    path: str
    scan: ScanResult


@click.command(
    "check",
    epilog="Example: ftctl dataset check data/train.jsonl --validation data/validation.jsonl",
)
@shared_options
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--validation", metavar="FILE", type=click.Path(),
    help="Check this file too, and that its rows are in none of the others.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(["supervised", "dpo", "reinforcement"]),
    help="What the rows are for.  [default: what the first row fits]",
)  # fmt: skip
@click.option(
    "--model", metavar="BASE",
    help="Count tokens for this base model, and tell what it is not trained on.",
)  # fmt: skip
@encoding_option("each FILE")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text",
    help="How to print the problems; json: all of them.",
)  # fmt: skip
@click.option(
    "--max-per-code", type=click.IntRange(1), default=MAX_SHOWN_PER_CODE, metavar="N",
    help="How many problems of a kind to print for each file.",
)  # fmt: skip
@click.option(
    "--region", "regions", metavar="CODE", multiple=True, callback=_regions,
    help="Look for phone numbers as this country writes them, such as KR; may be repeated.",
)  # fmt: skip
@click.option(
    "--moderation", is_flag=True,
    help="Send every row's text to the service; tell of rows that its moderation flags.",
)  # fmt: skip
@_switches
@click.pass_context
def check_command(
    context: click.Context,
    /,
    files: tuple[str, ...],
    validation: str | None,
    method: Method | None,
    model: str | None,
    encoding: str | None,
    form: str,
    max_per_code: int,
    regions: tuple[str, ...],
    moderation: bool,
    **switches: bool,
) -> int:
    """Tell every problem of data files, by line.

    Problems name places and never quote text. The exit status is 1 if there is an error; warnings
    alone leave it at 0.
    """
    settings = settings_of(context)
    off = {name: "ignore" for name, given in switches.items() if given}
    options = CheckOptions(
        method,
        None if model is None else BaseModel.about(model),
        replace(QualitySettings(regions=regions), **off),  # type: ignore[arg-type]  # all are levels
        None if form == "json" else max_per_code,
        encoding,
        samples=form == "text",  # the rest is made to be passed on
    )
    ask = _moderator(settings, options) if moderation else None  # without a key, at once
    checked, problems = check_files(settings, files, validation, options)
    if _refuses_tokens(model):
        problems = tuple(as_error(one) if is_refused(one) else one for one in problems)
    problems = in_order([*problems, *unfit_rows(settings, checked, model, method, validation)])
    if ask is not None:
        problems = in_order([*problems, *ask(checked)])
    failed = any(problem.severity == "error" for problem in problems)
    _print(settings, form, checked, problems, failed=failed)
    return FAILED if failed else DONE


def check_files(
    settings: Settings, files: Sequence[str], validation: str | None, options: CheckOptions
) -> tuple[tuple[CheckedFile, ...], tuple[Diagnostic, ...]]:
    """Every file with its scan, in the order given, and the problems of all."""
    request = _request(options)
    with Workers() as workers:
        checked = [_scan(settings, one, request, workers) for one in dict.fromkeys(files)]
        problems = [problem for one in checked for problem in one.scan.diagnostics]
        if validation is not None:
            measuring = replace(request, least=1, demands=Demands(validation=True))
            held = _scan(settings, validation, measuring, workers)
            problems += held.scan.diagnostics
            problems += _leaks(checked, held, options)
            checked.append(held)
    return tuple(checked), in_order(map(named_here, problems))


def _refuses_tokens(model: str | None) -> bool:
    """Whether the service that a base model is most likely meant for refuses some in texts."""
    catalog = load_catalog()
    service = likely_service(catalog, model or "")
    return service is not None and "tokens" in catalog.service(service).refuses


def unfit_rows(
    settings: Settings,
    checked: Sequence[CheckedFile],
    model: str | None,
    method: Method | None,
    validation: str | None,
) -> Iterator[Diagnostic]:
    """What of the files is not what a base model is trained on, and rows to measure on that differ.

    No project says which service is meant: it goes by the model's name.
    """
    catalog = load_catalog()
    service = likely_service(catalog, model or "")
    files = [(one.path, one.scan.dataset) for one in checked if one.scan.dataset is not None]
    today = context_of(settings).today
    told: set[Misfit] = set()
    wrong: set[str] = set()
    for path, rows in files:
        if model is None or service is None:
            break
        training = Training(catalog, service, model, method or method_of(rows), today)
        for misfit in model_misfits(training):
            if misfit not in told:
                told.add(misfit)
                yield _at_rows(misfit, path, settings, line=None)
        for misfit in row_misfits(training, rows):
            wrong.update([path] if misfit.code == "wrong-format" else ())
            yield _at_rows(misfit, path, settings)
    measured = dict(files).get(validation or "")
    for path, rows in files:
        if measured is None or validation is None:
            break
        if path != validation and wrong.isdisjoint((path, validation)):
            for misfit in pair_misfits(rows, measured):
                yield _at_rows(misfit, validation, settings)


def _at_rows(misfit: Misfit, path: str, settings: Settings, line: int | None = 1) -> Diagnostic:
    hint = misfit.hint
    if misfit.to is not None and can_be_written(settings.folder / path, misfit.to):
        target = free_name(path, misfit.to, settings.folder)
        words = ("dataset", "convert", path, target, "--to", misfit.to)
        command = project_command(context_of(settings), *words)
        hint = f"{hint}; or {command}" if hint else command
    return Diagnostic(misfit.code, misfit.message, Span(path, line), hint, misfit.severity)


def _moderator(
    settings: Settings, options: CheckOptions
) -> Callable[[Sequence[CheckedFile]], tuple[Diagnostic, ...]]:
    from ftctl.cli.dataset.flagged_rows import connection_of, flagged_rows  # rarely asked for

    connection = connection_of(settings)

    def ask(checked: Sequence[CheckedFile]) -> tuple[Diagnostic, ...]:
        forms = {one.path: one.scan.fingerprints.form for one in checked if one.scan.fingerprints}
        return flagged_rows(settings, connection, forms, options.most, options.encoding)

    return ask


def _request(options: CheckOptions) -> ScanRequest:
    """Without a model, tokens are only counted where a row may be too long for any of them."""
    base = options.base or BaseModel.about(None)
    limit = TRAINING_CONTEXT if base.context is None else base.context
    return ScanRequest(
        method=options.method,
        countings=(Counting(base.encoding, limit),),
        totals=options.base is not None,
        quality=options.quality,
        most=options.most,
        encoding=options.encoding,
        samples=options.samples,
    )


def _scan(settings: Settings, shown: str, request: ScanRequest, workers: Workers) -> CheckedFile:
    path = settings.folder / shown
    progress = ScanProgress(settings.environ)
    try:
        scan = scan_file(Path(shown).stem, path, shown, request, workers, progress.of(shown))
    finally:
        progress.done()
    if request.encoding is not None and scan.dataset is not None:
        settings.console.note(
            f"{shown} is read as {request.encoding}. A service takes it as UTF-8: 'encoding:"
            f" {request.encoding}' in its Dataset makes it that, or 'ftctl dataset convert'."
        )
    for note in scan.notes if settings.console.verbose else ():
        settings.console.note(note)
    return CheckedFile(shown, scan)


def _leaks(
    files: Sequence[CheckedFile], held: CheckedFile, options: CheckOptions
) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    if held.scan.fingerprints is None or options.quality.leakage == "ignore":
        return found
    for one in files:
        if one.scan.fingerprints is not None:
            doubts = leaks(one.scan.fingerprints, held.scan.fingerprints, options.quality)
            found += as_diagnostics(doubts, held.path, options.most)
    return found


def _print(
    settings: Settings,
    form: str,
    checked: Sequence[CheckedFile],
    problems: Sequence[Diagnostic],
    *,
    failed: bool,
) -> None:
    console = settings.console
    if form == "json":
        console.result(json_text(check_document(checked, problems)))
        return
    if problems and form == "github":
        console.commands(problems_github(problems))
    elif problems:
        console.result(problems_text(problems, settings.directory))
    if form == "text":
        (console.note if failed else console.result)(_summary(checked, problems, failed=failed))


def _summary(
    checked: Sequence[CheckedFile], problems: Sequence[Diagnostic], *, failed: bool
) -> str:
    if failed:
        errors = sum(1 for problem in problems if problem.severity == "error")
        return f"{plural(errors, 'problem')} found."
    data = [one.scan.dataset for one in checked if one.scan.dataset is not None]
    rows = sum(one.examples for one in data)
    tokens = [one.scan.tokens.training for one in checked if one.scan.tokens is not None]
    counted = f", {sum(tokens):,} tokens" if tokens else ""
    return f"Valid: {plural(rows, 'row')} of data in {plural(len(data), 'file')}{counted}."


def check_document(
    checked: Sequence[CheckedFile], problems: Sequence[Diagnostic]
) -> Mapping[str, Any]:
    """What `--format json` prints: every problem, and what is known of each file."""
    document: dict[str, Any] = json.loads(problems_json(problems))
    counts = Counter(problem.code for problem in problems)
    failed = {problem.span.path for problem in problems if problem.severity == "error"}
    files = [_file(one, ok=one.path not in failed) for one in checked]
    return document | {"files": files, "counts": dict(counts)}


def _file(one: CheckedFile, *, ok: bool) -> Mapping[str, Any]:
    data, tokens = one.scan.dataset, one.scan.tokens
    return {
        "path": one.path,
        "ok": ok and data is not None,
        "sha256": one.scan.sha256,
        "rows": data.examples if data else None,
        "bytes": data.bytes if data else None,
        "format": data.format if data else None,
        "tokens": None
        if tokens is None
        else {
            "encoding": tokens.encoding,
            "training": tokens.training,
            "low": tokens.low,
            "high": tokens.high,
            "assistant": tokens.assistant,
            "cut_rows": tokens.cut_rows,
        },
    }
