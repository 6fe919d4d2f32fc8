"""Runs the server: a port, a link, a browser."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn

#: Where it listens unless told otherwise, and how many ports after it are tried.
PORT = 7860
_TRIED = 20
# The model asks for Python's lock hundreds of times a batch; by default each may cost 5 ms.
_SWITCH_SECONDS = 0.0005


def bind(host: str, port: int | None) -> socket.socket:
    """Open a listening socket on `port`, or on the first free one from `PORT` on.

    Raises:
        ValueError: when the port is taken, or the address is not this machine's.
    """
    reason = "it is taken"
    ports = [port] if port is not None else [*range(PORT, PORT + _TRIED), 0]
    for candidate in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # The protocol is named, for without it asyncio leaves Nagle's delay of 40 ms on.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(512)
        except OSError as error:
            listener.close()
            reason = error.strerror or str(error)
            continue
        return listener
    raise ValueError(
        f"cannot listen on {host} port {ports[0]}: {reason}; choose another with --port or --host"
    )


def configure(app: Any) -> uvicorn.Config:
    """Configure uvicorn for one application: quiet, HTTP only, patient within limits."""
    import uvicorn

    from moviola.serve.launch.connections import LimitedProtocol

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses hold what people search for
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=64 << 10,
        http=LimitedProtocol,
        ws="none",
    )


def run(
    app: Any, listener: socket.socket, *, link: str, open_browser: bool, say: Callable[[str], Any]
) -> None:
    """Serve until interrupted. `link` opens in a browser once the server answers."""
    import uvicorn

    logging.getLogger("moviola.serve").setLevel(logging.WARNING)
    sys.setswitchinterval(_SWITCH_SECONDS)
    server = uvicorn.Server(configure(app))

    def show() -> None:
        while not server.started and not server.should_exit:
            threading.Event().wait(0.05)
        if server.started:
            say(f"Moviola is at {link}  (Ctrl-C ends it)")
            if open_browser:
                with suppress(webbrowser.Error):
                    webbrowser.open(link)

    threading.Thread(target=show, daemon=True).start()
    server.run(sockets=[listener])
