"""Which service trains: one row for each that speaks this wire, with what is peculiar to it.

Sources and dates stand in docs/services.md; an unverified fact costs an edit of its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

# What services call the states of a job, by the letters and digits of the word, and our word for
# it. OpenAI's own words are among them, since some send those in capitals. The sources are the
# SDK's `FineTuningJob.status` and the documentation of Azure (notRunning), Mistral (SUCCESS),
# Together (user_error) and Vertex, which writes JOB_STATE_EXPIRED.
STATUS_WORDS: Mapping[str, str] = {
    "".join(filter(str.isalnum, word)): ours
    for ours, words in {
        "validating_files": "validating_files validating",
        "queued": "queued pending created enqueued not_running scheduled submitted",
        "running": "running in_progress training started",
        "paused": "paused",
        "succeeded": "succeeded success successful completed complete",
        "failed": "failed failure failed_validation error user_error expired timed_out timeout",
        "cancelled": "cancelled canceled aborted stopped user_stopped",
    }.items()
    for word in words.split()
}
_FOREWORDS = ("jobstate", "jobstatus")


@dataclass(frozen=True, slots=True)
class Service:
    """A wire-compatible service.

    `refuses` maps fields of a FineTune that it does not take to the reason that people are told;
    `wants` fields of `extra` that it may not do without to the value that is meant most often.
    `cures` are what it says when it refuses, in part, each with what to do then.
    """

    type: str
    base_url: str | None = None  # None: must be configured
    base_url_env: str | None = None
    base_url_path: str = ""  # what the address in that variable leaves out at its end
    api_key_env: str = "OPENAI_API_KEY"
    hyperparameters: Literal["method", "top-level"] = "method"
    ownership_store: Literal["metadata", "file-name"] = "metadata"  # users write `mark`
    methods: frozenset[str] = frozenset({"supervised", "dpo", "reinforcement"})
    refuses: Mapping[str, str] = field(default_factory=dict)
    suffix_pattern: str = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
    page_size: int = 100  # jobs asked for at once
    poll_seconds: float = 10.0  # between two looks at a running job
    billed: bool = True
    images_per_example: int = 10  # OpenAI's vision guide, 2026-07; Azure's documentation has 64
    lists_models: bool = True  # False: that a model is in no list says nothing
    names_models: bool = True  # False: a job that succeeded is itself its model
    rate_field: str = "learning_rate_multiplier"  # what the request calls that
    absolute_rates: bool = False  # it is the learning rate, and not a factor of the service's own
    serving: str = ""  # what must be done with a model that has no name; JOB is its job
    wants: Mapping[str, str] = field(default_factory=dict)
    cures: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=lambda: STATUS_WORDS)

    def status_of(self, word: str) -> str:
        """What a word for a job's state means; the word itself where it is none that we know."""
        letters = "".join(filter(str.isalnum, word.lower()))
        for foreword in _FOREWORDS:
            letters = letters.removeprefix(foreword)
        return self.statuses.get(letters, word)

    def with_ownership_store(self, store: str) -> Service:
        """The same service with another place for our ownership tag."""
        return replace(self, ownership_store="file-name" if store == "file-name" else "metadata")


SERVICES: Mapping[str, Service] = {
    row.type: row
    for row in (
        Service(
            "openai",
            base_url="https://api.openai.com/v1",
            base_url_env="OPENAI_BASE_URL",
        ),
        # Whether Azure keeps metadata is not confirmed: `mark: file-name` in ftctl.yaml if not.
        Service(
            "azure",
            base_url_env="AZURE_OPENAI_ENDPOINT",
            base_url_path="/openai/v1",
            api_key_env="AZURE_OPENAI_API_KEY",
            images_per_example=64,
            wants={"trainingType": "GlobalStandard"},
            cures={
                "does not support fine-tuning": "where the model can be trained here, what is"
                " missing is the kind of training: add 'extra: {trainingType: GlobalStandard}'"
            },
        ),
        Service(
            "nebius",
            base_url="https://api.tokenfactory.nebius.com/v1/",
            api_key_env="NEBIUS_API_KEY",
            hyperparameters="top-level",
            ownership_store="file-name",
            methods=frozenset({"supervised"}),
            # Its job schema, as published: no fine_tuned_model, and learning_rate. A model is a job
            # and one of its checkpoints.
            lists_models=False,
            names_models=False,
            rate_field="learning_rate",
            absolute_rates=True,
            serving="POST /v0/models at nebius with"
            ' {"name": …, "base_model": …, "source": "JOB:CHECKPOINT"} serves it',
        ),
        Service(
            "bedrock",
            api_key_env="AWS_BEARER_TOKEN_BEDROCK",
            ownership_store="file-name",
            methods=frozenset({"reinforcement"}),
            refuses={
                "suffix": "bedrock takes no suffix",
                "integrations": "bedrock documents no integrations",
            },
        ),
        Service("compatible", base_url_env="OPENAI_BASE_URL"),
        Service("emulator", base_url="emulator://.ftctl", poll_seconds=0.2, billed=False),
    )
}
