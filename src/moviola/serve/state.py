"""Hold everything that the routes need, in one place, made once a server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from fastapi import Request  # noqa: TC002 -- FastAPI looks at the annotation

from moviola.library import VideoRecord
from moviola.serve.errors import ApiError
from moviola.serve.favourites import Favourites
from moviola.serve.folders import Folders
from moviola.serve.indexing.runs import IndexRun
from moviola.serve.limiter import Limiter
from moviola.serve.media.media import Media
from moviola.serve.presenters import Presenter
from moviola.serve.search.library_watch import LibraryWatch
from moviola.serve.search.pictures import Pictures
from moviola.serve.search.searcher import Searcher
from moviola.serve.settings import Settings

# Pictures that are made at once: a processor is left to searches.
_PICTURES_TOGETHER = max(1, min(2, (os.cpu_count() or 1) - 1))


@dataclass(slots=True)
class ServerState:
    """The parts of one server."""

    settings: Settings
    watch: LibraryWatch
    presenter: Presenter
    pictures: Pictures
    searcher: Searcher
    media: Media
    favourites: Favourites
    indexing: IndexRun
    quick_work: Limiter
    slow_work: Limiter
    _folders: tuple[str, Folders] | None = field(default=None, repr=False)
    _records: tuple[str, dict[str, VideoRecord]] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> ServerState:
        """Make the parts, without starting them."""
        library = settings.library
        media = Media(library)
        pictures = Pictures(library, media, settings.most_pixels)
        return cls(
            settings,
            LibraryWatch(settings),
            Presenter(show_paths=settings.show_paths),
            pictures,
            Searcher(),
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


async def state_of(request: Request) -> ServerState:
    """Find the state of the server that answers; a coroutine, for others cost a thread."""
    return request.app.state.server
