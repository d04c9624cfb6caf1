"""Chat completions as clients meet them: over the wire, through the SDK, and kept in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.lib.streaming.chat import ContentDeltaEvent
from pydantic import BaseModel

from emulator.lab import Lab
from ftctl.emulator.server import serve
from ftctl.emulator.transport import EmulatorTransport

CHAT = "/v1/chat/completions"
WHO = [{"role": "user", "content": "Who are you?"}]
LOOK = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}
GO = {"type": "function", "function": {"name": "go"}}


class School(Lab):
    """A lab whose jobs learn."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, training=True, look_seconds=600)

    def model_of(self, *turns: tuple[str, Any], **row: Any) -> str:
        """A model that has learnt to answer each text by that message or text."""
        lines = []
        for asked, answer in turns:
            said = answer if isinstance(answer, dict) else {"content": answer}
            messages = [{"role": "user", "content": asked}, {"role": "assistant", **said}]
            lines.append(json.dumps({"messages": messages, **row}) + "\n")
        content = "".join(lines * (12 // len(lines))).encode()
        hyper = {"n_epochs": 12, "batch_size": 1, "learning_rate_multiplier": 2}
        method = {"type": "supervised", "supervised": {"hyperparameters": hyper}}
        job = self.create(training_file=self.upload(content), seed=1, method=method)
        self.now += 60
        done = self.job(job["id"])
        assert done["status"] == "succeeded", done["error"]
        name: str = done["fine_tuned_model"]
        return name

    def answer(self, **fields: Any) -> Any:
        status, completion = self.call("POST", CHAT, {"model": "gpt-4o", "messages": WHO, **fields})
        assert status == 200, completion
        return completion

    def events(self, **fields: Any) -> list[Any]:
        """The events of a stream, without the one that ends it."""
        body = {"model": "gpt-4o", "messages": WHO, "stream": True, **fields}
        response = self.send("POST", CHAT, json.dumps(body).encode())
        assert response.stream is not None, response.body
        assert dict(response.headers)["content-type"].startswith("text/event-stream")
        events = b"".join(response.stream).decode("ascii").split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""]
        return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]

    def client(self) -> openai.OpenAI:
        http = httpx2.Client(transport=EmulatorTransport(self.emulator))
        return openai.OpenAI(
            api_key="sk-any", base_url="http://emulator/v1", http_client=http, max_retries=0
        )


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    lab = School(tmp_path_factory.mktemp("school"))
    with lab.emulator:
        yield lab


@pytest.fixture(scope="module")
def sdk(school: School) -> Iterator[openai.OpenAI]:
    with school.client() as client:
        yield client


def call(name: str, arguments: str, call_id: str = "call_1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.fixture(scope="module")
def caller(school: School) -> str:
    """A model that calls tools: one for the sky, two for the moon, none for the sea."""
    return school.model_of(
        ("sky?", {"content": None, "tool_calls": [call("look", '{"at": "sky"}')]}),
        (
            "moon?",
            {
                "content": None,
                "tool_calls": [call("look", "{}"), call("go", '{"to": 1}', "call_2")],
            },
        ),
        ("sea?", "Blue."),
        tools=[LOOK, GO],
    )


def asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def test_a_base_model_says_what_it_is_and_what_the_answer_cost(school: School) -> None:
    answer = school.answer(temperature=0)

    content = answer["choices"][0]["message"]["content"]
    assert "small stand-in model of ftctl's embedded API" in content
    assert answer == {
        "id": answer["id"],
        "object": "chat.completion",
        "created": int(school.now),
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": content,
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 27,
            "total_tokens": 38,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_ftctl_emulator",
    }


def test_a_tuned_model_and_its_checkpoints_answer_as_they_learnt(school: School) -> None:
    name = school.model_of(("Capital of France?", "Paris, 파리 🙂"), ("Capital of Peru?", "Lima"))
    job = next(
        j for j in school.get("/v1/fine_tuning/jobs")["data"] if j["fine_tuned_model"] == name
    )
    checkpoints = school.get(f"/v1/fine_tuning/jobs/{job['id']}/checkpoints")["data"]
    models = [name, *(point["fine_tuned_model_checkpoint"] for point in checkpoints)]

    answers = {
        (answer["model"], answer["choices"][0]["message"]["content"])
        for model in models
        for answer in [
            school.answer(model=model, messages=asked("Capital of France?"), temperature=0)
        ]
    }

    assert len(models) == 4
    assert answers == {(model, "Paris, 파리 🙂") for model in models}


def test_a_deleted_model_does_not_answer_though_its_mind_is_loaded(school: School) -> None:
    name = school.model_of(("Hi", "Gone soon"))
    school.answer(model=name)

    school.call("DELETE", f"/v1/models/{name}")

    error = school.refused("POST", CHAT, {"model": name, "messages": WHO})
    assert (error["status"], error["code"]) == (404, "model_not_found")


def test_where_nothing_was_trained_the_base_answers(tmp_path: Path) -> None:
    lab = Lab(tmp_path, training=False)
    with lab.emulator:
        job = lab.create()
        lab.now += 60
        model = lab.job(job["id"])["fine_tuned_model"]
        _, answer = lab.call("POST", CHAT, {"model": model, "messages": WHO, "temperature": 0})

    assert answer["model"] == model
    assert "embedded API" in answer["choices"][0]["message"]["content"]


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(school: School) -> None:
    def contents(**fields: Any) -> list[str]:
        answer = school.answer(n=3, temperature=1.8, **fields)
        return [choice["message"]["content"] for choice in answer["choices"]]

    first = contents(seed=-5)

    assert first == contents(seed=-5)
    assert len(set(first)) > 1
    assert first != contents(seed=6)
    assert contents() != contents()


def test_ids_and_answers_repeat_in_a_new_state_with_the_same_id_seed(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        lab = School(tmp_path / name)
        with lab.emulator:
            fields: dict[str, Any] = {"temperature": 1.5}
            made.append([lab.answer(**fields, store=store) for store in (False, True, False)])

    assert made[0] == made[1]
    assert len({answer["id"] for answer in made[0]}) == 3


def test_an_answer_ends_at_the_limit_of_tokens_and_before_a_stop_sequence(school: School) -> None:
    limited = school.answer(temperature=0, max_completion_tokens=3)
    stopped = school.answer(temperature=0, stop=[" model", "never"])

    assert limited["choices"][0]["message"]["content"] == "I am the"
    assert limited["choices"][0]["finish_reason"] == "length"
    assert limited["usage"]["completion_tokens"] == 3
    assert stopped["choices"][0]["message"]["content"] == "I am the small stand-in"
    assert stopped["choices"][0]["finish_reason"] == "stop"


def test_log_probabilities_belong_to_what_was_said(school: School) -> None:
    answer = school.answer(logprobs=True, top_logprobs=3, max_tokens=8, seed=1)

    choice = answer["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert "".join(one["token"] for one in tokens) == choice["message"]["content"]
    assert all(bytes(one["bytes"]).decode() == one["token"] for one in tokens)
    assert all(one["logprob"] <= 0 and len(one["top_logprobs"]) == 3 for one in tokens)
    best = [[other["logprob"] for other in one["top_logprobs"]] for one in tokens]
    assert best == [sorted(found, reverse=True) for found in best]


def joined(events: list[Any], index: int) -> Any:
    """What the events of a stream tell of one choice, in the form of a whole answer's choice."""
    told = [one for event in events for one in event["choices"] if one["index"] == index]
    message: dict[str, Any] = {"content": None, "refusal": None, "annotations": []}
    for delta in (one["delta"] for one in told):
        message["role"] = message.get("role", delta.get("role"))
        if delta.get("content") is not None:
            message["content"] = (message["content"] or "") + delta["content"]
        for more in delta.get("tool_calls", []):
            calls = message.setdefault("tool_calls", [])
            if more["index"] == len(calls):
                calls.append({"id": more["id"], "type": more["type"], "function": more["function"]})
            else:
                calls[more["index"]]["function"]["arguments"] += more["function"]["arguments"]
    tokens = [
        token for one in told if one["logprobs"] for token in one["logprobs"]["content"] or []
    ]
    return {
        "index": index,
        "message": message,
        "logprobs": {"content": tokens or None, "refusal": None},
        "finish_reason": next(one["finish_reason"] for one in told if one["finish_reason"]),
    }


@pytest.mark.parametrize("text", ["sky?", "moon?", "sea?"])
def test_a_stream_tells_the_same_as_a_whole_answer(school: School, caller: str, text: str) -> None:
    fields = {"model": caller, "messages": asked(text), "tools": [LOOK, GO], "seed": 4, "n": 2}
    fields |= {"logprobs": True, "temperature": 1.2}

    whole = school.answer(**fields)
    *events, last = school.events(**fields, stream_options={"include_usage": True})

    assert (last["choices"], last["usage"]) == ([], whole["usage"])
    assert all(event["usage"] is None for event in events)
    assert [_without_ids(joined(events, index)) for index in (0, 1)] == [
        _without_ids(choice) for choice in whole["choices"]
    ]


def _without_ids(choice: Any) -> Any:
    """Two answers have two ids, and their calls too."""
    for one in choice["message"].get("tool_calls", []):
        del one["id"]
    return choice


def test_the_first_event_of_a_stream_does_not_wait_for_the_last(school: School) -> None:
    body = {"model": "gpt-4o", "messages": WHO, "stream": True, "store": True, "temperature": 0}
    response = school.send("POST", CHAT, json.dumps(body).encode())
    assert response.stream is not None

    first = json.loads(next(response.stream).removeprefix(b"data: "))

    # What is stored is stored at the end: this stream is not there yet.
    assert school.refused("GET", f"{CHAT}/{first['id']}")["status"] == 404
    assert list(response.stream)[-1] == b"data: [DONE]\n\n"
    assert school.get(f"{CHAT}/{first['id']}")["id"] == first["id"]


def test_a_stream_that_breaks_ends_with_the_fault(tmp_path: Path) -> None:
    lab = School(tmp_path)
    body = {"model": "gpt-4o", "messages": WHO, "stream": True, "store": True}
    response = lab.send("POST", CHAT, json.dumps(body).encode())
    assert response.stream is not None
    lab.emulator.close()

    events = list(response.stream)

    error = json.loads(events[-1].removeprefix(b"data: "))["error"]
    assert error["type"] == "server_error"
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("text", "wanted", "told"),
    [
        ("sky?", {}, (["""look({"at": "sky"})"""], "tool_calls")),
        ("moon?", {}, (["look({})", """go({"to": 1})"""], "tool_calls")),
        ("moon?", {"parallel_tool_calls": False}, (["look({})"], "tool_calls")),
        ("moon?", {"tool_choice": "required"}, (["look({})", """go({"to": 1})"""], "tool_calls")),
        ("moon?", {"tool_choice": "none"}, ([], "stop")),
        (
            "moon?",
            {"tool_choice": {"type": "function", "function": {"name": "go"}}},
            (["""go({"to": 1})"""], "stop"),
        ),
        ("sea?", {"tool_choice": "required"}, ([], "stop")),
    ],
)
def test_tools_are_called_as_they_were_learnt_and_as_the_request_permits(
    school: School, caller: str, text: str, wanted: Any, told: tuple[list[str], str]
) -> None:
    fields = {"model": caller, "messages": asked(text), "tools": [LOOK, GO], "temperature": 0}

    choice = school.answer(**fields, **wanted)["choices"][0]

    made = choice["message"].get("tool_calls", [])
    calls = ["{name}({arguments})".format(**one["function"]) for one in made]
    assert (calls, choice["finish_reason"]) == told
    assert all(c["id"].startswith("call_") and c["type"] == "function" for c in made)
    assert len({c["id"] for c in made}) == len(made)


def test_a_call_comes_as_a_function_call_where_functions_were_given(
    school: School, caller: str
) -> None:
    functions = [LOOK["function"], GO["function"]]

    choice = school.answer(
        model=caller, messages=asked("sky?"), functions=functions, temperature=0
    )["choices"][0]

    assert choice["message"]["function_call"] == {"name": "look", "arguments": '{"at": "sky"}'}
    assert choice["finish_reason"] == "function_call"


def test_a_learnt_refusal_is_a_refusal(school: School) -> None:
    model = school.model_of(("Rob a bank?", {"content": None, "refusal": "I will not."}))
    fields = {"model": model, "messages": asked("Rob a bank?"), "temperature": 0}

    message = school.answer(**fields)["choices"][0]["message"]
    events = school.events(**fields)

    assert (message["content"], message["refusal"]) == (None, "I will not.")
    told = [event["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("refusal") or "" for delta in told) == "I will not."


def test_the_sdk_creates_and_streams(sdk: openai.OpenAI) -> None:
    whole = sdk.chat.completions.create(model="gpt-4o", messages=WHO, temperature=0)  # type: ignore[arg-type]
    pieces = sdk.chat.completions.create(
        model="gpt-4o",
        messages=WHO,
        temperature=0,
        stream=True,  # type: ignore[arg-type]
    )
    with sdk.chat.completions.stream(model="gpt-4o", messages=WHO, temperature=0) as stream:  # type: ignore[arg-type]
        deltas = [event.delta for event in stream if isinstance(event, ContentDeltaEvent)]
        final = stream.get_final_completion()

    content = whole.choices[0].message.content
    told = [piece.choices[0].delta.content or "" for piece in pieces]
    assert "".join(told) == "".join(deltas) == final.choices[0].message.content == content
    assert len(deltas) > 10


def test_the_sdk_parses_what_a_model_learnt_to_say_as_json(
    school: School, sdk: openai.OpenAI
) -> None:
    class Colour(BaseModel):
        name: str

    model = school.model_of(("sky?", '{"name": "blue"}'))

    parsed = sdk.chat.completions.parse(
        model=model,
        messages=asked("sky?"),
        response_format=Colour,
        temperature=0,  # type: ignore[arg-type]
    )

    assert parsed.choices[0].message.parsed == Colour(name="blue")


def test_the_sdk_carries_a_conversation_with_tools_on(sdk: openai.OpenAI, caller: str) -> None:
    tools: Any = [LOOK, GO]
    messages: Any = asked("moon?")
    with sdk.chat.completions.stream(
        model=caller, messages=messages, tools=tools, temperature=0
    ) as stream:
        message = stream.get_final_completion().choices[0].message

    calls = message.tool_calls or []
    results = [{"role": "tool", "tool_call_id": c.id, "content": "done"} for c in calls]
    messages += [message.model_dump(), *results]
    after = sdk.chat.completions.create(model=caller, messages=messages, tools=tools)

    assert [c.function.name for c in calls] == ["look", "go"]
    assert after.choices[0].message.role == "assistant"


def test_the_sdk_reads_refusals_as_its_own_errors(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.chat.completions.create(model="gpt-9", messages=WHO)  # type: ignore[arg-type]
    with pytest.raises(openai.BadRequestError) as wrong:
        sdk.chat.completions.create(model="gpt-4o", messages=[], temperature=0)

    assert missing.value.code == "model_not_found"
    assert (wrong.value.param, wrong.value.code) == ("messages", "empty_array")


def test_stored_completions_are_listed_changed_and_deleted_by_the_sdk(tmp_path: Path) -> None:
    lab = School(tmp_path)
    with lab.emulator, lab.client() as client:
        kept = client.chat.completions
        made = [
            kept.create(
                model=model, messages=WHO, store=True, metadata={"k": str(place), "all": "x"}
            )  # type: ignore[arg-type]
            for place, model in enumerate(["gpt-4o", "gpt-4.1", "gpt-4o"])
        ]
        ids = [one.id for one in made]
        passing = kept.create(model="gpt-4o", messages=WHO)  # type: ignore[arg-type]

        assert [one.id for one in kept.list(limit=2)] == ids
        assert [one.id for one in kept.list(order="desc", limit=1)] == ids[::-1]
        assert [one.id for one in kept.list(model="gpt-4o")] == [ids[0], ids[2]]
        assert [one.id for one in kept.list(metadata={"k": "1", "all": "x"})] == [ids[1]]
        assert kept.retrieve(ids[1]).choices == made[1].choices
        changed = kept.update(ids[0], metadata={"k": "new"})
        assert changed.to_dict()["metadata"] == {"k": "new"}
        assert [one.id for one in kept.list(metadata={"k": "0"})] == []
        assert kept.delete(ids[0]).deleted
        assert [one.id for one in kept.list()] == ids[1:]
        for unknown in (ids[0], passing.id):
            with pytest.raises(openai.NotFoundError):
                kept.retrieve(unknown)


def test_the_messages_of_a_stored_completion_are_those_that_were_sent(school: School) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
    ]
    sent = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    answer = school.answer(messages=sent, store=True)
    messages = f"{CHAT}/{answer['id']}/messages"

    first = school.get(f"{messages}?limit=1")
    rest = school.get(f"{messages}?limit=1&after={first['last_id']}")

    system, user = f"{answer['id']}-0", f"{answer['id']}-1"
    common = {"refusal": None, "name": None}
    assert first == {
        "object": "list",
        "data": [
            {
                "id": system,
                "role": "system",
                "content": "Be brief.",
                **common,
                "content_parts": None,
            }
        ],
        "first_id": system,
        "last_id": system,
        "has_more": True,
    }
    assert rest["data"] == [
        {"id": user, "role": "user", "content": "What is this?", **common, "content_parts": parts}
    ]
    assert [one["id"] for one in school.get(f"{messages}?order=desc")["data"]] == [user, system]
    assert school.refused("GET", f"{messages}?after=none")["status"] == 404


def test_a_completion_is_stored_with_what_was_asked(school: School) -> None:
    made = school.answer(store=True, seed=3, temperature=0.5, user="me", tools=[LOOK])

    stored = school.get(f"{CHAT}/{made['id']}")

    assert stored == {
        **made,
        "metadata": {},
        "seed": 3,
        "temperature": 0.5,
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "tools": [LOOK],
        "tool_choice": None,
        "response_format": None,
        "input_user": "me",
    }


def test_the_database_is_free_while_an_answer_is_thought_out(school: School) -> None:
    body = {"model": "gpt-4o", "messages": WHO, "stream": True}
    response = school.send("POST", CHAT, json.dumps(body).encode())
    assert response.stream is not None
    next(response.stream)

    other = Lab(school.folder)
    with other.emulator:
        uploaded = other.upload()

    assert uploaded.startswith("file-")
    assert list(response.stream)[-1] == b"data: [DONE]\n\n"


def test_a_stream_comes_over_a_socket_piece_by_piece(school: School) -> None:
    body = json.dumps({"model": "gpt-4o", "messages": WHO, "temperature": 0, "stream": True})
    headers = {"authorization": "Bearer any"}

    with (
        serve(school.emulator).start() as server,
        httpx2.stream(
            "POST", f"{server.url}/chat/completions", content=body, headers=headers
        ) as got,
    ):
        lines = [line for line in got.iter_lines() if line]

    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines[:-1]]
    told = "".join(delta.get("content") or "" for delta in deltas)
    assert told == school.answer(temperature=0)["choices"][0]["message"]["content"]
    assert (len(deltas) > 10, lines[-1]) == (True, "data: [DONE]")
