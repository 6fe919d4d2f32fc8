"""From what was asked on the command line to a running server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from moviola.serve.app import create_app
from moviola.serve.launch.run import bind, run
from moviola.serve.settings import Settings

_SHORTEST_SECRET = 16


def serve(
    library: Path,
    *,
    roots: Sequence[Path],
    host: str,
    port: int | None,
    access: str | None,
    open_browser: bool,
    show_paths: bool,
    say: Callable[[str], Any],
) -> None:
    """Serve the library at `library`, which need not be there yet, until interrupted.

    Raises:
        FileNotFoundError: when one of `roots` is not there.
        ValueError: when the port is taken, or the secret is short.
    """
    for root in roots:
        if not root.exists():
            raise FileNotFoundError(f"there is nothing at {root}; name a folder or a video file")
    if access is not None and len(access) < _SHORTEST_SECRET:
        raise ValueError(f"a --token needs at least {_SHORTEST_SECRET} characters")
    listener = bind(host, port)
    settings = Settings(
        library,
        listener.getsockname()[1],
        host,
        tuple(roots),
        show_paths,
    )
    if access is not None:
        settings = replace(settings, access=access)
    link = f"http://{_reachable(host)}:{settings.port}/"
    if not settings.is_private:
        link += f"?token={settings.access}"
        say(
            "warning: this server can be reached from other machines, unencrypted; whoever has "
            "the link sees every video of the library"
        )
    run(create_app(settings), listener, link=link, open_browser=open_browser, say=say)


def _reachable(host: str) -> str:
    """Name the address `host` as it stands in a link."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- compared, not bound
        import socket

        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
