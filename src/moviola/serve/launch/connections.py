"""Keep slow and idle connections from taking the server's places."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Seconds within which the head of a request must have come.
HEAD_SECONDS = 10.0
#: Open connections at most: browsers open six each, and files that a process may open are 1,024.
MOST_CONNECTIONS = 512


class LimitedProtocol(H11Protocol):
    """Speak HTTP/1.1, give up on heads that do not come, and make room by closing who waits.

    A connection waits while it owes the head of a request: new ones, idle ones between two
    requests, and those that send a head byte by byte. One beyond the limit takes the place of
    the one that has waited longest; where nobody waits, it is closed itself.
    """

    _waiting_since: float | None = None
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection in, or turn it away where there is no room."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS and not _make_room(self.connections, self):
            transport.abort()
            return
        self._wait(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; a head that began must end in time."""
        if self._waiting_since is not None and self._patience is None:
            self._wait(HEAD_SECONDS)
        super().data_received(data)

    def handle_events(self) -> None:
        """Handle what has come; a head that is whole ends the wait."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request; how long it may take to begin, keep-alive says."""
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close a connection that owes a head."""
        self._stop_waiting()
        self.transport.abort()

    @property
    def waiting_since(self) -> float | None:
        """Tell since when it owes the head of a request, in seconds of the loop; None if not."""
        return self._waiting_since

    def _wait(self, seconds: float) -> None:
        self._waiting_since = self.loop.time()
        self._patience = self.loop.call_later(seconds, self.give_up)

    def _stop_waiting(self) -> None:
        self._waiting_since = None
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _make_room(connections: Iterable[Any], new: LimitedProtocol) -> bool:
    """Close the connection that has waited longest; tell whether one did."""
    waiting = [
        (each.waiting_since, each)
        for each in connections
        if isinstance(each, LimitedProtocol) and each is not new and each.waiting_since is not None
    ]
    if not waiting:
        return False
    min(waiting, key=lambda pair: pair[0])[1].give_up()
    return True
