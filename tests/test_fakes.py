"""The service in memory behaves as it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeProvider

from ftctl.domain.observed import Job
from ftctl.domain.plan import FileRef, StartJob, Upload
from ftctl.errors import ProviderError
from ftctl.providers.ownership import DIGEST, FINETUNE, PROJECT

_TAGS = {PROJECT: "demo", FINETUNE: "tone", DIGEST: "v1:1"}


def upload(provider: FakeProvider) -> None:
    provider.upload(Upload("tone", "train.jsonl", "train.jsonl", "0" * 64, 10), Path("train.jsonl"))


def buy(provider: FakeProvider) -> Job:
    step = StartJob("tone", "v1:1", {}, "gpt", FileRef("tone", "train.jsonl", "0" * 64), None)
    return provider.start_job(
        step, base_model="gpt", training_file="file-1", validation_file=None, tags=_TAGS
    )


def test_a_filter_that_finds_nothing_leaves_the_whole_list() -> None:
    provider = FakeProvider(filter_finds_nothing=True)
    bought = buy(provider)

    assert provider.jobs("demo") == ()
    assert provider.jobs("demo", whole=True) == (bought,)


def test_dropped_metadata_leaves_jobs_without_our_mark() -> None:
    provider = FakeProvider(metadata_dropped=True)
    upload(provider)
    bought = buy(provider)

    observed = provider.observe_account(provider.observe("demo"), "demo", None)

    assert bought.digest is None
    assert provider.job(bought.id).digest is None
    assert (observed.jobs, [job.id for job in observed.strangers]) == ((), [bought.id])


def test_hidden_models_are_not_visible_by_name_either() -> None:
    provider = FakeProvider(models_hidden=True)
    provider.models.add("ft:gpt")

    assert provider.observe("demo").models == frozenset()
    assert not provider.model_visible("ft:gpt")


def test_other_hyperparameters_are_told() -> None:
    assert buy(FakeProvider(hyperparameters_changed={"n_epochs": 8})).hyperparameters == {
        "n_epochs": 8
    }


def test_a_pending_file_is_refused_until_it_is_ready() -> None:
    provider = FakeProvider(file_pending_seconds=5)
    upload(provider)

    with pytest.raises(ProviderError) as caught:
        buy(provider)
    provider.clock.time += 5

    assert (caught.value.status, provider.bought) == (400, 0)
    assert buy(provider).training_file == "file-1"


def test_a_refused_cancel_leaves_the_job() -> None:
    provider = FakeProvider(cancel_refused=True)
    bought = buy(provider)

    with pytest.raises(ProviderError):
        provider.cancel_job(bought.id)

    assert provider.job(bought.id).in_progress
