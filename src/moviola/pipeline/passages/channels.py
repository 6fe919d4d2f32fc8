"""Choose the channels of an index run, and tell of which videos they are still to be read."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moviola.core import Channel, MoviolaError, Surrounded
from moviola.library import (
    ChannelMark,
    KnownChannel,
    LibraryCard,
    VideoName,
    VideoRecord,
    version_digest,
)
from moviola.pipeline.passages.reading import WantedChannel
from moviola.pipeline.passages.sidecars import FoundSidecar, SidecarFinder
from moviola.plugins.channels import channel_names, load_channel

#: Read unless they are turned off: they cost next to nothing.
DEFAULT_CHANNELS = ("subtitles", "names")


@dataclass(frozen=True, slots=True)
class Around:
    """Hold what lies around the files of one content.

    Attributes:
        names: every name below the folder that was indexed.
        sidecars: files of timed text beside any of them.
    """

    names: tuple[Path, ...]
    sidecars: tuple[FoundSidecar, ...]


class ChannelSet:
    """The channels of one run.

    Attributes:
        known: what goes on the library's card, channels that were turned off included.
        warnings: sentences about channels of before that cannot be loaded now.
    """

    def __init__(
        self,
        channels: Sequence[tuple[str, Channel]],
        off: Iterable[str] = (),
        warnings: Iterable[str] = (),
    ) -> None:
        """Take channels with the names that `--channel` takes them by.

        Raises:
            ValueError: when two have one name.
        """
        names = [channel.name for _, channel in channels]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two channels are called {twice!r}; choose one of them")
        self._channels = [(channel, channel.version, threading.Lock()) for _, channel in channels]
        self.known = [
            *(KnownChannel(channel.name, channel.version, spec) for spec, channel in channels),
            *(KnownChannel(name, "", name) for name in off),
        ]
        self.warnings = tuple(warnings)
        self._finder = SidecarFinder()

    @property
    def channels(self) -> list[Channel]:
        """List the channels."""
        return [channel for channel, _, _ in self._channels]

    @property
    def names(self) -> list[str]:
        """List the names of the channels."""
        return [channel.name for channel in self.channels]

    def around(self, names: Iterable[VideoName]) -> Around:
        """Look at what lies around the files of one content."""
        present = [name for name in names if not name.missing and not name.forgotten]
        sidecars = {found.path: found for name in present for found in self._finder.find(name.path)}
        return Around(
            tuple(sorted(_below(name) for name in present)),
            tuple(sidecars[path] for path in sorted(sidecars)),
        )

    def wanted(
        self, around: Around, record: VideoRecord | None = None, *, retry: bool = False
    ) -> list[WantedChannel]:
        """List the channels to read of a content; of one that is there only those with news.

        With `retry` also those that failed before.
        """
        found: list[WantedChannel] = []
        for channel, told, turn in self._channels:
            version = version_digest(told, *_told_around(channel, around))
            mark = None if record is None else record.mark_of(channel.name)
            if not _is_current(mark, version, retry=retry):
                found.append(WantedChannel(channel, version, turn))
        return found


def choose_channels(
    card: LibraryCard | None, asked: Sequence[str] = (), refused: Sequence[str] = ()
) -> ChannelSet:
    """Load the channels of a run: those asked for, those of the library, and the usual ones.

    Args:
        card: the library's, None for a new one.
        asked: names, as `--channel` takes them.
        refused: names of channels that are not to be read, in later runs neither.

    Raises:
        PluginNotFoundError: when there is no such channel.
        MissingExtraError: when one that was asked for needs what is not installed.
        ValueError: when a channel is asked for and refused, or refused and unknown.
    """
    before = {known.name: known for known in card.channels} if card is not None else {}
    known_names = {*before, *channel_names()}
    for name in refused:
        if name not in known_names:
            names = ", ".join(sorted(known_names))
            raise ValueError(f"no channel is called {name!r}; there are {names}")
    loaded = [(spec, load_channel(spec)) for spec in asked]
    names = {channel.name for _, channel in loaded}
    if both := names & set(refused):
        raise ValueError(f"channel {min(both)!r} is asked for and refused; choose one")
    off = {*refused, *(name for name, known in before.items() if not known.version)} - names
    warnings: list[str] = []
    # What was read from a table is not read again by itself.
    specs = [
        known.spec
        for known in before.values()
        if known.version and not known.spec.startswith(TABLE)
    ]
    specs += [name for name in DEFAULT_CHANNELS if name not in before]
    for spec in specs:
        try:
            channel = load_channel(spec)
        except (MoviolaError, TypeError) as error:
            warnings.append(f"channel {spec!r} is not read in this run: {error}")
            continue
        if channel.name not in names | off:
            loaded.append((spec, channel))
            names.add(channel.name)
    return ChannelSet(loaded, sorted(off), warnings)


#: How the card spells a channel that a table was read into.
TABLE = "table:"


def _is_current(mark: ChannelMark | None, version: str, *, retry: bool) -> bool:
    if mark is None or mark.version != version:
        return False
    return not (retry and mark.code.is_failure)


def _told_around(channel: Channel, around: Around) -> list[str]:
    """Spell out what of the surroundings of a file a channel reads."""
    wanted = channel.surroundings if isinstance(channel, Surrounded) else ()
    names = [str(name) for name in around.names] if "names" in wanted else []
    files = [repr((str(f.path), f.state)) for f in around.sidecars] if "sidecars" in wanted else []
    return [*names, *files]


def _below(name: VideoName) -> Path:
    folder = name.folder
    return name.path.relative_to(folder) if name.path.is_relative_to(folder) else name.path
