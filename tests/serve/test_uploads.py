"""A body that is sent in parts: where it ends, how large it may be, and what comes after it."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from moviola.serve import Settings
from moviola.serve.errors import ApiError
from moviola.serve.security import UPLOADS, SecurityMiddleware

PORT = 7860
MOST = 1000
SECONDS = 0.2
GONE = {"type": "http.disconnect"}


def part(size: int, **flags: bool) -> dict:
    return {"type": "http.request", "body": bytes(size), **flags}


def sent(parts: list[dict], *, after: float = 0.0) -> tuple[int, str]:
    """Send an upload in parts; the client leaves `after` seconds later.

    Returns the bytes that the application saw of it, and how it ended.
    """
    settings = Settings(Path("library"), PORT, most_upload=MOST, body_seconds=SECONDS)
    taken, ended = 0, ""
    waiting = iter(parts)

    async def app(scope, receive, send):
        nonlocal taken, ended
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    ended = "left"
                    return
                taken += len(message["body"])
        except ApiError as error:
            ended = error.code

    async def receive():
        found = next(waiting, None)
        if found is None:
            await anyio.sleep(after)
            return GONE
        return found

    async def send(message):
        raise AssertionError(message)

    headers = {
        "host": f"127.0.0.1:{PORT}",
        "sec-fetch-site": "same-origin",
        "x-moviola-token": settings.token,
        "content-type": "image/png",
    }
    scope = {"type": "http", "method": "POST", "path": UPLOADS, "query_string": b""}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    anyio.run(SecurityMiddleware(app, settings), {**scope, "headers": pairs}, receive, send)
    return taken, ended


@pytest.mark.parametrize(
    "parts",
    [
        [part(MOST, more_body=False)],
        [part(MOST)],  # a part without the flag is the last one
        [part(400, more_body=True), part(600, more_body=False)],
        [part(MOST, more_body=True), part(0, more_body=False)],
    ],
)
def test_after_its_end_a_body_has_no_deadline(parts):
    assert sent(parts, after=2 * SECONDS) == (MOST, "left")


def test_a_body_that_has_not_ended_has_one():
    assert sent([part(400, more_body=True)], after=2 * SECONDS) == (400, "too_slow")


@pytest.mark.parametrize(
    "parts",
    [
        [part(MOST + 1, more_body=False)],
        [part(400, more_body=True), part(601, more_body=False)],
        [part(MOST, more_body=True), part(1, more_body=True), part(0)],
    ],
)
def test_a_byte_too_many_is_one_however_it_comes(parts):
    assert sent(parts)[1] == "too_large"


def test_a_part_is_as_good_as_the_whole(served):
    """The picture that is kept follows from all of the bytes, however they come."""
    data = (Path(__file__).parents[2] / "docs" / "search-page.png").read_bytes()
    headers = {**served.writing, "content-type": "image/png"}
    step = len(data) // 3
    pieces = [data[first : first + step] for first in range(0, len(data), step)]
    whole = served.client.post(UPLOADS, content=data, headers=headers)
    assert whole.status_code == 201, whole.text
    assert served.client.post(UPLOADS, content=iter(pieces), headers=headers).json() == whole.json()
    cut = served.client.post(UPLOADS, content=iter(pieces[:1]), headers=headers)
    assert cut.json() != whole.json()
