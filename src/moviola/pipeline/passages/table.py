"""Take in a table of passages that somebody wrote: captions or transcripts with times."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moviola.core import DatasetError, Passage, display_path, passage_id
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.library import ChannelReading, KnownChannel, VideoRecord, version_digest
from moviola.pipeline.passages.channels import TABLE

#: The channel of rows that name none.
TABLE_CHANNEL = "table"
_COLUMNS = ("video", "start", "end", "text")


@dataclass(frozen=True, slots=True)
class PassageTable:
    """Hold the passages of a table by the names that it has for videos.

    Attributes:
        path: the file.
        passages: by the name of a video, each with the place of its row.
    """

    path: Path
    passages: dict[str, list[tuple[str, Passage]]]

    @property
    def known(self) -> list[KnownChannel]:
        """List its channels as a library's card has them."""
        spec = TABLE + display_path(self.path.name)
        return [
            KnownChannel(name, TABLE_CHANNEL, spec) for name in sorted(_channels(self.passages))
        ]

    def readings(
        self, records: Iterable[VideoRecord]
    ) -> tuple[list[tuple[str, ChannelReading]], list[str]]:
        """Pair its rows with the videos of a library, by paths or names of files.

        Returns:
            The id of each video with what the table has of one channel of it; and names of videos
            that the library does not know.

        Raises:
            DatasetError: when a name is that of several videos.
        """
        named = _by_name(records)
        unknown: list[str] = []
        found: dict[tuple[str, str], list[Passage]] = defaultdict(list)
        for name, passages in self.passages.items():
            videos = named.get(name, set())
            if len(videos) > 1:
                raise DatasetError(
                    f"{passages[0][0]}: {name!r} is the name of {len(videos)} videos of the "
                    "library; write their paths"
                )
            if not videos:
                unknown.append(name)
            for video in videos:
                for _, passage in passages:
                    found[video, passage.channel].append(passage)
        return [
            (video, _reading(video, channel, passages))
            for (video, channel), passages in found.items()
        ], unknown


def read_passage_table(path: Path, read: Iterable[str] = ()) -> PassageTable:
    """Read a CSV, JSONL or Parquet with `video`, `start`, `end` and `text`.

    `channel` (a word, `table` where there is none), `language` and `confidence` may be there too.

    Args:
        path: the file.
        read: channels that are read from the videos themselves.

    Raises:
        DatasetError: naming the file and the row that cannot be used.
        ValueError: when a row has a channel that is read from the videos.
    """
    passages: dict[str, list[tuple[str, Passage]]] = defaultdict(list)
    for row in read_rows(path, _COLUMNS):
        passages[row.name("video")].append((row.place, _passage(row)))
    if both := _channels(passages) & set(read):
        raise ValueError(
            f"{display_path(path)} has passages of the channel {min(both)!r}, which is read from "
            "the videos; give them another name, or turn it off with --no-channel"
        )
    return PassageTable(path, dict(passages))


def _channels(passages: Mapping[str, Sequence[tuple[str, Passage]]]) -> set[str]:
    """List the channels of rows."""
    return {passage.channel for rows in passages.values() for _, passage in rows}


def _passage(row: Row) -> Passage:
    span = row.span()
    if span is None:
        raise DatasetError(f"{row.place}: a passage needs start and end, in seconds")
    channel = str(row.values.get("channel") or TABLE_CHANNEL).strip()
    if not (channel.isidentifier() and channel == channel.lower()):
        raise DatasetError(f"{row.place}: 'channel' is {channel[:40]!r}; write one lower-case word")
    language = row.values.get("language")
    try:
        text = unicodedata.normalize("NFC", row.text("text").strip())
        told = str(language).strip()[:35] if language else None
        return Passage("", span, text, channel, told, row.seconds("confidence"))
    except ValueError as error:
        raise DatasetError(f"{row.place}: {error}") from None


def _reading(video: str, channel: str, passages: list[Passage]) -> ChannelReading:
    own = [Passage(video, p.span, p.text, channel, p.language, p.confidence) for p in passages]
    version = version_digest(TABLE, *sorted(map(passage_id, own)))
    return ChannelReading(channel, version, tuple(own))


def _by_name(records: Iterable[VideoRecord]) -> dict[str, set[str]]:
    """List the videos that each name stands for."""
    named: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if record.code.has_clips:
            for path, folder in ((name.path, name.folder) for name in record.names):
                for text in _names(path, folder):
                    named[text].add(record.id)
    return named


def _names(path: Path, folder: Path) -> Iterator[str]:
    below = path.relative_to(folder) if path.is_relative_to(folder) else path
    yield from map(
        str, (path, below, below.as_posix(), below.with_suffix("").as_posix(), path.name, path.stem)
    )
