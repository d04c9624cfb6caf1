"""A service's answers in; where it is, who we are there and what it lets us do, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ftctl.catalog import Catalog
from ftctl.doctor.check_result import CheckResult, fail, ok, warn
from ftctl.domain.observed import TERMINAL, UNTOLD, AccountId
from ftctl.providers.protocol import Answer
from ftctl.text.format import listed

NO_FILE = "file-ftctl-doctor-asks-in-vain"
NO_MODEL = "ft:gpt-4.1-mini-2025-04-14:ftctl-doctor::asks-in-vain"

_CLOCK_SECONDS = 60
_WARN_DAYS = 90
_SHOWN = 10
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")

# What the libraries below say when a name leads nowhere, and when no safe line comes about.
_NO_NAME = re.compile(
    r"name or service not known|nodename nor servname|name resolution|getaddrinfo|no address"
    r"|name does not resolve",
    re.IGNORECASE,
)
_NO_TLS = re.compile(r"ssl|tls|certificate|wrong.version.number", re.IGNORECASE)


def look_at_address(answer: Answer, base_url: str) -> CheckResult:
    """Whether an API of this kind answers there at all."""
    took = f"in {answer.seconds * 1000:,.0f} ms"
    if answer.status is None:
        return _unreachable(answer.message or "no answer came", base_url)
    if answer.body is None:
        cure = "check 'base_url': it goes up to and with /v1"
        what = f"{base_url} answers HTTP {answer.status} {took}, but not in JSON"
        return fail("address", what, cure)
    return ok("address", f"{base_url} answers HTTP {answer.status} {took}")


def _unreachable(reason: str, base_url: str) -> CheckResult:
    if _NO_NAME.search(reason):
        what, cure = "its name is not known", "check the host in 'base_url', and DNS"
    elif _NO_TLS.search(reason):
        what, cure = (
            "no safe line comes about",
            "check 'https' in 'base_url', the certificate, and any proxy between",
        )
    elif "no answer in time" in reason:
        what, cure = "no answer in time", "try again; check the network and any proxy"
    else:
        what, cure = reason, "check the network, the port and 'base_url'"
    return fail("address", what if base_url in what else f"{base_url}: {what}", cure)


def look_at_access(answer: Answer, variable: str) -> CheckResult:
    """Whether the key is taken; models are what every key may usually list."""
    subject, told = "access", _told(answer)
    match answer.status:
        case 401:
            cure = f"check the variable {variable}; make a new key if this one was revoked"
            return fail(subject, f"the key is not accepted ({told})", cure)
        case 403:
            cure = "give the key the permission to list models, or go on without"
            return warn(subject, f"the key may not list models ({told})", cure)
        case 429 if answer.code == "insufficient_quota":
            return fail(subject, f"the quota is used up ({told})", "raise it at the service")
        case 429:
            return warn(subject, f"too many requests ({told})", "look again in a minute")
        case 404 | 405 | 501:
            return warn(subject, f"models are not listed here ({told})", "check 'base_url'")
        case int(status) if status >= 500:
            return fail(subject, f"the service is in trouble ({told})", "look again later")
    if answer.entries is None:
        return fail(subject, "what it calls its models is no list", "check 'base_url'")
    return ok(subject, "the key is accepted")


def _told(answer: Answer) -> str:
    """The status and the code, never the service's sentence: it may quote what it was sent."""
    if answer.status is None:
        return answer.message or "no answer"
    code = f", {answer.code}" if answer.code and _NAME.fullmatch(answer.code) else ""
    return f"HTTP {answer.status}{code}"


def look_at_models(
    entries: Iterable[Mapping[str, Any]], bases: Collection[str]
) -> list[CheckResult]:
    """How many models there are, and whether those that manifests start from are among them."""
    models = {one["id"] for one in entries if isinstance(one.get("id"), str)}
    tuned = sum(name.startswith("ft:") for name in models)
    told = f"{tuned:,} fine-tuned" if tuned else "no fine-tuned ones seen"
    found = [ok("models", f"{len(models):,} listed, {told}")]
    missing = sorted(set(bases) - models)
    if missing:
        cure = "check the names; an alias may be fine, a model that was shut down is not"
        found.append(warn("base models", f"not listed: {listed(missing, _SHOWN)}", cure))
    elif bases:
        found.append(ok("base models", f"{listed(sorted(bases), _SHOWN)} listed"))
    return found


def look_at_dates(
    catalog: Catalog,
    service: str,
    bases: Collection[str],
    entries: Iterable[Mapping[str, Any]],
    today: date,
) -> list[CheckResult]:
    """How long the service still trains, and how long the base models live."""
    if service == "emulator":
        what = "the embedded API trains at any time; the days in its list of models are OpenAI's"
        return [ok("training", what)]
    known = f"(as known on {catalog.as_of})"
    last = catalog.no_new_jobs_after(service)
    cure = "plan for another service: 'provider' in ftctl.yaml"
    if last is None:
        found = [ok("training", f"no last day is known for {service} {known}")]
    elif last < today:
        found = [fail("training", f"{service} took its last jobs on {last} {known}", cure)]
    else:
        what = f"{service} takes jobs until {last}, {(last - today).days} days from now {known}"
        soon = (last - today).days < _WARN_DAYS
        found = [warn("training", what, cure) if soon else ok("training", what)]
    told = dict(filter(None, map(_told_shutdown, entries)))
    for base in sorted(bases):
        day = told.get(base) or catalog.shutdown(service, base)
        if day is not None:
            source = "(told by the service)" if base in told else known
            found.append(_shutdown(base, day, today, source))
    return found


def _told_shutdown(entry: Mapping[str, Any]) -> tuple[str, date] | None:
    try:
        return str(entry["id"]), date.fromisoformat(entry["shutdown_date"])
    except (KeyError, TypeError, ValueError):
        return None


def _shutdown(base: str, day: date, today: date, source: str) -> CheckResult:
    left = (day - today).days
    cure = "move to another base model"
    if left < 0:
        return fail("shutdown", f"{base} was shut down on {day} {source}", cure)
    what = f"{base} has {left} days left, until {day} {source}"
    return warn("shutdown", what, cure) if left < _WARN_DAYS else ok("shutdown", what)


def look_at_list(subject: str, answer: Answer) -> CheckResult:
    """Whether a list can be read without which nothing works."""
    if answer.entries is not None:
        return ok(subject, "they can be listed")
    cure = "give the key the permission to read them"
    if answer.status not in (401, 403):
        cure = "check 'base_url', and whether this service trains at all"
    return fail(subject, f"they cannot be listed ({_told(answer)})", cure)


def look_at_running(answer: Answer, status_of: Callable[[str], str]) -> list[CheckResult]:
    """How many of the newest jobs are under way. `status_of` knows the service's words."""
    if answer.entries is None:
        return []
    running = [one for one in answer.entries if status_of(str(one.get("status"))) not in TERMINAL]
    of = "newest " if answer.body.get("has_more") else ""
    count = len(answer.entries)
    return [ok("running", f"{len(running):,} of the {count:,} {of}jobs in progress")]


def look_at_account(
    answer: Answer, asked: AccountId, expected: AccountId, recorded: Collection[AccountId] = ()
) -> CheckResult:
    """Whom the key acts for: as the newest jobs and the headers tell, else as it is asked to.

    `recorded` are the accounts that the record of this address was written for.
    """
    told = {str(one["organization_id"]) for one in answer.entries or () if _is_told(one)}
    headers = AccountId(_shown(answer.account.organization), _shown(answer.account.project))
    account = AccountId(told.pop() if len(told) == 1 else None).completed(headers).completed(asked)
    pairs = (
        ("organization", account.organization, expected.organization),
        ("project", account.project, expected.project),
    )
    for what, there, wanted in pairs:
        if there is not None and wanted not in (None, there):
            cure = f"use a key of {wanted}, or change 'expect' in ftctl.yaml"
            found = f"the key acts for the {what} {there}, and 'expect' wants {wanted}"
            return fail("account", found, cure)
    said = " and ".join(f"{what} {there}" for what, there, _ in pairs if there is not None)
    if recorded and all(one.differs_from(account) for one in recorded):
        what = f"{said}, and ftctl.lock records jobs of another account at this address"
        return warn("account", what, "see that the key is right: plan buys nothing on record")
    if not said:
        return ok("account", "the service does not tell whom the key acts for")
    return ok("account", f"{said}, as expected" if expected != UNTOLD else said)


def _shown(name: str | None) -> str | None:
    """A name of a service's, where it is such as may be shown."""
    return name if name is not None and _NAME.fullmatch(name) else None


def _is_told(entry: Mapping[str, Any]) -> bool:
    return _NAME.fullmatch(str(entry.get("organization_id") or "")) is not None


def look_at_slots(answer: Answer) -> CheckResult:
    """How many jobs may run at once, where the service tells."""
    entries = answer.entries
    if entries is None and answer.ok and isinstance(answer.body, Mapping):
        entries = (answer.body,)
    told = [line for one in entries or () if (line := _limits(one))]
    if not told:
        return ok("slots", f"not told by this service ({_told(answer)})")
    return ok("slots", listed(told, _SHOWN))


def _limits(entry: Mapping[str, Any]) -> str:
    """The whole numbers of an entry, which is not documented in detail, under their own names."""
    name = next((entry[key] for key in ("model", "id", "name") if key in entry), "")
    numbers = [
        f"{key} {value}"
        for key, value in entry.items()
        if isinstance(value, int) and not isinstance(value, bool) and _NAME.fullmatch(key)
    ]
    named = f"{name} " if isinstance(name, str) and _NAME.fullmatch(name) else ""
    return f"{named}({', '.join(numbers)})" if numbers else ""


def look_at_clock(answer: Answer, now: float) -> list[CheckResult]:
    """How far this machine's clock is from the service's, by the answer's date."""
    try:
        there = parsedate_to_datetime(answer.date or "")
    except (ValueError, TypeError, OverflowError):
        return [ok("clock", "the service does not tell the time")]
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    apart = (datetime.fromtimestamp(now, tz=UTC) - there).total_seconds()
    if abs(apart) <= _CLOCK_SECONDS:
        return [ok("clock", f"within {_CLOCK_SECONDS} s of the service's")]
    side = "ahead of" if apart > 0 else "behind"
    what = f"{abs(apart):,.0f} s {side} the service's"
    return [warn("clock", what, "set this machine's clock: days left are counted by it")]


def training_question(base: str) -> dict[str, Any]:
    """A job that no service can start or bill: its training file does not exist."""
    return {"model": base, "training_file": NO_FILE}


def look_at_training(answer: Answer) -> CheckResult:
    """May this organization train? By how a job is refused that cannot be."""
    subject, told = "may train", _told(answer)
    if answer.code == "training_not_available":
        cure = "choose another service with 'provider' in ftctl.yaml"
        return fail(subject, f"this organization can no longer train here ({told})", cure)
    match answer.status:
        case 400 | 404 | 422:
            return ok(subject, f"the service only misses the file that it was asked for ({told})")
        case 401 | 403:
            cure = "give the key the permission to write fine-tuning jobs"
            return fail(subject, f"the key may not create jobs ({told})", cure)
        case int(status) if status < 300:
            cure = "see the service's list of jobs: this one must come to nothing"
            return warn(subject, "it took a job whose file does not exist", cure)
    return warn(subject, f"nothing can be told from the answer ({told})", "look again later")


def look_at_deletes(answer: Answer) -> CheckResult:
    """May this key delete models? By how the deletion is refused of one that cannot exist."""
    subject, told = "may delete", _told(answer)
    match answer.status:
        case 404:
            return ok(subject, f"the service only misses the model that it was asked for ({told})")
        case 401 | 403:
            cure = "deleting models takes the role of an owner in the organization, and such a key"
            return warn(subject, f"the key may not delete models ({told})", cure)
    return warn(subject, f"nothing can be told from the answer ({told})", None)


def look_at_sender(organization: str | None, project: str | None) -> Iterator[CheckResult]:
    """As whom we ask."""
    said = [f"{what} {name}" for what, name in
            (("organization", organization), ("project", project)) if name]  # fmt: skip
    yield ok("sent as", " and ".join(said) if said else "the key's own organization and project")


def look_at_wandb(names: Collection[str], service: str) -> CheckResult:
    """Whether manifests report to Weights & Biases; whether the service may, nobody can ask."""
    if not names:
        return ok("wandb", "no manifest reports to Weights & Biases")
    what = f"{listed(sorted(names), _SHOWN)} report to Weights & Biases"
    if service == "emulator":
        return ok("wandb", f"{what}; the embedded API sends it nothing")
    cure = "see that its key is registered in the service's dashboard; else create fails"
    return warn("wandb", what, cure)
