"""`ftctl status`: each fine-tune's state, model, progress and days left."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ftctl.apply.follow import progress_of
from ftctl.catalog.answer import FieldDifference
from ftctl.cli.exit_codes import DONE
from ftctl.cli.job_progress import clear
from ftctl.cli.listening import open_session
from ftctl.cli.settings import Settings, settings_of, shared_options
from ftctl.domain.observed import Job, Progress
from ftctl.domain.plan import Change
from ftctl.engine.observing import observe
from ftctl.engine.planning import PlanRequest, make_plan_for
from ftctl.engine.selecting import names_meant
from ftctl.engine.session import Session
from ftctl.pricing import compare, differences_of, estimate, estimate_of_job
from ftctl.providers.protocol import Provider
from ftctl.reports.phrases import service_line
from ftctl.reports.presenter import cost_words
from ftctl.reports.text import status_text
from ftctl.text.escape import json_document
from ftctl.text.format import duration


@click.command("status")
@shared_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text",
    help="How to print it.",
)  # fmt: skip
@click.option("--watch", is_flag=True, help="Show it again and again until no job runs.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_context
def status_command(context: click.Context, names: tuple[str, ...], form: str, watch: bool) -> int:
    """Show each fine-tune: state, model, progress, days left.

    All of them, or those that are named; NAME may be a pattern: 'tone-*'.
    """
    settings = settings_of(context)
    session = open_session(settings)
    known = [one.name for one in session.desired.finetunes]
    chosen = frozenset(names_meant(names, known, "status") if names else known)
    with session.provider() as provider:
        while True:
            found = _rows(session, provider, chosen)
            if watch and form == "text":
                clear(settings.console)
            _show(settings, session, found, form)
            runs = any(row["in_progress"] for row in found)
            if not watch or not runs or settings.console.unread:
                return DONE
            settings.clock.sleep(session.service.poll_seconds)


def _show(settings: Settings, session: Session, found: list[dict[str, Any]], form: str) -> None:
    console = settings.console
    if form == "json":
        document = {row["name"]: {k: v for k, v in row.items() if k != "name"} for row in found}
        console.result(json_document(document))
        return
    console.result(service_line(session.desired.project, session.info))
    console.result("")
    rows = [
        (row["name"], row["status"], row["model"] or row["job"] or "-", _remark(row))
        for row in found
    ]
    console.result(status_text(rows))


def _rows(session: Session, provider: Provider, chosen: frozenset[str]) -> list[dict[str, Any]]:
    observed = observe(session, provider)
    plan = make_plan_for(session, observed, PlanRequest())
    jobs = {job.id: job for job in observed.every_job}
    now = session.context.clock.now()
    rows = []
    for change in plan.changes:
        if change.kind != "FineTune" or change.name not in chosen:
            continue
        job = jobs.get(change.job or "")
        progress = None
        if job is not None and job.status == "running":
            progress = progress_of(change.name, job, provider.events(job.id, 50), now)
        rows.append(_row(session, change, job, progress))
    return rows


def _row(
    session: Session, change: Change, job: Job | None, progress: Progress | None
) -> dict[str, Any]:
    return {
        "name": change.name,
        "status": job.status if job else "absent",
        "in_progress": job.in_progress if job else False,
        "action": change.action.value,
        "reason": change.reason,
        "job": job.id if job else None,
        "model": change.model,
        "digest": change.digest,
        "trained_tokens": job.trained_tokens if job else None,
        "step": progress.step if progress else None,
        "total_steps": progress.total_steps if progress else None,
        "train_loss": progress.train_loss if progress else None,
        "valid_loss": progress.valid_loss if progress else None,
        "seconds_left": progress.seconds_left if progress else None,
        "cost": _cost(session, change, job),
        "would_cost": cost_words(change.would_cost) if change.would_cost else None,
        "differences": _differences(session, change, job),
        "days_left": _days_left(session, change, job),
    }


def _cost(session: Session, change: Change, job: Job | None) -> str | None:
    """What the job cost beside what was estimated, or what it will; None where nobody knows."""
    finetune = session.desired.named(change.name)
    if job is None or finetune is None:
        return None
    catalog, info = session.catalog, session.info
    expected = told = None
    if finetune.adopt is None:
        expected = estimate(finetune, session.desired, catalog, info)
        told = estimate_of_job(job, finetune, session.desired, catalog, info)
    return compare(job, expected, catalog, info, told)


def _differences(session: Session, change: Change, job: Job | None) -> list[dict[str, Any]]:
    """What the service trains otherwise than it was asked to."""
    finetune = session.desired.named(change.name)
    if job is None or finetune is None:
        return []
    found = differences_of(job, finetune, session.catalog, session.info)
    return [asdict(one) for one in found]


def _days_left(session: Session, change: Change, job: Job | None) -> int | None:
    """Until the service shuts the base model down, with its fine-tunes; None where not known."""
    model = change.model or (job.base_model if job else None)
    if model is None:
        finetune = session.desired.named(change.name)
        model = finetune.base_model if finetune and isinstance(finetune.base_model, str) else None
    day = session.catalog.shutdown(session.service.type, model) if model else None
    return (day - session.context.today).days if day else None


def _remark(row: dict[str, Any]) -> str:
    parts = []
    if row["step"] is not None:
        total = f" of {row['total_steps']}" if row["total_steps"] else ""
        parts.append(f"step {row['step']}{total}")
    if row["train_loss"] is not None:
        parts.append(f"training loss {row['train_loss']:.3f}")
    if row["valid_loss"] is not None:
        parts.append(f"validation loss {row['valid_loss']:.3f}")
    if row["seconds_left"] is not None:
        parts.append(f"about {duration(row['seconds_left'])} left")
    if row["action"] == "attention":
        parts.append(f"needs attention: {row['reason']}")
        if row["would_cost"] is not None:
            parts.append(f"buying it: {row['would_cost']}")
    elif row["action"] != "no-op":
        parts.append(f"apply would {row['action']}: {row['reason']}")
    elif row["status"] in ("failed", "cancelled", "absent"):
        parts.append(row["reason"])
    parts.extend(FieldDifference(**one).words for one in row["differences"])
    if row["cost"] is not None:
        parts.append(row["cost"])
    if row["days_left"] is not None:
        parts.append(f"{row['days_left']} days left")
    return "; ".join(parts)
