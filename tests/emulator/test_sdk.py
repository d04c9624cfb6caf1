"""What the openai SDK does beyond single calls: pages, raw and streamed answers, asyncio."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx2
import openai
import pytest

from emulator.lab import Lab, chats
from ftctl.emulator import EmulatorTransport, serve


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    with lab.emulator:
        yield lab


@pytest.fixture
def client(lab: Lab) -> Iterator[openai.OpenAI]:
    http = httpx2.Client(transport=EmulatorTransport(lab.emulator))
    with openai.OpenAI(
        api_key="any",
        admin_api_key="any",
        base_url="http://emulator/v1",
        max_retries=0,
        http_client=http,
    ) as client:
        yield client


def test_files_are_paged_by_themselves(lab: Lab, client: openai.OpenAI) -> None:
    made = [lab.upload() for _ in range(7)]

    newest_first = [file.id for file in client.files.list(limit=2)]
    oldest_first = [file.id for file in client.files.list(limit=3, order="asc")]

    assert newest_first == made[::-1]
    assert oldest_first == made


def test_jobs_events_and_checkpoints_are_paged_by_themselves(
    lab: Lab, client: openai.OpenAI
) -> None:
    made = [lab.create(hyperparameters={"n_epochs": 3})["id"] for _ in range(5)]
    lab.now += 100
    jobs = client.fine_tuning.jobs

    listed = [job.id for job in jobs.list(limit=2)]
    events = list(jobs.list_events(made[0], limit=2))
    checkpoints = list(jobs.checkpoints.list(made[0], limit=1))

    assert listed == made[::-1]
    assert [event.message for event in events][::-1] == lab.messages(made[0])
    assert len(events) > 4
    assert [one.step_number for one in checkpoints] == sorted(
        {one.step_number for one in checkpoints}, reverse=True
    )
    assert len(checkpoints) == 3


def test_permissions_are_made_listed_and_deleted(lab: Lab, client: openai.OpenAI) -> None:
    job = lab.create()
    lab.now += 100
    model = lab.job(job["id"])["fine_tuned_model"]
    permissions = client.fine_tuning.checkpoints.permissions
    projects = [f"proj_{number}" for number in range(5)]

    made = permissions.create(model, project_ids=projects)
    pages = [permissions.list(model, limit=2, order="ascending")]
    while pages[-1].has_next_page():
        pages.append(pages[-1].get_next_page())
    gone = permissions.delete(pages[0].data[0].id, fine_tuned_model_checkpoint=model)

    assert [one.project_id for one in made] == projects
    assert [one.project_id for page in pages for one in page.data] == projects
    assert (gone.deleted, gone.id) == (True, pages[0].data[0].id)


def test_a_raw_answer_has_its_headers_and_parses_into_the_same(
    lab: Lab, client: openai.OpenAI
) -> None:
    job = lab.create(suffix="raw")

    raw = client.fine_tuning.jobs.with_raw_response.retrieve(job["id"])

    assert raw.headers["content-type"] == "application/json"
    assert raw.request_id == raw.headers["x-request-id"]
    assert raw.request_id.startswith("req_")
    assert raw.parse() == client.fine_tuning.jobs.retrieve(job["id"])
    assert json.loads(raw.text) == lab.job(job["id"])


def test_a_files_content_can_be_streamed_to_disk(
    lab: Lab, client: openai.OpenAI, tmp_path: Path
) -> None:
    content = chats(500)
    file = lab.upload(content)
    path = tmp_path / "copy.jsonl"

    with client.files.with_streaming_response.content(file) as answer:
        answer.stream_to_file(path)
    read = client.files.content(file).read()

    assert path.read_bytes() == read == content


def test_a_file_is_processed_at_once(lab: Lab, client: openai.OpenAI) -> None:
    file = client.files.wait_for_processing(lab.upload(), max_wait_seconds=1)

    assert file.status == "processed"


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_large_file_is_uploaded_in_parts(
    client: openai.OpenAI, tmp_path: Path, in_memory: bool
) -> None:
    content = chats(2000)
    path = tmp_path / "large.jsonl"
    path.write_bytes(content)
    wanted = {"mime_type": "text/jsonl", "purpose": "fine-tune", "part_size": 50_000}
    checksum = hashlib.md5(content).hexdigest()

    upload = client.uploads.upload_file_chunked(  # type: ignore[call-overload]
        file=content if in_memory else path,
        **({"filename": "large.jsonl", "bytes": len(content)} if in_memory else {}),
        md5=checksum,
        **wanted,
    )

    assert (upload.status, upload.file.filename) == ("completed", "large.jsonl")
    assert client.files.content(upload.file.id).read() == content


def test_an_upload_with_another_checksum_makes_no_file(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.uploads.upload_file_chunked(
            file=chats(12),
            filename="a.jsonl",
            bytes=len(chats(12)),
            mime_type="text/jsonl",
            purpose="fine-tune",
            md5="0" * 32,
        )

    assert caught.value.param == "md5"
    assert list(client.files.list()) == []


def test_an_answer_in_pieces_adds_up_to_the_whole(client: openai.OpenAI) -> None:
    def ask(text: str) -> str:
        with client.chat.completions.stream(
            model="gpt-4o", messages=[{"role": "user", "content": text}], seed=3, temperature=0
        ) as stream:
            pieces = [event.delta for event in stream if event.type == "content.delta"]
            whole = stream.get_final_completion().choices[0].message.content
        assert "".join(pieces) == whole
        return whole or ""

    one_piece = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], seed=3, temperature=0
    )

    assert ask("Hello") == one_piece.choices[0].message.content


def test_stored_completions_are_paged_by_themselves(client: openai.OpenAI) -> None:
    made = [
        client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": f"Question {number}?"}],
            max_completion_tokens=2,
            store=True,
        ).id
        for number in range(5)
    ]

    listed = [one.id for one in client.chat.completions.list(limit=2)]
    said = list(client.chat.completions.messages.list(made[3], limit=1))

    assert listed == made
    assert [message.content for message in said] == ["Question 3?"]


def test_models_of_any_name_are_found_and_deleted(lab: Lab, client: openai.OpenAI) -> None:
    job = lab.create(suffix="a/b c%2Fé")
    lab.now += 100
    name = lab.job(job["id"])["fine_tuned_model"]

    found = client.models.retrieve(name)

    assert found.id == name
    assert name in {model.id for model in client.models.list()}
    assert client.models.delete(name).deleted
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(name)


def test_refusals_are_the_sdks_own_errors(lab: Lab, client: openai.OpenAI) -> None:
    job = lab.create()
    jobs = client.fine_tuning.jobs

    with pytest.raises(openai.NotFoundError) as missing:
        jobs.retrieve("ftjob-none")
    with pytest.raises(openai.BadRequestError) as early:
        jobs.resume(job["id"])
    with pytest.raises(openai.PermissionDeniedError) as base:
        client.models.delete("gpt-4o")

    assert missing.value.code == "fine_tune_not_found"
    assert early.value.code == "invalid_job_status"
    assert base.value.param == "model"
    assert base.value.request_id is not None


def test_an_asyncio_client_works_over_a_socket(lab: Lab) -> None:
    async def live(url: str) -> tuple[list[str], str, list[str]]:
        async with openai.AsyncOpenAI(api_key="any", base_url=url, max_retries=0) as client:
            file = await client.files.create(file=("a.jsonl", chats(12)), purpose="fine-tune")
            made = await asyncio.gather(
                *(
                    client.fine_tuning.jobs.create(model="gpt-4o", training_file=file.id)
                    for _ in range(5)
                )
            )
            listed = [job.id async for job in client.fine_tuning.jobs.list(limit=2)]
            assert set(listed) == {job.id for job in made}
            stream = await client.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": "Hello"}],
                temperature=0,
                stream=True,
            )
            pieces = [
                chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices
            ]
            whole = await client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], temperature=0
            )
            return pieces, whole.choices[0].message.content or "", listed

    with serve(lab.emulator).start() as server:
        pieces, whole, listed = asyncio.run(live(server.url))

    assert len(listed) == 5
    assert "".join(pieces) == whole


def test_a_stream_that_is_left_early_leaves_the_emulator_working(
    lab: Lab, client: openai.OpenAI
) -> None:
    stream = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True
    )

    first = list(islice(stream, 2))
    stream.close()

    assert first[0].choices[0].delta.role == "assistant"
    assert lab.create()["status"] == "validating_files"
