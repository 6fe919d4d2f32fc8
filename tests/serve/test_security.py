"""Who is let in, and what is refused before anything else sees it."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from moviola.serve import Settings
from moviola.serve.errors import ApiError
from moviola.serve.security import DRAIN_BYTES, SecurityMiddleware

PORT = 7860  # of the servers in conftest.py
OURS = f"http://127.0.0.1:{PORT}"

HOSTS = {
    "evil.example": 403,
    "": 403,
    "localhost.evil": 403,
    f"localhost.evil:{PORT}": 403,
    f"127.0.0.1.nip.io:{PORT}": 403,
    f"0.0.0.0:{PORT}": 403,
    f"[::]:{PORT}": 403,
    "127.0.0.1:1": 403,
    "127.0.0.1": 403,
    f"127.0.0.1:{PORT}:1": 403,
    f"user@127.0.0.1:{PORT}": 403,
    f"127.0.0.1:{PORT}.evil.example": 403,
    f"127.0.0.1:{PORT}": 200,
    f"localhost:{PORT}": 200,
    f"LOCALHOST:{PORT}": 200,
    f"[::1]:{PORT}": 200,
}
ORIGINS = {
    "null": 403,
    "http://evil.example": 403,
    "https://evil.example": 403,
    f"http://sub.localhost:{PORT}": 403,
    "http://127.0.0.1:1": 403,
    "http://127.0.0.1": 403,
    f"https://127.0.0.1:{PORT}": 403,
    "file://": 403,
    f"http://localhost:{PORT}": 403,  # another origin than the one that is asked
    OURS: 200,
}


@pytest.mark.parametrize(("host", "status"), HOSTS.items())
def test_every_request_is_for_a_name_of_the_server(served, host, status):
    for path in ("/", "/api/status", "/api/search?q=red", "/nothing"):
        answer = served.get(path, headers={"host": host})
        if status == 200:
            assert answer.status_code in (200, 404)
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host")


@pytest.mark.parametrize(("origin", "status"), ORIGINS.items())
def test_another_origin_is_not_answered(served, origin, status):
    answer = served.get("/api/status", headers={"origin": origin})
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "strange"])
def test_another_site_may_open_the_page_and_nothing_else(served, site):
    opens = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert served.get("/", headers=opens).status_code == 200
    assert served.get("/api/status", headers=opens).status_code == 403
    framed = opens | {"sec-fetch-dest": "iframe"}
    assert served.get("/", headers=framed).status_code == 403
    video = served.json("/api/search", q="red")["moments"][0]["video"]
    embedded = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "video"}
    answer = served.get(f"/media/{video}", headers=embedded)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"x-moviola-token": None}, 403, "token"),
        ({"x-moviola-token": "of an earlier start"}, 403, "token"),
        ({"sec-fetch-site": None}, 403, "cross_site"),
        ({"sec-fetch-site": "none"}, 403, "cross_site"),
        ({"sec-fetch-site": "cross-site"}, 403, "cross_site"),
        ({"origin": "http://evil.example"}, 403, "origin"),
        ({"content-type": "text/plain"}, 415, "unsupported"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported"),
        ({"content-type": "multipart/form-data; boundary=x"}, 415, "unsupported"),
        ({"content-type": None}, 415, "unsupported"),
    ],
)
def test_a_write_needs_token_site_and_json(served, change, status, code):
    headers = {**served.writing, **JSON, **change}
    headers = {name: value for name, value in headers.items() if value is not None}
    body = json.dumps({"action": "stop"}).encode()
    answer = served.client.post("/api/index", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_write_with_all_of_them_is_done(served):
    answer = served.client.post("/api/index", json={"action": "stop"}, headers=served.writing)
    assert answer.status_code == 202


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
def test_other_methods_are_none(served, method):
    answer = served.client.request(method, "/api/status")
    assert answer.status_code == 405


def test_bodies_are_refused_by_what_they_announce(served):
    headers = {**served.writing, **JSON, "content-length": str(1 << 30)}
    answer = served.client.post("/api/index", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_bodies_without_an_end_are_ended():
    settings = Settings(Path("library"), PORT)
    sent = 0
    seen: list[str] = []

    async def app(scope, receive, send):
        try:
            while True:
                await receive()
        except ApiError as error:
            seen.append(error.code)

    async def endless():
        nonlocal sent
        sent += 65536
        return {"type": "http.request", "body": bytes(65536), "more_body": True}

    write = {"sec-fetch-site": "same-origin", "x-moviola-token": settings.token, **JSON}
    through_gate(app, endless, settings, method="POST", headers=write)
    assert seen == ["too_large"]
    assert sent <= settings.most_json + DRAIN_BYTES + 2 * 65536


@pytest.mark.parametrize("path", ["/", "/api/status", "/api/nothing", "/static/nothing.js"])
def test_every_answer_carries_the_headers(served, path):
    headers = served.get(path).headers
    policy = headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_refusals_carry_the_headers_too(served):
    answer = served.get("/", headers={"host": "evil.example"})
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.fixture(scope="module")
def open_server(serve, world):
    with serve(world.library, host="192.0.2.7") as server:
        server.client.base_url = f"http://192.0.2.7:{PORT}"
        yield server


def test_nothing_is_answered_without_the_link(open_server):
    for path in ("/", "/api/status", "/api/session", "/openapi.json", "/static/x.css"):
        answer = open_server.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "sign_in")


def test_a_wrong_link_lets_nobody_in(open_server):
    answer = open_server.get("/?token=guess", follow_redirects=False)
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers


def test_the_link_becomes_a_cookie_and_leaves_the_address(open_server):
    secret = open_server.settings.access
    answer = open_server.get(f"/?token={secret}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert secret not in cookie
    assert open_server.get("/api/status").status_code == 200
    open_server.client.cookies.clear()
    assert open_server.get("/api/status").status_code == 401


def test_the_own_names_of_the_machine_are_accepted_and_others_are_not(open_server):
    answer = open_server.get("/api/status", headers={"host": f"evil.example:{PORT}"})
    assert answer.json()["error"]["code"] == "host"


def through_gate(app, receive, settings, *, method="GET", headers=None, hosts=1) -> list[int]:
    """Statuses of the answers to a bare request."""
    statuses: list[int] = []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask():
        given = [(b"host", f"127.0.0.1:{PORT}".encode())] * hosts
        given += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": method, "path": "/", "query_string": b""}
        await SecurityMiddleware(app, settings)({**scope, "headers": given}, receive, send)

    anyio.run(ask)
    return statuses


@pytest.mark.parametrize(("hosts", "status"), [(0, 400), (1, 204), (2, 400)])
def test_a_request_has_one_host(hosts, status):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def receive():
        return {"type": "http.request"}

    assert through_gate(app, receive, Settings(Path("library"), PORT), hosts=hosts) == [status]


def test_a_body_that_does_not_come_is_given_up():
    seen: list[str] = []

    async def app(scope, receive, send):
        try:
            await receive()
        except ApiError as error:
            seen.append(error.code)

    async def never():
        await anyio.sleep(60)

    through_gate(app, never, Settings(Path("library"), PORT, body_seconds=0.05))
    assert seen == ["too_slow"]
