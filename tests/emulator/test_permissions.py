"""Checkpoint permissions: who may be let in, how the lists page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import jsonschema
import openai
import pytest
from conftest import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.lab import Lab
from ftctl.emulator import EmulatorTransport

SPEC = DATA / "openapi" / "openai-fine-tuning.json"
CHECKPOINTS = "/v1/fine_tuning/checkpoints"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("permissions"), training=False)
    with lab.emulator:
        lab.create()
        lab.now += 60
        lab.get("/v1/fine_tuning/jobs")
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Lab:
    for model in tuned(shared):
        for one in shared.get(f"{at(model)}?limit=100")["data"]:
            shared.call("DELETE", f"{at(model)}/{one['id']}")
    return shared


def tuned(lab: Lab) -> list[str]:
    """The job's result and its checkpoints."""
    models = [model["id"] for model in lab.get("/v1/models")["data"]]
    return [name for name in models if name.startswith("ft:")]


def at(model: str) -> str:
    return f"{CHECKPOINTS}/{model}/permissions"


def allow(lab: Lab, model: str, *projects: str) -> list[Any]:
    status, answer = lab.call("POST", at(model), {"project_ids": projects})
    assert status == 200, answer
    granted: list[Any] = answer["data"]
    return granted


def sdk(lab: Lab) -> openai.OpenAI:
    transport = EmulatorTransport(lab.emulator)
    return openai.OpenAI(api_key="any", http_client=httpx2.Client(transport=transport))


def test_a_result_and_its_checkpoints_can_each_be_shared(lab: Lab) -> None:
    models = tuned(lab)

    granted = [allow(lab, model, "proj_a") for model in models]

    assert any(":ckpt-step-" in model for model in models)
    assert [lab.get(at(model))["data"] for model in models] == granted


def test_an_answer_names_each_project_in_the_order_asked_for(lab: Lab) -> None:
    model = tuned(lab)[0]

    status, answer = lab.call("POST", at(model), {"project_ids": ["proj_b", "proj_a"]})

    ids = [one["id"] for one in answer["data"]]
    moment = int(lab.now)
    assert status == 200
    assert all(one.startswith("cp_") for one in ids)
    assert answer == {
        "object": "list",
        "data": [
            {"id": id_, "object": "checkpoint.permission", "created_at": moment, "project_id": p}
            for id_, p in zip(ids, ["proj_b", "proj_a"], strict=True)
        ],
        "first_id": ids[0],
        "last_id": ids[1],
        "has_more": False,
    }


def test_what_was_allowed_before_is_allowed_once(lab: Lab) -> None:
    model = tuned(lab)[0]
    first = allow(lab, model, "proj_a")

    again = allow(lab, model, "proj_a", "proj_b", "proj_a")

    assert again[0] == first[0]
    assert [one["project_id"] for one in again] == ["proj_a", "proj_b"]
    assert len(lab.get(at(model))["data"]) == 2


def test_a_name_may_come_percent_encoded(lab: Lab) -> None:
    model = tuned(lab)[-1]
    granted = allow(lab, quote(model, safe=""), "proj_a")

    assert lab.get(at(model))["data"] == granted


def test_pages_hold_ten_newest_first(lab: Lab) -> None:
    model = tuned(lab)[0]
    granted = allow(lab, model, *(f"proj_{n}" for n in range(12)))

    page = lab.get(at(model))
    rest = lab.get(f"{at(model)}?after={page['last_id']}")
    turned = lab.get(f"{at(model)}?order=ascending&limit=3&after={granted[0]['id']}")

    assert (page["data"], page["has_more"]) == (granted[:1:-1], True)
    assert (rest["data"], rest["has_more"]) == (granted[1::-1], False)
    assert (turned["data"], turned["has_more"]) == (granted[1:4], True)


def test_a_list_can_be_of_one_project(lab: Lab) -> None:
    model = tuned(lab)[0]
    granted = allow(lab, model, "proj_a", "proj_b")

    assert lab.get(f"{at(model)}?project_id=proj_b")["data"] == [granted[1]]
    assert lab.get(f"{at(model)}?project_id=proj_c") == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_a_permission_goes_only_by_the_model_that_it_is_for(lab: Lab) -> None:
    model, other = tuned(lab)[:2]
    one = allow(lab, model, "proj_a")[0]["id"]

    astray = lab.refused("DELETE", f"{at(other)}/{one}")
    gone = lab.call("DELETE", f"{at(model)}/{one}")

    assert (astray["status"], astray["param"]) == (404, "permission_id")
    assert gone == (200, {"id": one, "object": "checkpoint.permission", "deleted": True})
    assert lab.refused("DELETE", f"{at(model)}/{one}")["status"] == 404
    assert allow(lab, model, "proj_a")[0]["id"] != one


@pytest.mark.parametrize("model", ["gpt-4.1", "ft:gpt-4.1:none::x", "a/b", "%2F"])
def test_only_what_a_job_made_can_be_shared(lab: Lab, model: str) -> None:
    for method, rest in (("POST", ""), ("GET", ""), ("DELETE", "/cp_1")):
        body = {"project_ids": ["proj_a"]} if method == "POST" else None
        error = lab.refused(method, at(model) + rest, body)

        assert (error["status"], error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "project_ids"),
        ({"project_ids": []}, "project_ids"),
        ({"project_ids": "proj_a"}, "project_ids"),
        ({"project_ids": ["proj_a"] * 1_001}, "project_ids"),
        ({"project_ids": ["proj_a", 3]}, "project_ids[1]"),
        ({"project_ids": [""]}, "project_ids[0]"),
        ({"project_ids": ["proj_a"], "colour": "red"}, "colour"),
    ],
)
def test_a_request_that_breaks_a_rule_is_a_400(lab: Lab, body: Any, param: str) -> None:
    model = tuned(lab)[0]

    error = lab.refused("POST", at(model), body)

    assert (error["status"], error["param"]) == (400, param)
    assert lab.get(at(model))["data"] == []


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("order=asc", 400, "order"),
        ("limit=0", 400, "limit"),
        ("limit=x", 400, "limit"),
        ("after=cp_none", 404, "after"),
    ],
)
def test_a_list_that_cannot_be_had_is_refused(
    lab: Lab, query: str, status: int, param: str
) -> None:
    error = lab.refused("GET", f"{at(tuned(lab)[0])}?{query}")

    assert (error["status"], error["param"]) == (status, param)


def test_the_public_client_shares_lists_and_takes_back(lab: Lab) -> None:
    model = tuned(lab)[-1]
    permissions = sdk(lab).fine_tuning.checkpoints.permissions

    granted = permissions.create(model, project_ids=["proj_a", "proj_b", "proj_c"])
    listed = list(permissions.list(model, limit=2))
    gone = permissions.delete(listed[0].id, fine_tuned_model_checkpoint=model)

    assert sorted(one.project_id for one in granted) == ["proj_a", "proj_b", "proj_c"]
    assert [one.project_id for one in listed] == ["proj_c", "proj_b", "proj_a"]
    assert (gone.deleted, len(list(permissions.list(model)))) == (True, 2)


@pytest.mark.skipif(not SPEC.exists(), reason=f"the public specification is not at {SPEC}")
def test_every_answer_fits_the_specification(lab: Lab) -> None:
    spec = json.loads(SPEC.read_text())
    model = tuned(lab)[0]
    template = "/fine_tuning/checkpoints/{fine_tuned_model_checkpoint}/permissions"
    empty = lab.get(at(model))
    _, created = lab.call("POST", at(model), {"project_ids": ["proj_a"]})
    one = created["data"][0]["id"]
    answers = [
        (template, "get", empty),
        (template, "post", created),
        (template, "get", lab.get(at(model))),
        (template + "/{permission_id}", "delete", lab.call("DELETE", f"{at(model)}/{one}")[1]),
    ]

    for path, method, answer in answers:
        answered = spec["paths"][path][method]["responses"]["200"]
        schema = answered["content"]["application/json"]["schema"]
        whole = {**schema, "components": spec["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(_ANYTHING | st.fixed_dictionaries({"project_ids": _ANYTHING}), st.text(max_size=12))
def test_no_body_and_no_name_is_answered_with_a_fault_of_ours(
    shared: Lab, body: Any, name: str
) -> None:
    content = json.dumps(body).encode()
    model = tuned(shared)[0]

    for target in (at(model), at(name), f"{at(model)}?after={name}", f"{at(model)}/{name}"):
        for method in ("POST", "GET", "DELETE"):
            response = shared.send(method, target.replace("#", "%23"), content)

            assert response.status < 500
            assert "error" in json.loads(response.body) or response.status == 200
