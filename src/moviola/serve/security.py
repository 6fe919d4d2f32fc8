"""Decide who is let in: every request is checked here before anything else sees it.

* `Host` must be one of the server's own names, on every request: a page of elsewhere whose name
  was pointed at this machine (DNS rebinding) is turned away.
* `Origin` and `Sec-Fetch-Site`, which browsers send and pages cannot forge, must be this
  server's own. There are no CORS headers. Only opening the page itself may come from elsewhere.
* Whatever changes something carries the token in a header of its own, which no form can send.
* Beyond this machine everything needs the cookie that the printed link sets.
* Bodies have limits of size and time before anybody reads them.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse

from moviola.serve.errors import ApiError, body, log_fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from moviola.serve.settings import Settings

TOKEN_HEADER = "x-moviola-token"  # noqa: S105 -- the name of a header
UPLOADS = "/api/pictures"
UPLOAD_TYPES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "image/bmp",
        "video/mp4",
        "video/webm",
        "video/quicktime",
        "video/x-matroska",
        "video/avi",
        "video/x-msvideo",
        "application/octet-stream",
    }
)
DRAIN_BYTES, _DRAIN_SECONDS = 32 << 20, 10.0
_READS = frozenset({"GET", "HEAD"})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "x-frame-options": "DENY",
}
# As ASGI has them; names are lower case there.
_ENCODED = {name.encode(): value.encode() for name, value in HEADERS.items()}


class SecurityMiddleware:
    """ASGI middleware that lets in what may come in, and puts the headers on what goes out."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._settings = settings
        self._hosts = settings.hosts()
        self._cookie = f"moviola-{settings.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or hand on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _with_headers(send)
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(scope, headers)
            if (link := self._link(scope)) is not None:
                await link(scope, receive, send)
                return
            self._check_access(headers)
            self._check_write(scope, headers)
            most = self._check_body(scope, headers)
        except ApiError as error:
            response = JSONResponse(
                body(error.code, str(error.detail)), error.status_code, headers=error.headers
            )
            await _drain(receive)
            await response(scope, receive, send)
            return
        try:
            await self.app(scope, self._limited(receive, most), send)
        except Exception as error:  # noqa: BLE001 -- answered already; uvicorn would log its words
            log_fault("answering", error)

    def _check_host(self, headers: Headers) -> None:
        given = headers.getlist("host")
        if len(given) != 1:
            raise ApiError(400, "bad_request", "a request needs one Host header")
        if given[0].lower() not in self._hosts:
            raise ApiError(
                403,
                "host",
                "this address is not one of the server's names; open the one that moviola serve "
                "printed",
            )

    @staticmethod
    def _check_origin(scope: Scope, headers: Headers) -> None:
        origins = headers.getlist("origin")
        if any(origin.lower() != f"http://{headers['host'].lower()}" for origin in origins):
            raise ApiError(403, "origin", "another page's requests are not answered")
        site = headers.get("sec-fetch-site", "none")
        opens = (
            scope["method"] == "GET"
            and scope["path"] == "/"
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
        if site not in ("same-origin", "none") and not opens:
            raise ApiError(403, "cross_site", "another site's requests are not answered")

    def _link(self, scope: Scope) -> RedirectResponse | None:
        """Answer the printed link: move its token out of the address and into a cookie."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if not given:
            return None
        response = RedirectResponse("/", 303)
        if _equal(given[0], self._settings.access):
            response.set_cookie(
                self._cookie, self._pass, httponly=True, samesite="strict", path="/"
            )
        return response

    @property
    def _pass(self) -> str:
        """Compute what the cookie holds: proof of the token, but not the token."""
        key = self._settings.access.encode()
        return hmac.new(key, b"moviola cookie", hashlib.sha256).hexdigest()

    def _check_access(self, headers: Headers) -> None:
        if self._settings.is_private:
            return
        cookies = [
            pair.strip().partition("=")[2]
            for line in headers.getlist("cookie")
            for pair in line.split(";")
            if pair.strip().partition("=")[0] == self._cookie
        ]
        if not any(_equal(value, self._pass) for value in cookies):
            raise ApiError(
                401, "sign_in", "open the link that moviola serve printed; it lets this browser in"
            )

    def _check_write(self, scope: Scope, headers: Headers) -> None:
        method = scope["method"]
        if method in _READS:
            return
        if method not in _WRITES:
            raise ApiError(405, "method", f"{method} is not a method of this server")
        if headers.get("sec-fetch-site") != "same-origin":
            raise ApiError(403, "cross_site", "changes are made from the server's own page only")
        if not _equal(headers.get(TOKEN_HEADER, ""), self._settings.token):
            raise ApiError(
                403, "token", "the token is missing or of an earlier start; load the page again"
            )

    def _check_body(self, scope: Scope, headers: Headers) -> int:
        """Return how many bytes the body may have."""
        uploads = scope["path"] == UPLOADS
        most = self._settings.most_upload if uploads else self._settings.most_json
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return most
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (UPLOAD_TYPES if uploads else {"application/json"}):
            wanted = "a picture or a clip" if uploads else "application/json"
            raise ApiError(
                415, "unsupported", f"the body must be {wanted}, not {kind or 'nothing'}"
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            raise ApiError(413, "too_large", f"a body here has at most {most} bytes")
        return most

    def _limited(self, receive: Receive, most: int) -> Receive:
        """`receive`, which ends bodies that grow beyond `most` bytes or take too long."""
        taken = 0
        deadline: float | None = None

        async def limited() -> Message:
            nonlocal taken, deadline
            if deadline is None:
                deadline = anyio.current_time() + self._settings.body_seconds
            if taken < 0:  # the body is there: what comes is the client going away
                return await receive()
            message: Message | None = None
            with anyio.move_on_at(deadline):
                message = await receive()
            if message is None:
                raise ApiError(408, "too_slow", "the body took too long to come")
            taken += len(message.get("body", b""))
            if taken > most:
                if message.get("more_body", False):
                    await _drain(receive)
                raise ApiError(413, "too_large", f"a body here has at most {most} bytes")
            if not message.get("more_body", False):
                taken = -1
            return message

        return limited


async def _drain(receive: Receive) -> None:
    """Take in what a refused request still sends, within limits.

    Many clients read the answer after they have sent everything. If the connection were closed
    before, they would see it reset instead of the refusal.
    """
    taken = 0
    with anyio.move_on_after(_DRAIN_SECONDS):
        while taken < DRAIN_BYTES:
            message = await receive()
            taken += len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [pair for pair in message["headers"] if pair[0] not in _ENCODED]
            if all(name != b"cache-control" for name, _ in given):
                given.append((b"cache-control", b"no-store"))
            message["headers"] = [*given, *_ENCODED.items()]
        await send(message)

    return sending


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
