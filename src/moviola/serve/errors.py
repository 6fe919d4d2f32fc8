"""Tell refusals and faults as JSON: `{"error": {"code", "message"}}`, one sentence each."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from moviola.core import (
    LibraryLockedError,
    MoviolaError,
    SpaceMismatchError,
    StorageError,
    StoreCorruptError,
    VideoUnreadableError,
)
from moviola.pipeline.media.opening import FileGoneError, FileReplacedError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_LOG = logging.getLogger("moviola.serve")

_CODES = {404: "not_found", 405: "method", 413: "too_large", 415: "unsupported"}
# What the faults of the world are to a browser: the status, and the word for it.
_FAULTS: tuple[tuple[type[MoviolaError], int, str], ...] = (
    (FileGoneError, 404, "file_missing"),
    (FileReplacedError, 409, "file_changed"),
    (SpaceMismatchError, 409, "space_mismatch"),
    (LibraryLockedError, 409, "locked"),
    (VideoUnreadableError, 422, "unreadable"),
    (StoreCorruptError, 503, "corrupt"),
    (StorageError, 503, "storage"),
    (MoviolaError, 503, "unavailable"),
)


class ApiError(HTTPException):
    """Refuse a request: a status, a word from the API's closed list, and one sentence."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code


def problem(error: MoviolaError) -> tuple[int, str]:
    """Choose the status and the word for a fault of the world."""
    return next((status, code) for kind, status, code in _FAULTS if isinstance(error, kind))


def body(code: str, message: str, **more: Any) -> dict[str, Any]:
    """Make the JSON of an error; undecodable bytes of a name are escaped."""
    printable = message.encode("utf-8", "backslashreplace").decode("utf-8")
    return {"error": {"code": code, "message": " ".join(printable.split()), **more}}


def log_fault(doing: str, error: Exception) -> None:
    """Log a fault of the program by its kind and the lines of code it went through.

    What it says is left out: it may repeat what is said or written in somebody's film, or what
    was searched for.
    """
    lines = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("%s failed: %s\n%s", doing, type(error).__name__, lines)


def install(app: FastAPI, hide: Callable[[str], str]) -> None:
    """Have `app` answer every error in this form; `hide` takes paths out of messages."""

    @app.exception_handler(HTTPException)
    async def _refused(_: Request, error: HTTPException) -> JSONResponse:
        """Answer a refusal."""
        code = (
            error.code
            if isinstance(error, ApiError)
            else _CODES.get(error.status_code, "bad_request")
        )
        return JSONResponse(
            body(code, str(error.detail)), error.status_code, headers=dict(error.headers or {})
        )

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        """Answer parameters that are none."""
        return JSONResponse(body("invalid", _sentence(error)), 422)

    @app.exception_handler(MoviolaError)
    async def _fault(_: Request, error: MoviolaError) -> JSONResponse:
        """Answer a fault of the world."""
        status, code = problem(error)
        more = {"file_code": str(error.code)} if isinstance(error, VideoUnreadableError) else {}
        return JSONResponse(body(code, hide(str(error)), **more), status)

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> JSONResponse:
        """Answer a fault of the program; the middleware around everything logs it."""
        message = f"something unexpected went wrong ({type(error).__name__}); the log says more"
        return JSONResponse(body("unexpected", message), 500)


def _sentence(error: RequestValidationError) -> str:
    """Name the first mistake and its parameter."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    return f"{place}: {first['msg']}"
