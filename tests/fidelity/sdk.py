"""Answers -> where the SDK's own types do not take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fidelity.contradictions import as_meant
from fidelity.exchanges import Answered, Asked
from fidelity.judge import Violation


@cache
def sdk_types() -> Mapping[str, Any]:
    """The SDK's own type of each operation's answer, by the operation's id in the specification."""
    from openai import pagination, types
    from openai.types import chat, fine_tuning, uploads
    from openai.types.chat.chat_completion_store_message import ChatCompletionStoreMessage
    from openai.types.fine_tuning import alpha, checkpoints
    from openai.types.fine_tuning import jobs as job_types

    cursor: Any = pagination.SyncCursorPage
    job = fine_tuning.FineTuningJob
    return {
        "createFile": types.FileObject,
        "retrieveFile": types.FileObject,
        "listFiles": cursor[types.FileObject],
        "deleteFile": types.FileDeleted,
        "createUpload": types.Upload,
        "addUploadPart": uploads.UploadPart,
        "completeUpload": types.Upload,
        "cancelUpload": types.Upload,
        **dict.fromkeys(("createFineTuningJob", "retrieveFineTuningJob"), job),
        **{f"{verb}FineTuningJob": job for verb in ("cancel", "pause", "resume")},
        "listPaginatedFineTuningJobs": cursor[job],
        "listFineTuningEvents": cursor[fine_tuning.FineTuningJobEvent],
        "listFineTuningJobCheckpoints": cursor[job_types.FineTuningJobCheckpoint],
        "listFineTuningCheckpointPermissions": checkpoints.PermissionRetrieveResponse,
        "createFineTuningCheckpointPermission": pagination.SyncPage[
            checkpoints.PermissionCreateResponse
        ],
        "deleteFineTuningCheckpointPermission": checkpoints.PermissionDeleteResponse,
        "runGrader": alpha.GraderRunResponse,
        "validateGrader": alpha.GraderValidateResponse,
        "listModels": pagination.SyncPage[types.Model],
        "retrieveModel": types.Model,
        "deleteModel": types.ModelDeleted,
        "createChatCompletion": chat.ChatCompletion,
        "getChatCompletion": chat.ChatCompletion,
        "updateChatCompletion": chat.ChatCompletion,
        "deleteChatCompletion": chat.ChatCompletionDeleted,
        "listChatCompletions": cursor[chat.ChatCompletion],
        "getChatCompletionMessages": cursor[ChatCompletionStoreMessage],
        "createChatCompletion in pieces": chat.ChatCompletionChunk,
    }


def sdk_violations(kept: Iterable[Asked | Answered]) -> list[Violation]:
    """The answers that the SDK's types do not take when they are taken at their word."""
    found = []
    for one in kept:
        if isinstance(one, Answered) and one.status < 300 and not one.failed:
            fault = _sdk_fault(one)
            if fault is not None:
                found.append(Violation(one.operation.name, "answer", fault, one.test))
    return found


def _sdk_fault(answered: Answered) -> str | None:
    from pydantic import ValidationError as Mismatch

    in_pieces = answered.content_type == "text/event-stream"
    wanted = sdk_types().get(answered.operation.id + (" in pieces" if in_pieces else ""))
    if wanted is None:
        return None if answered.body == "binary" else "the SDK has no type for this"
    for value in (answered.body, as_meant(answered.body)[0]):
        try:
            wanted.model_validate(value, strict=True)
        except Mismatch as mismatch:
            first = mismatch.errors()[0]
            fault = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        else:
            return None
    return f"not {wanted.__name__}: {fault}"
