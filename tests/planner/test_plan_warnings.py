"""What is said before somebody says yes: that the account shows nothing that it should."""

from __future__ import annotations

from dataclasses import replace

from scenes import SERVICE, finetune, succeeded

from ftctl.domain.desired import Desired, ServiceInfo
from ftctl.domain.observed import File, Job, Observed
from ftctl.domain.witness import Witness
from ftctl.planner import PlanOptions, Scope, make_plan

TONE, VOICE = finetune("tone"), finetune("voice", n_epochs=4)
RECORD = Witness("ftctl.lock", "old", "v1:0", "ftjob-1", "ft:1", base_url=SERVICE.base_url)
WORDS = "ftctl.lock records 1 job of this address, and it does not show here: see that the key is"


def warnings(
    observed: Observed,
    *witnesses: Witness,
    service: ServiceInfo = SERVICE,
    environment: str | None = None,
) -> tuple[str, ...]:
    options = PlanOptions(witnesses=witnesses, scope=Scope(environment, environment))
    return make_plan(Desired("demo", (TONE, VOICE)), observed, service, options).warnings


def test_a_record_of_which_nothing_shows_is_told() -> None:
    assert warnings(Observed(), RECORD) == (f"{WORDS} right",)
    assert "2 jobs" in warnings(Observed(), RECORD, replace(RECORD, job="ftjob-2"))[0]


def test_one_job_of_the_record_is_enough_whoever_it_belongs_to() -> None:
    other = replace(RECORD, job="ftjob-2")
    job = Job("ftjob-2", "succeeded", 0, model="ft:2")

    assert warnings(Observed(jobs=(job,)), RECORD, other) == ()
    assert warnings(Observed(adopted=(job,)), RECORD, other) == ()
    assert warnings(Observed(others=(job,)), RECORD, other) == ()


def test_records_of_other_places_and_environments_are_not_expected_here() -> None:
    embedded = ServiceInfo("emulator", "emulator://.ftctl", billed=False)

    assert warnings(Observed(), replace(RECORD, base_url="https://elsewhere.example/v1")) == ()
    assert warnings(Observed(), replace(RECORD, base_url=f"{SERVICE.base_url}/")) != ()
    assert warnings(Observed(), replace(RECORD, base_url=None)) != ()
    assert warnings(Observed(), replace(RECORD, environment="live")) == ()
    assert warnings(Observed(), replace(RECORD, environment="live"), environment="live") != ()
    assert warnings(Observed(), replace(RECORD, source="intent")) == ()
    assert warnings(Observed(), replace(RECORD, base_url=None), service=embedded) == ()


def test_models_that_are_gone_all_at_once_are_told_of() -> None:
    tone, voice = succeeded("ftjob-1", TONE), succeeded("ftjob-2", VOICE)
    models = [str(job.model) for job in (tone, voice)]

    assert warnings(Observed(jobs=(tone, voice))) == (
        "all 2 models are gone at once: see that the key is right, and sees them",
    )
    assert warnings(Observed(jobs=(tone,))) == ()
    for model in models:
        assert warnings(Observed(jobs=(tone, voice), models=frozenset({model}))) == ()


def test_one_model_that_is_there_speaks_for_the_key() -> None:
    three = (TONE, VOICE, finetune("third", n_epochs=5))
    jobs = tuple(succeeded(f"ftjob-{one.name}", one) for one in three)
    there = frozenset({str(jobs[2].model)})

    for models, count in ((there, 0), (frozenset[str](), 1)):
        plan = make_plan(Desired("demo", three), Observed(jobs, models=models), SERVICE,
                         PlanOptions())  # fmt: skip
        assert len(plan.warnings) == count


def test_models_that_we_retired_are_not_missed() -> None:
    tone, voice = succeeded("ftjob-1", TONE), succeeded("ftjob-2", VOICE)
    retired = [
        Witness("ftctl.lock", "tone", one.digest, job.id, retired=True)
        for one, job in ((TONE, tone), (VOICE, voice))
    ]

    assert warnings(Observed(jobs=(tone, voice)), *retired) == ()


def test_what_could_not_be_read_and_files_that_were_refused_are_told_of() -> None:
    refused = File("file-1", "rows.jsonl", 10, 0, usable=False, refusal="row 7 is odd")
    fine = File("file-2", "rows.jsonl", 10, 0)
    observed = Observed(files=(refused, fine), unreadable=("job ftjob-9 cannot be read: why",))

    assert warnings(observed) == (
        "job ftjob-9 cannot be read: why",
        "rows.jsonl (file-1) is of no use: row 7 is odd",
    )
