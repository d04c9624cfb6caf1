"""Keys do not stand in manifests; `extra` refers to variables, which nothing but the create has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import FINETUNE, KEY, Shell, small_project
from plain_server import World

from ftctl.manifest.manifest_files import parse_documents
from ftctl.project.written_keys import keys_written_in

HF = "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh"
Write = Callable[[Mapping[str, str]], Path]

REINFORCED = """\
method: reinforcement
validation: {source: ../data/train.jsonl}
grader: {type: string_check, name: same, operation: eq, input: a, reference: VALUE}
"""


@pytest.mark.parametrize(
    ("lines", "place", "told"),
    [
        (f"extra: {{hub: {{hf_token: {HF}}}}}", "6:25",
         ("'extra.hub.hf_token' holds what looks like a Hugging Face token, in a file that git"
          " keeps"
          "\n    hint: put it into an environment variable, and write hf_token: {env: HF_TOKEN}")),
        ("metadata: {note: sk-proj-AbCdEf0123456789AbCdEf}", "6:18",
         ("'metadata.note' holds what looks like an OpenAI key, in a file that git keeps"
          "\n    hint: take it out: everybody in the account can read it")),
        ("integrations: {wandb: {project: p, tags: [ghp_" + "Ab1" * 12 + "]}}", "6:43",
         ("'integrations.wandb.tags.0' holds what looks like a GitHub token, in a file that git"
          " keeps\n    hint: take it out: the key of Weights & Biases is registered")),
        ("extra: {hook: 'https://me:hunter2@host/x'}", "6:15",
         "'extra.hook' holds what looks like a password in an address"),
        ("extra: {list: [a, {jwt: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl}]}", "6:25",
         "'extra.list.1.jwt' holds what looks like a signed token (JWT)"),
        ("extra: {hyperparameters: {note: AKIAIOSFODNN7EXAMPLE}}", "6:33",
         ("'extra.hyperparameters.note' holds what looks like an AWS access key, in a file that git"
          " keeps\n    hint: take it out\n")),
        ("suffix: sk-proj-AbCdEf0123456789AbCdEf", "6:9", "'suffix' holds what looks like"),
        (REINFORCED.replace("VALUE", "sk-proj-AbCdEf0123456789AbCdEf"), "8:78",
         "'grader.reference' holds what looks like an OpenAI key"),
        ("extra: {a: {b: my-key-is-0f9e8d7c6b5a49382716abcdef}}", "6:16",
         "'extra.a.b' holds a key of this machine's environment"),
        ("extra: {hub: {env_file: x, token: {env: hf_token}}}", "6:41",
         ("'extra.hub.token.env' is 'hf_token', which names no variable\n    hint: write"
          " {env: HF_TOKEN} if the variable of that name is meant")),
        ("extra: {hyperparameters: {n_epochs: {env: EPOCHS}}}", "6:37",
         ("'extra.hyperparameters.n_epochs' decides what is bought, and cannot be left to a"
          " variable\n    hint: write the value itself")),
        ("extra: {trainingType: {env: KIND}}", "6:23", "'extra.trainingType' decides what is"),
        ("extra: {auth: {env: MY_KEY}}", "6:15",
         "'extra.auth' would send the service its own key as a part of the job"),
    ],
)  # fmt: skip
def test_a_key_in_a_manifest_is_told_with_its_place_and_not_shown(
    shell: Shell, write_project: Write, lines: str, place: str, told: str
) -> None:
    settings = "project: demo\nprovider: {type: openai, api_key_env: MY_KEY}\n"
    write_project(small_project(f"{FINETUNE}{lines}\n", **{"ftctl.yaml": settings}))
    shell.environ["MY_KEY"] = "0f9e8d7c6b5a49382716abcdef"

    result = shell("validate")

    assert result.status == 1
    assert f"finetunes/tone.yaml:{place}: error[" in result.out, result.out
    assert told in result.out
    hidden = ("AbCdEfGh", "AbCdEf0123", "hunter2", "Ab1Ab1", "eyJ", "AKIA", "9e8d7c6b5a")
    assert not [word for word in hidden if word in result.out + result.err]


@pytest.mark.parametrize(
    "lines",
    [
        "metadata: {env: prod, note: sk-learn-models-for-text, more: hf_datasets}",
        "extra: {tags: {env: prod}, trainingType: Standard}",
        "extra: {env: PROD}",
        "extra: {image: 'registry.example.com/a/b@sha256:0123456789abcdef0123456789abcdef'}",
        "metadata: {commit: 0f9e8d7c6b5a49382716abcdef0f9e8d7c6b5a49}",
        "extra: {source: 'https://host.example/a:b/c'}",
    ],
)
def test_what_is_no_key_is_let_by(shell: Shell, write_project: Write, lines: str) -> None:
    write_project(small_project(f"{FINETUNE}{lines}\n"))

    shell.ok("validate")


@pytest.mark.parametrize("field", ["extra", "metadata", "grader", "integrations"])
@pytest.mark.parametrize(
    "value", ["sk-proj-AbCdEf0123456789AbCdEf", "HF", "[{a: HF}, 3, null]", "3"]
)
def test_a_field_of_another_shape_is_looked_through_too(
    shell: Shell, write_project: Write, field: str, value: str
) -> None:
    value = value.replace("HF", HF)
    write_project(small_project(f"{FINETUNE}{field}: {value}\n"))

    result = shell("validate")

    assert result.status == 1
    assert ("error[written-key]" in result.out) == (value != "3")
    assert "AbCdEf" not in result.out


def test_a_key_in_the_projects_defaults_is_told_there(shell: Shell, write_project: Write) -> None:
    settings = f"project: demo\ndefaults: {{extra: {{hub: {{token: {HF}}}}}}}\n"
    more = FINETUNE.replace("tone", "kind")
    write_project(small_project(**{"ftctl.yaml": settings, "finetunes/kind.yaml": more}))

    result = shell("validate")

    assert result.out.count("ftctl.yaml:2:33: error[written-key]") == 1


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("wandb: {api_key: '4f9b2c7de01a83564f9b2c7de01a83564f9b2c7d'}", "a Weights & Biases key"),
        ("azure_openai_key: '4f9b2c7de01a83564f9b2c7de01a8356'", "an Azure key"),
        ("datadog: {token: '4f9b2c7de01a83564f9b2c7de01a83564f9b2c7d'}", "a Datadog access token"),
        ("groq: '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'", "a Groq key"),
        ("commit: '4f9b2c7de01a83564f9b2c7de01a83564f9b2c7d'", None),
        ("wandb: {commit: '4f9b2c7de01a83564f9b2c7de01a83564f9b2c7d'}", None),
    ],
)  # fmt: skip
def test_a_value_that_looks_like_any_other_is_a_key_by_the_names_around_it(
    fields: str, what: str | None
) -> None:
    text = f"kind: FineTune\nname: a\nextra:\n  {fields}\n"
    (document,), _ = parse_documents(text.encode(), "finetunes/a.yaml")

    problems = keys_written_in(document)

    assert [problem.message.split("holds ")[1].split(",")[0] for problem in problems] == (
        [] if what is None else [f"what looks like {what}"]
    )


# References.

HUB = f"{FINETUNE}extra: {{hub: {{hf_token: {{env: HF_TOKEN}}, repo: acme/tone}}}}\n"


def test_only_the_create_has_what_a_reference_stands_for(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"finetunes/tone.yaml": HUB})
    remote.environ["HF_TOKEN"] = HF
    world.before = lambda method, _path: None

    results = [
        remote.ok("plan", "-v", "--out", "plan.json"),
        remote.ok("apply", "-v", "plan.json", "--wait"),
        remote.ok("status", "--format", "json"),
        remote.ok("plan"),
    ]

    assert world.bodies[0]["hub"] == {"hf_token": HF, "repo": "acme/tone"}
    assert HF not in str(world.bodies[0]["metadata"])
    files = "".join(
        path.read_bytes().decode("utf-8", "replace")
        for path in remote.folder.rglob("*")
        if path.is_file()
    )
    assert HF not in files + "".join(one.out + one.err for one in results)
    assert '"env": "HF_TOKEN"' in (remote.folder / "plan.json").read_text("utf-8")


def test_another_value_of_the_variable_buys_nothing(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"finetunes/tone.yaml": HUB})
    remote.environ["HF_TOKEN"] = HF
    remote.ok("apply", "--auto-approve", "--wait")
    remote.environ["HF_TOKEN"] = HF[::-1]

    remote.ok("apply", "--auto-approve", "--wait")
    del remote.environ["HF_TOKEN"]
    result = remote.ok("apply", "--auto-approve", "--wait")

    assert "up to date" in result.out
    assert len(world.jobs) == 1


def test_a_variable_that_is_missing_is_told_before_anything_is_uploaded(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"finetunes/tone.yaml": HUB})

    planned = remote.ok("plan")
    result = remote("apply", "--auto-approve")

    assert "1 to create" in planned.out
    assert result.status == 1
    assert (
        "finetunes/tone.yaml:6:25: error[missing-variable]: the environment variable HF_TOKEN is"
        " not set; it holds what is sent here\n    hint: export HF_TOKEN=…\n"
    ) in result.err
    assert (world.files, world.jobs) == ([], [])


def test_a_child_that_waits_for_its_parent_has_its_variable_asked_for_at_once(
    remote: Shell, world: World, write_project: Write
) -> None:
    child = HUB.replace("name: tone", "name: child")
    child = child.replace("gpt-4.1-mini-2025-04-14", "{finetune: tone}")
    write_project({"finetunes/child.yaml": child})

    result = remote("apply", "--auto-approve", "--wait")

    assert "finetunes/child.yaml:6:25: error[missing-variable]" in result.err
    assert (world.files, world.jobs) == ([], [])


def test_what_the_service_says_of_a_secret_is_not_repeated(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"finetunes/tone.yaml": HUB})
    remote.environ["HF_TOKEN"] = "plain-words-that-let-in"
    fault = (400, {"error": {"message": "cannot read acme/tone with plain-words-that-let-in"}})
    world.before = lambda method, path: (
        fault if (method, path) == ("POST", "/fine_tuning/jobs") else None
    )

    result = remote("apply", "--auto-approve")

    assert "cannot read acme/tone with [redacted]" in result.err
    assert "plain-words" not in result.out + result.err
    assert KEY not in result.out + result.err


def test_the_embedded_api_gets_the_value_too(shell: Shell, write_project: Write) -> None:
    write_project(small_project(HUB))

    missing = shell("apply", "--auto-approve")
    shell.environ["HF_TOKEN"] = HF
    shell.ok("apply", "--auto-approve", "--wait")

    assert "error[missing-variable]" in missing.err


def test_a_secret_that_a_job_repeats_is_in_no_output_and_no_lock(
    remote: Shell, world: World, write_project: Write
) -> None:
    write_project({"finetunes/tone.yaml": HUB})
    remote.environ["HF_TOKEN"] = "plain-words-that-let-in"
    world.tells = lambda body: {
        "error": {"code": "note", "message": f"pushed with {body['hub']['hf_token']}"},
        "hyperparameters": {"hub_token": body["hub"]["hf_token"], "n_epochs": 3},
    }

    results = [
        remote.ok("apply", "--auto-approve", "--wait"),
        remote.ok("status", "--format", "json"),
        remote.ok("plan", "--format", "json"),
    ]

    lock = (remote.folder / "ftctl.lock").read_text("utf-8")
    assert "plain-words" not in lock + "".join(one.out + one.err for one in results)
    assert "n_epochs" in lock
