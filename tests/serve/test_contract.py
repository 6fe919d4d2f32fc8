"""The OpenAPI document, and whatever can be asked by it."""

from __future__ import annotations

import sys
from contextlib import suppress
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, reject, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from moviola.serve.indexing.runs import IndexRun

OURS = "http://127.0.0.1:7860"
# The client of the tests sends no longer ones.
LONGEST_QUERY_STRING = 60_000


@pytest.fixture(scope="module")
def operations(served):
    schema = schemathesis.openapi.from_dict(served.json("/openapi.json"))
    return [result.ok() for result in schema.get_all_operations()]


def test_the_document_names_every_route(operations):
    named = {(operation.method.upper(), operation.path) for operation in operations}
    for route in (
        ("GET", "/api/search"),
        ("GET", "/api/similar"),
        ("GET", "/api/clips/{clip}"),
        ("GET", "/api/videos/{video}"),
        ("GET", "/api/videos/{video}/curve"),
        ("GET", "/api/videos/{video}/passages"),
        ("GET", "/api/videos/{video}/passages/export"),
        ("GET", "/api/videos/{video}/playback"),
        ("GET", "/api/channels"),
        ("GET", "/api/channels/estimate"),
        ("GET", "/api/status"),
        ("POST", "/api/index"),
        ("POST", "/api/pictures"),
        ("POST", "/api/favourites"),
        ("GET", "/api/export"),
        ("GET", "/media/{video}"),
        ("GET", "/media/{video}/preview"),
        ("GET", "/media/clips/{clip}/sprite"),
    ):
        assert route in named


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("examples", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_nothing_that_is_asked_is_a_fault_of_the_server(
    served, operations, mode, examples, monkeypatch
):
    monkeypatch.setattr(IndexRun, "start", lambda *_: None)  # runs are tested in test_changes.py
    clip = served.json("/api/search", q="red")["moments"][0]
    known = {"clip": clip["id"], "video": clip["video"]}
    statuses: list[int] = []
    for operation in operations:
        statuses += ask(served, operation, known, mode, examples)
    assert len(statuses) > 50
    assert max(statuses) < 500
    if mode is GenerationMode.POSITIVE:
        assert statuses.count(200) > 20


def ask(served, operation, known: dict[str, str], mode, examples: int) -> list[int]:
    """Statuses of many cases of one operation, half of them about things that are there."""
    statuses: list[int] = []
    cases = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case):
        if len(statuses) % 2 and mode is GenerationMode.POSITIVE:
            for name in set(case.path_parameters or {}) & known.keys():
                case.path_parameters[name] = known[name]
        sent = case.as_transport_kwargs(base_url=OURS)
        sent["headers"] = {**dict(sent.get("headers") or {}), **served.writing}
        sent = {name: value for name, value in sent.items() if name in FIELDS and value is not None}
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        if len(urlencode(sent.get("params") or {}, doseq=True)) > LONGEST_QUERY_STRING:
            reject()
        answer = served.client.request(**sent)
        statuses.append(answer.status_code)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
            error = answer.json()["error"]
            assert error["code"]
            assert error["message"]
        elif answer.headers.get("content-type") == "application/json":
            operation.validate_response(answer)

    with suppress(Unsatisfiable):  # where there is nothing that it would not take
        run()
    return statuses


FIELDS = {"method", "url", "headers", "params", "json", "data"}


def test_nothing_leaves_the_machine(serve, own_world):
    """Python's audit hook sees every connection that this process makes."""
    made: list[object] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
            made.append((event, arguments[1:]))

    sys.addaudithook(watch)
    with serve(own_world.library) as server:
        server.wait(lambda status: status["state"] == "ready")
        clip = server.json("/api/search", q="red")["moments"][0]
        for path in (
            "/",
            "/openapi.json",
            f"/api/similar?clip={clip['id']}",
            f"/api/videos/{clip['video']}",
            f"/media/clips/{clip['id']}/sprite",
            f"/media/{clip['video']}/preview?start=0&end=1",
        ):
            assert server.get(path).status_code == 200
    watching = False
    assert made == []
