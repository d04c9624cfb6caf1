"""What a probe tells of a service from jobs that are there, each with what it means for trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from conftest import FINETUNE, Shell, small_project
from plain_server import World
from scenes import BASE, dataset

from ftctl.catalog import load_catalog
from ftctl.catalog.services import SERVICES
from ftctl.doctor.habits import Seen, look_at_cancels, look_at_habits, models_to_ask
from ftctl.domain.digest import file_name
from ftctl.domain.spec_memory import packed_spec
from ftctl.providers.ownership import tags_for
from ftctl.providers.protocol import Answer

SHA = dataset("rows").sha256
DIGEST = "v1:" + "5" * 64
PLAIN = file_name("demo", "rows", SHA)
MARKED = file_name("demo", "tone", SHA, DIGEST)
SPEC = packed_spec({"base_model": BASE, "hyperparameters": {"n_epochs": 3}}, frozenset())
MODEL = f"ft:{BASE}:acme::a1"
OPENAI = SERVICES["openai"]
IN_NAMES = OPENAI.with_ownership_store("file-name")
GONE = Answer(404, 0.1, {"error": {}})


def job(name: str = "ftjob-1", **more: Any) -> dict[str, Any]:
    tags = tags_for("demo", "tone", DIGEST, spec=SPEC)
    usual = {"id": name, "status": "succeeded", "created_at": 100, "training_file": "file-1",
             "metadata": tags, "fine_tuned_model": MODEL, "model": BASE,
             "hyperparameters": {"n_epochs": 3}}  # fmt: skip
    return usual | more


def a_list(*entries: Mapping[str, Any], more: bool = False) -> Answer:
    return Answer(200, 0.1, {"data": list(entries), "has_more": more})


def seen(*jobs: Mapping[str, Any], file: str | None = PLAIN, **more: Any) -> Seen:
    """An honest service, but for what is told of it."""
    files = a_list({"id": "file-1", "filename": file}) if file else a_list()
    models = a_list({"id": BASE}, {"id": MODEL})
    there = Seen("demo", OPENAI, a_list(*jobs), a_list(*jobs), files, models, {}, {})
    return replace(there, **more)


def told(one: Seen) -> dict[str, str]:
    """Each line, by its subject."""
    found = [str(result) for result in look_at_habits(one, load_catalog())]
    lines = {line[6:].partition(":")[0]: line for line in found}
    assert len(lines) == len(found)
    return lines


def test_an_honest_service_is_told_of_without_a_warning() -> None:
    assert list(told(seen(job(), recorded={"ftjob-1": Answer(200, 0.1, job())})).values()) == [
        "ok    marks: metadata is kept: 1 job with our mark in it",
        "ok    file names: they come back as they were sent (1 job)",
        "ok    model names: 1 model of ours listed",
        "ok    hyperparameters: as they were asked for in 1 job",
        "ok    filter: it finds jobs by our mark",
        "ok    lists: 1 job on record there, as the list says",
        "ok    states: its words are known",
    ]


def test_where_nothing_of_ours_is_there_only_a_purchase_can_tell() -> None:
    theirs = job(metadata={"ftctl_project": "other"}, training_file="file-9", status="moon")

    assert told(seen()) == {"marks": told(seen())["marks"]}
    assert "only a purchase can tell; apply looks at its first one" in told(seen())["marks"]
    assert "only a purchase can tell" in told(seen(theirs, filtered=a_list()))["marks"]


@pytest.mark.parametrize("metadata", [None, {}, {"mine": "x"}])
def test_metadata_that_was_dropped_is_told_with_the_setting_that_helps(metadata: Any) -> None:
    line = told(seen(job(metadata=metadata)))["marks"]

    assert line == (
        "warn  marks: ftjob-1 came back without our mark: metadata is not kept, so apply stops at"
        " its first job  -> set 'mark: file-name' below 'provider' in ftctl.yaml"
    )


def test_a_job_on_record_is_ours_whatever_its_file_is_called() -> None:
    bare = job(metadata=None, training_file="file-9")
    on_record = {"ftjob-1": Answer(200, 0.1, bare)}

    assert "came back without our mark" in told(seen(bare, recorded=on_record))["marks"]
    assert "only a purchase" in told(seen(bare))["marks"]
    theirs = job(metadata={"ftctl_project": "other"}, training_file="file-1")
    on_record = {"ftjob-1": Answer(200, 0.1, theirs)}
    assert "only a purchase" in told(seen(theirs, recorded=on_record))["marks"]


def test_a_mark_in_the_name_of_a_file_says_nothing_of_metadata() -> None:
    by_file = seen(job(metadata=None), file=MARKED)

    assert told(by_file)["marks"] == (
        "ok    marks: 1 job with our mark in a file's name; whether metadata is kept, only a"
        " purchase can tell, and apply looks at its first one"
    )
    assert told(replace(by_file, service=IN_NAMES))["marks"] == (
        "ok    marks: 1 job with our mark in the name of a file"
    )


def test_names_of_files_that_were_shortened_lose_the_mark_that_they_carry() -> None:
    bare, short = job(metadata=None), MARKED[:40]
    on_record = {"ftjob-1": Answer(200, 0.1, bare)}
    lines = told(seen(bare, file=short, service=IN_NAMES, filtered=None, recorded=on_record))

    assert lines["file names"] == (
        "fail  file names: file-1 came back with another name, and our mark is lost with it"
        "  -> set 'mark: metadata' below 'provider' in ftctl.yaml"
    )
    assert lines["marks"] == (
        "warn  marks: ftjob-1 came back without our mark, which stands in the name of its file"
        "  -> look at 'file names' here; else set 'mark: metadata' below 'provider' in ftctl.yaml"
    )
    assert told(seen(job(), file="a"))["file names"].startswith(
        "warn  file names: file-1 came back with another name: each is sent once more"
    )


def test_a_filter_that_finds_nothing_is_told_with_what_is_read_instead() -> None:
    assert told(seen(job(), filtered=a_list()))["filter"] == (
        "warn  filter: it does not find ftjob-1: the unfiltered list is read before a purchase"
        "  -> 'mark: file-name' asks for no filter"
    )
    many = a_list(job("ftjob-2"), more=True)
    assert told(seen(job(), filtered=many))["filter"].startswith("ok")  # it may be on the next page
    by_file = job("ftjob-2", metadata=None, training_file="file-1")
    assert "filter" not in told(seen(by_file, file=MARKED, filtered=a_list()))


def test_a_filter_that_is_refused_or_ignored_costs_a_longer_list() -> None:
    refused = Answer(400, 0.1, {"error": {}})
    stranger = job("ftjob-9", metadata=None, training_file="file-9")

    assert told(seen(job(), filtered=refused))["filter"] == (
        "warn  filter: the list by our mark is refused (HTTP 400): the whole one is read"
        "  -> 'mark: file-name' asks for no filter"
    )
    assert told(seen(filtered=refused))["filter"].startswith("warn")
    assert told(seen(job(), stranger))["filter"] == (
        "ok    filter: it lets other jobs through: each mark is looked at all the same"
    )
    assert "filter" not in told(seen(job(), service=IN_NAMES, filtered=None))


def test_a_model_that_this_key_cannot_see_is_told() -> None:
    unlisted = seen(job(), models=a_list({"id": BASE}))

    assert models_to_ask(unlisted) == (MODEL,)
    assert told(replace(unlisted, names={MODEL: GONE}))["model names"] == (
        f"warn  model names: {MODEL} shows neither in the list nor by its name: hidden, or deleted"
        "  -> use a key that sees it; until then plan shows it as attention and buys nothing"
    )
    by_name = replace(unlisted, names={MODEL: Answer(200, 0.1, {"id": MODEL})})
    assert told(by_name)["model names"] == (
        f"ok    model names: {MODEL} is in no list; models are asked for by their names as well"
    )
    unsure = replace(unlisted, names={MODEL: Answer(403, 0.1, {})})
    assert told(unsure)["model names"].startswith("ok")
    assert "gives models no names" in told(seen(job(), service=SERVICES["nebius"]))["model names"]


def test_a_job_without_the_name_of_its_model_is_told() -> None:
    nameless = job(fine_tuned_model=None)

    assert told(seen(nameless))["model names"] == (
        "warn  model names: ftjob-1 succeeded and names no model: it counts as one that runs"
        "  -> look again later; nothing is bought for it meanwhile"
    )
    assert "model names" not in told(seen(job(fine_tuned_model=None, status="running")))


def test_a_list_that_lags_is_told() -> None:
    record = {"ftjob-1": Answer(200, 0.1, job())}

    assert told(seen(recorded=record))["lists"] == (
        "warn  lists: ftjob-1 is there by its id and not in the list: it lags, or leaves out"
        "  -> keep ftctl.lock in git: a job on record is asked for by its id before a purchase"
    )
    later = job("ftjob-2", created_at=200)
    further_on = seen(later, jobs=a_list(later, more=True), recorded=record)
    assert told(further_on)["lists"].startswith("ok")
    assert told(seen(later, recorded=record))["lists"].startswith("warn")


def test_a_job_on_record_that_is_not_in_the_account_is_told() -> None:
    assert told(seen(recorded={"ftjob-1": GONE}))["lists"] == (
        "warn  lists: ftjob-1 is on record and not in this account"
        "  -> see that the key is right: plan buys nothing that is on record"
    )


def test_words_for_states_are_told() -> None:
    moon = job(status="mo\x1b[2Jon")

    assert told(seen(job(status="SUCCEEDED"), job("ftjob-2", status="completed")))["states"] == (
        "ok    states: it says SUCCEEDED for succeeded, completed for succeeded"
    )
    assert told(seen(job(status="moon")))["states"] == (
        "warn  states: not known here: moon; such a job counts as running until it has an end"
        "  -> give 'wait' a --timeout"
    )
    assert "not known here: (a name that is none);" in told(seen(moon))["states"]
    assert "states" not in told(seen(job(status=7)))


def test_numbers_that_were_changed_are_told() -> None:
    changed = job(hyperparameters={"n_epochs": 8})

    assert told(seen(changed))["hyperparameters"] == (
        "warn  hyperparameters: ftjob-1 trains n_epochs 8, asked was 3"
        "  -> 'exact_hyperparameters: true' below 'policy' cancels such a job at once"
    )
    assert "hyperparameters" not in told(seen(job(hyperparameters=None)))
    assert "hyperparameters" not in told(seen(job(created_at="yesterday", status=None)))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GONE, "ok    may cancel: the service only misses the job that it was asked for (HTTP 404"),
        (Answer(404, 0.1), "warn  may cancel: the service does not know how (HTTP 404)"),
        (Answer(405, 0.1, {}), "warn  may cancel: the service does not know how (HTTP 405)"),
        (Answer(403, 0.1, {}), "warn  may cancel: the key may not cancel jobs (HTTP 403)"),
        (Answer(None, 9.0), "warn  may cancel: nothing can be told from the answer (no answer)"),
    ],
)
def test_how_a_cancel_is_refused_tells_whether_there_is_one(answer: Answer, words: str) -> None:
    assert str(look_at_cancels(answer)).startswith(words)


@pytest.mark.parametrize("answer", [Answer(None, 9.0), Answer(200, 0.1, {"data": [{"id": 5}, {}]})])
def test_odd_answers_are_no_crash(answer: Answer) -> None:
    odd = seen(jobs=answer, filtered=answer, files=answer, models=answer, recorded={"a": answer})

    assert told(odd)["marks"].startswith("ok    marks: nothing of this project is there")


# With a service behind the command.


def lines_of(shell: Shell) -> Callable[[str], str]:
    out = shell("doctor", "--probe").out
    return lambda subject: next(one for one in out.splitlines() if one[6:].startswith(subject))


def test_a_probe_tells_of_the_service_what_its_jobs_show(remote: Shell, world: World) -> None:
    only = lines_of(remote)("marks")
    world.jobs.clear()  # the plain server takes the job that cannot be
    remote.ok("apply", "--auto-approve", "--wait")

    line = lines_of(remote)

    assert "only a purchase can tell" in only
    assert line("marks").startswith("ok    marks: metadata is kept")
    assert line("filter").startswith("ok")
    assert line("model names").startswith("ok    model names: 1 model of ours listed")
    assert line("lists").startswith("ok    lists: 1 job on record there")


def test_without_a_probe_none_of_it_is_asked(remote: Shell, world: World) -> None:
    remote.ok("apply", "--auto-approve", "--wait")
    world.targets.clear()

    out = remote("doctor").out

    assert "marks: " not in out
    assert [one for one in world.targets if "metadata" in one or "ftjob" in one] == []


def test_a_probe_on_the_embedded_api_tells_of_its_jobs(
    shell: Shell, write_project: Callable[[Mapping[str, str]], object]
) -> None:
    write_project(small_project(FINETUNE + "hyperparameters: {n_epochs: 1}\n"))
    shell.ok("apply", "--auto-approve", "--wait")

    line = lines_of(shell)

    for subject in ("marks", "filter", "file names", "model names", "hyperparameters", "lists"):
        assert line(subject).startswith("ok"), line(subject)
    assert line("may cancel").startswith("ok")
