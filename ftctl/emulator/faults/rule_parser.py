"""A document of faults, as plain JSON values -> rules; a 400 names the field that cannot be."""

from __future__ import annotations

import math
import re
from typing import Any, cast

from ftctl.emulator.faults.rule_fields import (
    MOST_NUMBER,
    check_depth,
    check_number,
    choice_in,
    fields_at,
    is_whole,
    number_in,
    object_at,
    pattern_in,
    seconds_in,
    text_in,
    texts_in,
)
from ftctl.emulator.faults.rules import (
    CUTS,
    FAILURES,
    Answer,
    Cut,
    JobRule,
    Malformed,
    RequestRule,
    Rule,
    Turns,
)
from ftctl.emulator.http.wire import Json, Pairs, bad_request

MOST_RULES = 1_000
LONGEST_WAIT = 3_600.0  # seconds

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
BODILESS = frozenset({204, 205, 304})
OWN_HEADERS = frozenset(
    {"content-length", "content-type", "transfer-encoding", "connection", "x-request-id"}
)


def read_faults(rules: Any) -> list[Json]:
    """The rules of a document's `faults` as they were written, each checked."""
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        raise bad_request(f"faults must be a list of at most {MOST_RULES} rules.", "faults")
    for place, rule in enumerate(rules):
        read_rule(rule, f"faults[{place}]")
    return rules


def read_rule(value: Any, where: str) -> Rule:
    """One rule; `where` leads to it in its document."""
    rule = object_at(value, where)
    if ("request" in rule) == ("job" in rule):
        message = f"{where} must have either 'request' or 'job', which say what it strikes."
        raise bad_request(message, where)
    met = rule.get("met", 0)
    if not is_whole(met) or not 0 <= met <= MOST_NUMBER:
        message = f"{where}.met, how many it has met so far, must be from 0 to {MOST_NUMBER}."
        raise bad_request(message, f"{where}.met")
    return _request_rule(rule, where) if "request" in rule else _job_rule(rule, where)


def _request_rule(rule: Json, where: str) -> RequestRule:
    fields_at(rule, where, ("request", "answer", "cut", "malformed", "latency_seconds", "met"))
    request = fields_at(
        rule["request"], f"{where}.request", ("method", "path", "call", "every", "times")
    )
    deeds = [name for name in ("answer", "cut", "malformed") if name in rule]
    if len(deeds) > 1:
        message = f"{where} can do only one of {' and '.join(deeds)}."
        raise bad_request(message, f"{where}.{deeds[1]}")
    if not deeds and "latency_seconds" not in rule:
        message = f"{where} must do something: answer, cut, malformed or latency_seconds."
        raise bad_request(message, where)
    return RequestRule(
        methods=_methods(request, f"{where}.request"),
        path=pattern_in(request, "path", f"{where}.request") or re.compile(".*", re.DOTALL),
        turns=_turns(request, f"{where}.request", "call"),
        latency_seconds=seconds_in(rule, "latency_seconds", where, LONGEST_WAIT) or 0.0,
        answer=_answer(rule["answer"], f"{where}.answer") if "answer" in rule else None,
        cut=_cut(rule, where),
        malformed=_malformed(rule, where),
    )


def _job_rule(rule: Json, where: str) -> JobRule:
    fields_at(rule, where, ("job", "fails", "stays", "step", "code", "message", "param", "met"))
    names = ("suffix", "model", "training_file", "metadata", "number", "every", "times")
    job = fields_at(rule["job"], f"{where}.job", names)
    if ("fails" in rule) == ("stays" in rule):
        raise bad_request(f"{where} must have either 'fails' or 'stays'.", where)
    fails: Any = "queued"
    if "fails" in rule:
        fails = choice_in(rule, "fails", where, FAILURES)
    else:
        choice_in(rule, "stays", where, ("queued",))
    if (fails == "step") != ("step" in rule):
        message = f"{where}.step, a number from 1, goes with fails: step, and only with it."
        raise bad_request(message, f"{where}.step")
    counted = [name for name in ("number", "every", "times") if name in job]
    if fails == "access" and counted:
        message = f"{where}.job.{counted[0]}: who has no access is refused every time."
        raise bad_request(message, f"{where}.job.{counted[0]}")
    return JobRule(
        suffix=pattern_in(job, "suffix", f"{where}.job"),
        model=pattern_in(job, "model", f"{where}.job"),
        training_file=pattern_in(job, "training_file", f"{where}.job"),
        metadata=texts_in(job, "metadata", f"{where}.job"),
        turns=_turns(job, f"{where}.job", "number"),
        fails=fails,
        step=number_in(rule, "step", where),
        code=text_in(rule, "code", where),
        message=text_in(rule, "message", where),
        param=text_in(rule, "param", where),
    )


def _turns(source: Json, where: str, name: str) -> Turns:
    if name in source and "every" in source:
        raise bad_request(f"{where} can have only one of {name} and every.", f"{where}.every")
    numbers = source.get(name, [])
    if name in source and not isinstance(numbers, list):
        numbers = [numbers]
    for number in numbers:
        check_number(number, f"{where}.{name}")
    if name in source and not 1 <= len(numbers) <= MOST_RULES:
        message = f"{where}.{name} must be a number or a list of 1 to {MOST_RULES} of them."
        raise bad_request(message, f"{where}.{name}")
    every = number_in(source, "every", where) or 1
    return Turns(frozenset(numbers), every, number_in(source, "times", where))


def _answer(value: Any, where: str) -> Answer:
    names = ("status", "code", "type", "message", "param", "retry_after", "headers", "body")
    answer = fields_at(value, where, names)
    status = answer.get("status")
    if not is_whole(status) or not 200 <= status <= 599 or status in BODILESS:
        message = f"{where}.status must be an HTTP status from 200 to 599 that has a body."
        raise bad_request(message, f"{where}.status")
    if status < 400 and "body" not in answer:
        message = f"{where}.body must say what is answered, since {status} is no error."
        raise bad_request(message, f"{where}.body")
    check_depth(answer.get("body"), f"{where}.body")
    return Answer(
        status=status,
        code=text_in(answer, "code", where),
        kind=text_in(answer, "type", where) or _kind(status),
        message=text_in(answer, "message", where) or f"A fault was asked for: {status}.",
        param=text_in(answer, "param", where),
        headers=(*_headers(answer, where), *_retry_after(answer, where)),
        body=answer.get("body"),
        has_body="body" in answer,
    )


def _kind(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"


def _retry_after(answer: Json, where: str) -> Pairs:
    """Whole seconds as HTTP wants them, and the exact time as the service adds it."""
    seconds = seconds_in(answer, "retry_after", where, LONGEST_WAIT)
    if seconds is None:
        return ()
    whole = ("retry-after", str(math.ceil(seconds)))
    return (whole,) if seconds == int(seconds) else (whole, ("retry-after-ms", _ms(seconds)))


def _ms(seconds: float) -> str:
    return str(math.ceil(seconds * 1000))


def _headers(answer: Json, where: str) -> Pairs:
    headers = texts_in(answer, "headers", where)
    for name, value in headers.items():
        place = f"{where}.headers.{name}"
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", name):
            raise bad_request(f"{place}: this is not the name of a header.", place)
        if name.lower() in OWN_HEADERS:
            raise bad_request(f"{place}: this header is not for a fault to set.", place)
        if not re.fullmatch(r"[\x20-\x7e]*", value):
            raise bad_request(f"{place} must be printable ASCII.", place)
    return tuple((name.lower(), value) for name, value in headers.items())


def _methods(request: Json, where: str) -> frozenset[str]:
    if "method" not in request:
        return frozenset()
    methods = request["method"] if isinstance(request["method"], list) else [request["method"]]
    names = [method.upper() if isinstance(method, str) else method for method in methods]
    if not names or any(name not in METHODS for name in names):
        message = f"{where}.method must be one of {', '.join(METHODS)}, or a list of them."
        raise bad_request(message, f"{where}.method")
    return frozenset(names)


def _cut(rule: Json, where: str) -> Cut | None:
    return cast(Cut, choice_in(rule, "cut", where, CUTS)) if "cut" in rule else None


def _malformed(rule: Json, where: str) -> Malformed | None:
    if "malformed" not in rule:
        return None
    match rule["malformed"]:
        case True:
            return "text"
        case "html" | "truncated" as kind:
            return cast(Malformed, kind)
    message = f"{where}.malformed must be true, 'html' or 'truncated'."
    raise bad_request(message, f"{where}.malformed")
