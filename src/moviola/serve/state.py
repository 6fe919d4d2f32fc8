"""Hold everything that the routes need, in one place, made once a server.

The demo has a library of its own beside the user's, with parts of its own. It is shown as long as
the user's library holds nothing, and becomes no part of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request  # noqa: TC002 -- FastAPI looks at the annotation

from moviola.library import VideoRecord, count_channels
from moviola.retrieve.parsing import GROUPS, SEEN, group_of
from moviola.serve.errors import ApiError
from moviola.serve.favourites import Favourites
from moviola.serve.folders import Folders
from moviola.serve.indexing.runs import IndexRun
from moviola.serve.limiter import Limiter
from moviola.serve.media.media import Media
from moviola.serve.presenters import Presenter
from moviola.serve.schemas import CoverageAnswer, IndexingAnswer
from moviola.serve.search.library_watch import LibraryWatch
from moviola.serve.search.pictures import Pictures
from moviola.serve.search.searcher import Searcher
from moviola.serve.settings import Settings
from moviola.serve.transcripts import Transcripts

# Pictures that are made at once: a processor is left to searches.
_PICTURES_TOGETHER = max(1, min(2, (os.cpu_count() or 1) - 1))


@dataclass(slots=True)
class ServerState:
    """Hold the parts that serve one library.

    Attributes:
        forgetting: files that were forgotten from here, by the word that brings them back.
    """

    settings: Settings
    watch: LibraryWatch
    presenter: Presenter
    pictures: Pictures
    searcher: Searcher
    transcripts: Transcripts
    media: Media
    favourites: Favourites
    indexing: IndexRun
    quick_work: Limiter
    slow_work: Limiter
    forgetting: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    _folders: tuple[str, Folders] | None = field(default=None, repr=False)
    _records: tuple[str, dict[str, VideoRecord]] | None = field(default=None, repr=False)
    _covers: tuple[str, list[CoverageAnswer]] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings, wanted: Callable[[], bool] = lambda: True) -> ServerState:
        """Make the parts, without starting them; `wanted` says when the library is looked at."""
        library = settings.library
        media = Media(library)
        pictures = Pictures(library, media, settings.most_pixels)
        return cls(
            settings,
            LibraryWatch(settings, wanted),
            Presenter(show_paths=settings.show_paths),
            pictures,
            Searcher(),
            Transcripts(),
            media,
            Favourites(library),
            IndexRun(library),
            quick_work=Limiter(together=_PICTURES_TOGETHER, waiting=500),
            slow_work=Limiter(together=2, waiting=20),
        )

    def close(self) -> None:
        """End everything that was started."""
        self.indexing.close()
        self.watch.stop()
        self.media.close()

    def folders(self) -> Folders:
        """List the folders of what is shown."""
        library = self.watch.opened()
        generation, kept = library.generation, self._folders
        if kept is None or kept[0] != generation or not generation:
            kept = generation, Folders.of(library.videos(), absolute=self.settings.show_paths)
            self._folders = kept
        return kept[1]

    def covers(self, records: Sequence[VideoRecord]) -> list[CoverageAnswer]:
        """Count where there is something to look in, of the records of what is shown."""
        library = self.watch.library
        if library is None:
            return []
        generation, kept = library.generation, self._covers
        if kept is None or kept[0] != generation or not generation:
            kept = generation, _covered(records, has_vectors=library.card.has_vectors)
            self._covers = kept
        return kept[1]

    def record(self, video: str) -> VideoRecord:
        """Find the record of a video.

        Raises:
            ApiError: 404 where there is none.
        """
        library = self.watch.opened()
        generation, kept = library.generation, self._records
        if kept is None or kept[0] != generation or not generation:
            kept = generation, {record.id: record for record in library.videos()}
            self._records = kept
        if video not in kept[1]:
            raise ApiError(404, "not_found", "there is no such video in the library any more")
        return kept[1][video]


def _covered(records: Sequence[VideoRecord], *, has_vectors: bool) -> list[CoverageAnswer]:
    """Count the pictures, then the groups of channels that have passages."""
    looked_at = sum(record.clips > 0 for record in records) if has_vectors else 0
    found: dict[str, CoverageAnswer] = {}
    if looked_at:
        found[SEEN] = CoverageAnswer(name=SEEN, channels=[], videos=looked_at, passages=0)
    for name, counted in count_channels(records).items():
        if not counted.passages:
            continue
        group = found.setdefault(
            group_of(name),
            CoverageAnswer(name=group_of(name), channels=[], videos=0, passages=0),
        )
        group.channels.append(name)
        group.videos = max(group.videos, counted.videos)
        group.passages += counted.passages
    return [found[name] for name in sorted(found, key=_place)]


def _place(name: str) -> tuple[int, str]:
    """Order what can be looked in: pictures, the groups of channels, channels of one's own."""
    usual = [SEEN, *GROUPS]
    return (usual.index(name) if name in usual else len(usual), name)


@dataclass(frozen=True, slots=True)
class ServedLibraries:
    """Hold the user's library and the demo's."""

    own: ServerState
    demo: ServerState

    @classmethod
    def of(cls, settings: Settings) -> ServedLibraries:
        """Make the parts of both; the demo's is looked at while the user's holds nothing."""
        own = ServerState.of(settings)
        return cls(own, ServerState.of(settings.of_demo(), lambda: own.watch.state == "first_run"))

    def start(self) -> None:
        """Begin to look after both."""
        self.own.watch.start()
        self.demo.watch.start()

    def close(self) -> None:
        """End everything that was started."""
        self.demo.close()
        self.own.close()

    def shown(self) -> ServerState:
        """Choose the library that answers."""
        is_empty = self.own.watch.state == "first_run"
        return self.demo if is_empty and self.demo.watch.exists else self.own

    def running(self) -> ServerState:
        """Choose the library that an index run is under way for, else the one that answers."""
        for state in (self.own, self.demo):
            if state.indexing.answer().state in ("running", "elsewhere"):
                return state
        return self.shown()

    def indexing(self) -> IndexingAnswer:
        """Tell how far the index run is that is under way, or how the last one ended."""
        state = self.running()
        found = state.indexing.answer()
        found.message = state.settings.hide(found.message)
        return found


async def state_of(request: Request) -> ServerState:
    """Choose the library that answers a request; a coroutine, for others cost a thread."""
    return request.app.state.libraries.shown()


async def libraries_of(request: Request) -> ServedLibraries:
    """Find both libraries of the server that answers."""
    return request.app.state.libraries
