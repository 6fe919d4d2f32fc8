"""Hold what a server is told when it starts."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path

from moviola.core import display_path
from moviola.pipeline.search.pictures import MOST_PIXELS

MIB = 1 << 20


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server.

    Attributes:
        library: folder of the library, which need not be there yet.
        port: where it listens; part of every Host that is accepted.
        host: address it is bound to.
        roots: folders to index beside those that the library knows.
        show_paths: whether answers hold absolute paths; otherwise they begin at the folder indexed.
        access: what a browser must know to be let in from beyond this machine.
        token: what writes must carry; new with every start.
        most_upload: bytes of an uploaded picture or clip.
        most_json: bytes of a JSON body.
        most_pixels: of an uploaded picture, looked at before it is decoded.
        body_seconds: within which a request's body must have come.
    """

    library: Path
    port: int
    host: str = "127.0.0.1"
    roots: tuple[Path, ...] = ()
    show_paths: bool = False
    access: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    most_upload: int = 20 * MIB
    most_json: int = 64 << 10
    most_pixels: int = MOST_PIXELS
    body_seconds: float = 60.0

    @property
    def is_private(self) -> bool:
        """Tell whether only this machine can reach it."""
        return is_loopback(self.host)

    def of_demo(self) -> Settings:
        """Make the settings of the demo's library, which lies beside the one that is served."""
        place = self.library.with_name(f"{self.library.name}-demo")
        return replace(self, library=place / "library", roots=())

    @property
    def cache(self) -> Path:
        """Name the folder of what can be made again: sprites, previews, uploaded pictures."""
        return self.library / "cache"

    def hide(self, message: str) -> str:
        """Take out of `message` where the library lies, unless paths are shown."""
        if self.show_paths:
            return message
        for path in (self.library, *self.roots):
            message = message.replace(display_path(path), display_path(path.name))
        return message

    def hosts(self) -> frozenset[str]:
        """List every value of `Host` that is accepted, lower case."""
        names = {"127.0.0.1", "localhost", "[::1]"}
        if not self.is_private:
            names |= _names_of(self.host)
        accepted = {f"{name}:{self.port}" for name in names}
        if self.port == 80:  # browsers leave the usual port out
            accepted |= names
        return frozenset(accepted)


def _names_of(host: str) -> set[str]:
    """List what a browser may call the address `host`; for "every address", the machine's own."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return {host.lower()}
    if not address.is_unspecified:
        return {_bracketed(str(address))}
    own = socket.gethostname().lower()
    found = {own}
    with contextlib.suppress(OSError):
        found |= {_bracketed(str(entry[4][0])) for entry in socket.getaddrinfo(own, None)}
    return found


def _bracketed(address: str) -> str:
    """Write an address as URLs do."""
    return f"[{address}]" if ":" in address else address
