"""Answer with an open file, whole or one range of it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

from moviola.core import FileIdentity

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_CHUNK = 256 << 10
_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII)


class DescriptorResponse(Response):
    """Send the bytes behind a descriptor, which is closed in the end, and never a path.

    One range of bytes is obeyed (RFC 9110, section 14); several at once give the whole file,
    which a server may choose. A file that shrinks or changes meanwhile ends the answer early:
    what was promised by `content-length` does not come, so that nobody keeps it.
    """

    def __init__(
        self, descriptor: int, identity: FileIdentity, media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(status_code=200, media_type=media_type, headers=headers)
        self._descriptor = descriptor
        self._identity = identity
        tag = f'"{identity.mtime_ns:x}-{identity.size:x}-{identity.inode:x}"'
        self.headers["etag"] = tag
        self.headers["last-modified"] = formatdate(identity.mtime_ns / 1e9, usegmt=True)
        self.headers["accept-ranges"] = "bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers, then the bytes unless only the headers were asked for."""
        try:
            size = self._identity.size
            headers = Headers(scope=scope)
            try:
                part = _range(headers.get("range"), size) if self._goes_on(headers) else None
            except ValueError as error:
                refusal = PlainTextResponse(str(error), 416, {"content-range": f"bytes */{size}"})
                await refusal(scope, receive, send)
                return
            first, last = part or (0, size)
            if part is not None:
                self.status_code = 206
                self.headers["content-range"] = f"bytes {first}-{last - 1}/{size}"
            self.headers["content-length"] = str(last - first)
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if scope["method"] != "HEAD":
                async for part in self._parts(first, last):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            os.close(self._descriptor)

    def _goes_on(self, headers: Headers) -> bool:
        """Tell whether a range continues this very file (If-Range)."""
        given = headers.get("if-range")
        return given is None or given in (self.headers["etag"], self.headers["last-modified"])

    async def _parts(self, first: int, last: int) -> AsyncIterator[bytes]:
        while first < last:
            wanted = min(_CHUNK, last - first)
            part = await anyio.to_thread.run_sync(self._read, wanted, first)
            if not part:
                return
            yield part
            first += len(part)

    def _read(self, count: int, offset: int) -> bytes:
        if FileIdentity.of(os.fstat(self._descriptor)) != self._identity:
            return b""
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, count, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)  # Windows; nobody else reads it
        return os.read(self._descriptor, count)


def _range(given: str | None, size: int) -> tuple[int, int] | None:
    """Read a Range header as half-open bytes; None where it asks for no one range.

    Raises:
        ValueError: where the range lies beyond the end.
    """
    found = None if given is None else _RANGE.fullmatch(given)
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    begin = int(first) if first else max(size - int(last), 0)
    if begin >= size:
        raise ValueError(f"the range begins beyond the file, which has {size} bytes")
    return begin, min(int(last) + 1, size) if first and last else size
